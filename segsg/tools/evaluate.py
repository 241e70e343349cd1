"""`segsg evaluate`: anybody's predictions under every protocol, as ranks, JSON, CSV and a page.

What needs PyTorch is imported when the command runs: it takes seconds, and no other command needs it.
"""

import argparse
import dataclasses
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from segsg.evaluation.protocol import PROTOCOLS, Protocol
from segsg.files import Claim, to_json, user_path, write_text
from segsg.report.table import inert
from segsg.study.names import TASKS
from segsg.tools.concerns import Concerns
from segsg.tools.evaluation_page import page
from segsg.values import at_least

if TYPE_CHECKING:
    from segsg.evaluation.ranks import Ranks, SideBySide
    from segsg.evaluation.records import Truth
    from segsg.formats.fields import File

AddCommand = Callable[..., argparse.ArgumentParser]
RESULTS, RANKS, PAGE = "results.json", "ranks", "index.html"
METRICS, PREDICATES = "metrics.csv", "predicates.csv"
FILES = (RESULTS, METRICS, PREDICATES, PAGE)
"""what an evaluation writes beside ranks"""
MIDDLE = 50
"""the K of what a terminal shows"""
HEADLINE = (f"R@{MIDDLE}", f"mR@{MIDDLE}", f"zsR@{MIDDLE}")
SHOWN_REASONS = 20


def add(commands, command: AddCommand) -> None:
    """Adds `segsg evaluate` to the command line; `command` makes the parser of a command."""
    parser = command(commands, "evaluate", run, "measure anybody's predictions under every protocol")
    parser.add_argument(
        "--truth", type=user_path, required=True, metavar="FILE", help="in any format of docs/formats.md"
    )
    parser.add_argument("--predictions", type=user_path, required=True, metavar="FILE", help="the same formats")
    parser.add_argument("--task", choices=tuple(TASKS), required=True)
    results = "for the page, JSON, CSV and ranks (evaluation)"
    parser.add_argument("--out", type=user_path, default=user_path("evaluation"), metavar="DIR", help=results)
    parser.add_argument("--protocol", choices=(*PROTOCOLS, "all"), default="all")
    parser.add_argument("--format", metavar="NAME", help="of the predictions, whatever the ending")
    parser.add_argument("--truth-format", metavar="NAME", help="of the truths, whatever the ending")
    parser.add_argument("--predicate-names", type=user_path, metavar="FILE", help="one a line, JSON, VG-SGG-dicts.json")
    parser.add_argument(
        "--zero-shot", type=user_path, metavar="FILE", help="triplets that training lacks; without: no zsR"
    )
    parser.add_argument("--training-counts", type=user_path, metavar="FILE", help="per predicate; for head, body, tail")
    parser.add_argument("--lenient", action="store_true", help="leave out what breaks a rule, and count it")
    add_draws(parser)


def add_draws(command: argparse.ArgumentParser) -> None:
    """The options of the bootstrap."""
    command.add_argument("--resamples", type=at_least(1), default=1000, metavar="N", help="of the bootstrap (1000)")
    command.add_argument("--seed", type=at_least(0), default=0, metavar="N", help="of the bootstrap (0)")


def run(options: argparse.Namespace) -> int:
    """Evaluates, and prints the main numbers and where the page is."""
    request = Request(**{part.name: getattr(options, part.name) for part in dataclasses.fields(Request)})
    results = evaluate(request, options.out)
    for protocol, measured in results["protocols"].items():
        metrics = measured["metrics"]
        numbers = ", ".join(f"{name} {100 * metrics[name]['value']:.2f}" for name in HEADLINE if name in metrics)
        print(f"{protocol} ({measured['images']} images): {numbers}")
    for concern in results["concerns"]:
        print(f"Look at this: {concern}", file=sys.stderr)
    if results["skipped"]["entries"]:
        print(f"{results['skipped']['entries']} entries left out; the first: {results['skipped']['reasons'][0]}")
    print(f"Page: {options.out / PAGE}")
    return 0


