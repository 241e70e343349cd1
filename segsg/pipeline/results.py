"""Collect the numbers of a profile: `python -m segsg.pipeline.results runs/PROFILE reports/PROFILE/results.json`.

Rows come from params.yaml, so folders that older rows left behind are not read.
"""

import argparse
import dataclasses
import json
from pathlib import Path

from segsg.params import PARAMS_FILE, Params, load
from segsg.pipeline.project import write_text

METRICS_FILE = "metrics.json"


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
    """{"profile", "experiments": {key: row | measured}, "detectors": {key: row | measured}}; fractions, not per cent."""
    experiments = {
        key: dataclasses.asdict(row) | read_metrics(runs / "evaluation" / key)
        for key, row in params.experiments.items()
    }
    detectors = {
        key: dataclasses.asdict(row) | read_metrics(runs / "detection" / key) for key, row in params.detectors.items()
    }
    return {"profile": params.profile, "experiments": experiments, "detectors": detectors}


def to_json(value: dict) -> str:
    """Text that is equal for equal values; NaN is refused, since JSON has none."""
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    write_text(arguments.out, to_json(collect(load(PARAMS_FILE), arguments.runs)))
