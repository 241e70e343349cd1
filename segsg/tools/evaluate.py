"""`segsg evaluate`: anybody's predictions under every protocol, as ranks, JSON, CSV and a page."""

import csv
import dataclasses
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from segsg.evaluation.metrics import tables
from segsg.evaluation.protocol import PROTOCOLS
from segsg.evaluation.ranks import Ranks, save
from segsg.evaluation.recall import Recall, SideBySide
from segsg.evaluation.results import per_predicate, summarize
from segsg.files import to_json, write_text
from segsg.formats import importers
from segsg.formats import sidecars as facts
from segsg.structures import Task
from segsg.tools.evaluation_page import render_evaluation
from segsg.tools.walk import File, Skip, read_truths, refuse, walk

RESULTS, RANKS, PAGE = "results.json", "ranks", "index.html"
SHOWN_REASONS = 20


@dataclass(frozen=True)
class Request:
    """Everything that `segsg evaluate` may be told."""

    truth: File
    predictions: File
    task: Task
    protocols: tuple[str, ...] = tuple(PROTOCOLS)
    predicate_names: Path | None = None
    zero_shot: Path | None = None
    training_counts: Path | None = None
    lenient: bool = False
    resamples: int = 1000
    seed: int = 0


def evaluate(request: Request, out: Path) -> dict:
    """Writes all files to `out` and returns the content of results.json. ValueError names file, image and rule."""
    names, skip = predicate_names(request), Skip()
    note = skip if request.lenient else refuse
    recalls = _recalls(request, names)
    truths = read_truths(request.truth, len(names) + 1, note)
    walk(truths, request.predictions, recalls, note, _progress)
    ranks = recalls.ranks()
    results = _results(request, names, ranks, skip.reasons)
    (out / RANKS).mkdir(parents=True, exist_ok=True)
    for name, found in ranks.items():
        save(out / RANKS / f"{name}.npz", found)
    write_text(out / RESULTS, to_json(results))
    write_text(out / "metrics.csv", metrics_csv(results))
    write_text(out / "predicates.csv", predicates_csv(results))
    write_text(out / PAGE, render_evaluation(results))
    return results


def predicate_names(request: Request) -> tuple[str, ...]:
    """Foreground predicates by the named file, or the truths, or as many numbers as the predictions have columns.

    ValueError where the predictions have another number of predicates than there are names.
    """
    truth, predictions = request.truth, request.predictions
    found = importers.predicate_columns(predictions.path, predictions.format)
    source = request.predicate_names or truth.path
    names = (
        facts.predicate_names(source) if request.predicate_names else importers.predicate_names(source, truth.format)
    )
    if names is None:
        if found is None:
            raise ValueError(f"{predictions.path}: no pair in any image, so the number of predicates is unknown; "
                             "give a file of --predicate-names")  # fmt: skip
        return tuple(f"predicate {label}" for label in range(1, found))
    if found is not None and found != len(names) + 1:
        raise ValueError(f"{predictions.path}: scores of {found - 1} predicates beside background, "
                         f"but {source} names {len(names)}; is the background column named rightly?")  # fmt: skip
    return names


def _recalls(request: Request, names: tuple[str, ...]) -> SideBySide:
    zero_shot = None if request.zero_shot is None else facts.zero_shot(request.zero_shot)
    counts = None if request.training_counts is None else facts.training_counts(request.training_counts, names)
    return SideBySide({
        name: Recall(request.task, len(names) + 1, zero_shot, counts, PROTOCOLS[name]) for name in request.protocols
    })  # fmt: skip


def _progress(images: Iterable, total: int) -> Iterable:
    return tqdm(images, desc="evaluating", total=total, unit="image", mininterval=0.5)


def _results(request: Request, names: tuple[str, ...], ranks: dict[str, Ranks], skipped: list[str]) -> dict:
    first = next(iter(ranks.values()))
    if not len(first):
        raise ValueError(f"{request.predictions.path}: no image is left; the first reason: {skipped[0]}")
    return {
        "task": request.task,
        "truth": request.truth.path.name,
        "predictions": request.predictions.path.name,
        "images": len(first),
        "relations": len(first.image),
        "names": list(names),
        "resamples": request.resamples,
        "skipped": {"entries": len(skipped), "reasons": skipped[:SHOWN_REASONS]},
        "protocols": {name: _protocol(found, request) for name, found in ranks.items()},
    }


def _protocol(ranks: Ranks, request: Request) -> dict:
    images = int(tables(ranks).sums["images"].sum())
    rules = dataclasses.asdict(ranks.protocol)
    if not images:
        raise ValueError(f"{request.truth.path}: no image with a true relation counts under {rules}")
    return {
        "rules": rules,
        "images": images,
        "metrics": summarize(ranks, request.resamples, seed=request.seed),
        "predicates": per_predicate(ranks),
    }


def metrics_csv(results: dict) -> str:
    """One line for each number: protocol, metric, value, low, high, in fractions; empty where nothing is measured."""
    lines = [
        (protocol, metric, *(_text(cell[part]) for part in ("value", "low", "high")))
        for protocol, found in results["protocols"].items()
        for metric, cell in found["metrics"].items()
    ]
    return to_csv(("protocol", "metric", "value", "low", "high"), lines)


def predicates_csv(results: dict) -> str:
    """One line for each protocol and predicate."""
    columns = list(next(iter(results["protocols"].values()))["predicates"])
    lines = [
        (protocol, label, name, *(_text(found["predicates"][column][label - 1]) for column in columns))
        for protocol, found in results["protocols"].items()
        for label, name in enumerate(results["names"], start=1)
    ]
    return to_csv(("protocol", "label", "predicate", *columns), lines)


def to_csv(head: Iterable[str], lines: Iterable[Iterable]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([head, *lines])
    return stream.getvalue()


def _text(value) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return f"{value:.6f}" if isinstance(value, float) else str(value)
