"""Collect the numbers of a profile: `python -m segsg.pipeline.results runs/PROFILE reports/PROFILE/results.json`.

Rows come from params.yaml, so folders that older rows left behind are not read.
"""

import argparse
import dataclasses
import json
import math
from pathlib import Path

from segsg.params import PARAMS_FILE, Params, load
from segsg.pipeline.comparisons import add_comparisons
from segsg.pipeline.project import write_text

METRICS_FILE = "metrics.json"
TRANSFER = "transfer"
"""folder of what is measured of transferred masks"""


def write_metrics(folder: Path | str, metrics: dict) -> None:
    """Write what a stage measured to `folder`/metrics.json."""
    write_text(Path(folder) / METRICS_FILE, to_json(metrics))


def read_metrics(folder: Path) -> dict:
    """ValueError if the stage that writes it has not run."""
    path = folder / METRICS_FILE
    if not path.is_file():
        raise ValueError(f"{path}: missing; run its stage with `dvc repro {folder.parent.name}@{folder.name}`")
    return json.loads(path.read_text(encoding="utf-8"))


def collect(params: Params, runs: Path) -> dict:
    """{"profile", "grounding", "experiments": {key: row | measured}, "detectors": {key: row | measured}}, in fractions.

    Experiments also say how they compare with others; see `segsg.pipeline.comparisons`.
    """
    results = {
        "profile": params.profile,
        "grounding": dataclasses.asdict(params.grounding),
        "experiments": _with_metrics(params.experiments, runs / "evaluation"),
        "detectors": _with_metrics(params.detectors, runs / "detection"),
    }
    add_comparisons(results, runs / "evaluation", params.evaluation, params.seed)
    return results | _whole_study(runs / TRANSFER)


def _whole_study(folder: Path) -> dict:
    """What is measured once for all rows: `transfer_quality`, `copied_classes`, `mask_classes`; nothing without it."""
    return read_metrics(folder) if (folder / METRICS_FILE).is_file() else {}


def _with_metrics(rows: dict, folder: Path) -> dict:
    return {key: dataclasses.asdict(row) | read_metrics(folder / key) for key, row in rows.items()}


def to_json(value: dict) -> str:
    """Text that is equal for equal values; what could not be measured (NaN) is null, since JSON has no NaN."""
    return json.dumps(_without_nan(value), indent=1, sort_keys=True, allow_nan=False) + "\n"


def _without_nan(value):
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    write_text(arguments.out, to_json(collect(load(PARAMS_FILE), arguments.runs)))
