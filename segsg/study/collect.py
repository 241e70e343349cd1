"""Collect the numbers of a profile: `python -m segsg.study.collect runs/PROFILE reports/PROFILE/results.json`.

Rows come from params.yaml, so folders that older rows left behind are not read.
"""

import argparse
import dataclasses
from pathlib import Path

from segsg.files import to_json, write_text
from segsg.study.comparisons import add_comparisons
from segsg.study.params import PARAMS_FILE, Params, load
from segsg.study.results import METRICS_FILE, read_metrics

TRANSFER = "transfer"
"""folder of what is measured of transferred masks"""


def collect(params: Params, runs: Path) -> dict:
    """{"profile", "grounding", "experiments": {key: row | measured}, "detectors": {key: row | measured}}, in fractions.

    Experiments also say how they compare with others; see `segsg.study.comparisons`.
    """
    results = {
        "profile": params.profile,
        "grounding": dataclasses.asdict(params.grounding),
        "experiments": _with_metrics(params.experiments, runs / "evaluation"),
        "detectors": _with_metrics(params.detectors, runs / "detection"),
    }
    add_comparisons(results, runs / "evaluation", params.evaluation, params.seed)
    return results | _whole_study(runs / TRANSFER) | _whole_study(Path("data") / params.profile)


def _whole_study(folder: Path) -> dict:
    """What is measured once for all rows: of transferred masks, of a drawn world; nothing where nothing was."""
    return read_metrics(folder) if (folder / METRICS_FILE).is_file() else {}


def _with_metrics(rows: dict, folder: Path) -> dict:
    return {key: dataclasses.asdict(row) | read_metrics(folder / key) for key, row in rows.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    write_text(arguments.out, to_json(collect(load(PARAMS_FILE), arguments.runs)))