@dataclass(frozen=True, kw_only=True)
class Request:
    """Everything that `segsg evaluate` may be told; its options explain themselves in `add`."""

    truth: Path
    predictions: Path
    task: str
    protocol: str = "all"
    format: str | None = None
    truth_format: str | None = None
    predicate_names: Path | None = None
    zero_shot: Path | None = None
    training_counts: Path | None = None
    lenient: bool = False
    resamples: int = 1000
    seed: int = 0


@dataclass
class Skipped:
    """Handles images that break a rule: the first one ends the evaluation, or, with `lenient`, all are left out."""

    lenient: bool
    reasons: list[str] = field(default_factory=list)

    @contextmanager
    def image(self) -> Iterator[None]:
        """The work on one image."""
        try:
            yield
        except ValueError as error:
            if not self.lenient:
                raise
            self.reasons.append(str(error))


def evaluate(request: Request, out: Path) -> dict:
    """Writes all files to `out` and returns the content of results.json. ValueError names file, image and rule."""
    from segsg.evaluation.ranks import save
    from segsg.formats.importers import open_file

    protocols = PROTOCOLS if request.protocol == "all" else {request.protocol: PROTOCOLS[request.protocol]}
    claim = Claim(out, "evaluate", (*FILES, *(f"{RANKS}/{name}.npz" for name in protocols)))
    truth, predictions = open_file(request.truth, request.truth_format), open_file(request.predictions, request.format)
    names, skipped = _predicate_names(truth, predictions, request.predicate_names), Skipped(request.lenient)
    recalls = _recalls(request, names, protocols)
    concerns = _walk(_truths(truth, len(names) + 1, skipped), predictions, recalls, skipped)
    ranks = recalls.ranks()
    results = _results(request, names, ranks, skipped.reasons)
    results["concerns"] = concerns.listed(request.task, next(iter(ranks.values())))
    shown = page(results)
    claim.begin()
    for name, measured in ranks.items():
        save(out / RANKS / f"{name}.npz", measured)
    write_text(out / RESULTS, to_json(results))
    _write_tables(results, out)
    write_text(out / PAGE, shown)
    return results


def _predicate_names(truth: "File", predictions: "File", listed: Path | None) -> tuple[str, ...]:
    """Foreground predicates by a list of them, or the truths, or as many numbers as the predictions have columns.

    ValueError where the predictions have another number of predicates than there are names.
    """
    from segsg.formats import sidecars

    columns = predictions.predicate_columns()
    names = sidecars.predicate_names(listed) if listed else truth.predicate_names()
    if names is None:
        if columns is None:
            rule = "no pair in any image, so the number of predicates is unknown; give a file of --predicate-names"
            raise ValueError(f"{predictions.path}: {rule}")
        return tuple(f"predicate {label}" for label in range(1, columns))
    if columns not in (None, len(names) + 1):
        raise ValueError(
            f"{predictions.path}: scores of {columns - 1} predicates beside background, but {listed or truth.path} "
            f"names {len(names)}; is the background column named rightly?"
        )
    return names


def _recalls(request: Request, names: tuple[str, ...], protocols: Mapping[str, Protocol]) -> "SideBySide":
    from segsg.evaluation.ranks import Recall, SideBySide
    from segsg.formats import sidecars

    zero_shot = request.zero_shot and sidecars.zero_shot(request.zero_shot)
    counts = request.training_counts and sidecars.training_counts(request.training_counts, names)
    return SideBySide({
        name: Recall(request.task, len(names) + 1, zero_shot, counts, rules) for name, rules in protocols.items()
    })  # fmt: skip


def _truths(file: "File", predicates: int, skipped: Skipped) -> dict[int, "Truth"]:
    """Every usable truth by the id of its image, checked."""
    from segsg.evaluation.records import check_truth

    truths = {}
    for parse in file.truths():
        with skipped.image():
            truth = parse()
            with _file_named(file.path):
                if truth.image_id in truths:
                    raise ValueError(f"image {truth.image_id}: listed twice; keep one")
                truths[truth.image_id] = check_truth(truth, truth.image_id, predicates)
    if not truths:
        raise ValueError(f"{file.path}: no usable image in it")
    return truths


