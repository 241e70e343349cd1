"""`segsg export`: an experiment's truths and predictions in the documented format, for any evaluator."""

import argparse
import dataclasses
from pathlib import Path

from tqdm.auto import tqdm

from segsg.files import Claim, user_path
from segsg.study.keys import check_key
from segsg.study.params import PARAMS_FILE, load
from segsg.tools.evaluate import AddCommand

TRUTH, PREDICTIONS = "truth.jsonl", "predictions.jsonl.gz"
SPLITS = ("train", "validation", "test")


def add(commands, command: AddCommand) -> None:
    """Adds `segsg export` to the command line; `command` makes the parser of a command."""
    parser = command(commands, "export", run, "write an experiment's truths and predictions as JSON lines")
    parser.add_argument("key", help="an experiment; `segsg list` shows their keys")
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument(
        "--out", type=user_path, metavar="DIR", help="for both files (export/KEY in the project's folder)"
    )


def run(options: argparse.Namespace) -> int:
    """Writes both files and prints the command that evaluates them."""
    truth, predictions = export(options.key, options.split, options.out or Path("export") / options.key)
    print(f"segsg evaluate --truth {truth} --predictions {predictions} --task TASK --out DIR")
    return 0


def export(key: str, split: str, out: Path) -> tuple[Path, Path]:
    """Predicts a split with a trained experiment of params.yaml. ValueError if it is not there or not trained."""
    from segsg.formats.lines import write_graphs, write_truths
    from segsg.study import detectors, facts, measurements, scene_graphs, sets

    params, claim = load(PARAMS_FILE), Claim(out, "export", (TRUTH, PREDICTIONS))
    check_key(key, params.experiments, params.report)
    weights = scene_graphs.folder(params, key)
    if not weights.is_dir():
        raise ValueError(f"{weights}: missing; train it with `dvc repro rows@{params.group_of(key)}`")
    # Looks may have been removed to save disk; the detector itself says the same, slower.
    stored = params.cache_looks and detectors.looks_folder(params, params.experiments[key].detector).is_dir()
    params = dataclasses.replace(params, cache_looks=stored)
    truth, predictions = out / TRUTH, out / PREDICTIONS
    names, images = facts.load(params).names.predicates, len(sets.scene_graph_set(params, split))
    predicted = scene_graphs.predict(params, key, split)
    graphs = tqdm(predicted, desc=key, total=images, unit="image", mininterval=0.5)
    claim.begin()
    write_graphs(predictions, graphs)
    write_truths(truth, measurements.truths(params, split), names)
    return truth, predictions