@contextmanager
def _file_named(path: Path) -> Iterator[None]:
    """For a check that knows the image but not the file."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _walk(truths: dict[int, "Truth"], predictions: "File", recalls: "SideBySide", skipped: Skipped) -> Concerns:
    """Adds every prediction to `recalls`, in the order of the file, with the truth of the same image."""
    concerns = Concerns()
    missing, parses = dict.fromkeys(truths), predictions.graphs(recalls.predicates)
    for parse in tqdm(parses, desc="evaluating", total=len(truths), unit="image", mininterval=0.5):
        with skipped.image():
            graph = parse()
            with _file_named(predictions.path):
                if graph.image_id not in truths:
                    raise ValueError(f"image {graph.image_id}: no (usable) truth of it; leave it out")
                if graph.image_id not in missing:
                    raise ValueError(f"image {graph.image_id}: predicted twice; keep one")
                del missing[graph.image_id]
                recalls.add(truths[graph.image_id], graph)
                concerns.add(truths[graph.image_id], graph, recalls.task)
    for image_id in missing:
        with skipped.image(), _file_named(predictions.path):
            raise ValueError(f"image {image_id}: no prediction; list every image, without pairs if none was found")
    return concerns


def _results(request: Request, names: tuple[str, ...], ranks: dict[str, "Ranks"], skipped: list[str]) -> dict:
    first = next(iter(ranks.values()))
    if not len(first):
        raise ValueError(f"{request.predictions}: no image is left; the first reason: {skipped[0]}")
    return {
        "task": request.task,
        "truth": request.truth.name,
        "predictions": request.predictions.name,
        "images": len(first),
        "relations": len(first.image),
        "names": list(names),
        "resamples": request.resamples,
        "skipped": {"entries": len(skipped), "reasons": skipped[:SHOWN_REASONS]},
        "protocols": {name: _measured(measured, request) for name, measured in ranks.items()},
    }


def _measured(ranks: "Ranks", request: Request) -> dict:
    """What results.json has under one protocol."""
    from segsg.evaluation.bootstrap import summarize
    from segsg.evaluation.metrics import per_predicate, tables

    images = int(tables(ranks).sums["images"].sum())
    rules = dataclasses.asdict(ranks.protocol)
    if not images:
        raise ValueError(f"{request.truth}: no image with a true relation counts under {rules}")
    return {
        "rules": rules,
        "images": images,
        "metrics": summarize(ranks, request.resamples, seed=request.seed),
        "predicates": per_predicate(ranks),
    }


def _write_tables(results: dict, out: Path) -> None:
    """metrics.csv, a line for each number, and predicates.csv, one for each protocol and predicate."""
    protocols, parts = results["protocols"], ("value", "low", "high")
    columns = list(next(iter(protocols.values()))["predicates"])
    metrics = [
        (protocol, metric, *(cell[part] for part in parts))
        for protocol, measured in protocols.items()
        for metric, cell in measured["metrics"].items()
    ]
    predicates = [
        (protocol, label, name, *(measured["predicates"][column][label - 1] for column in columns))
        for protocol, measured in protocols.items()
        for label, name in enumerate(results["names"], start=1)
    ]
    write_csv(out / METRICS, ("protocol", "metric", *parts), metrics)
    write_csv(out / PREDICATES, ("protocol", "label", "predicate", *columns), predicates)


def write_csv(path: Path, head: Iterable[str], lines: Iterable[tuple], digits: str = "%.6f") -> None:
    """A table whose real numbers have so many digits; what is None or NaN stays empty.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    import pandas

    table = pandas.DataFrame([map(inert, line) for line in lines], columns=[inert(name) for name in head])
    write_text(path, table.to_csv(index=False, float_format=digits, lineterminator="\n"))
