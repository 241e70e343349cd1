"""Which experiment of a study becomes its bundle when nobody says so."""

import json
from pathlib import Path

from segsg.report.choice import METRIC
from segsg.study.params import Params, grounding_of


def best_experiment(params: Params) -> str:
    """The seg-grounded SGDet experiment with the highest mean recall on validation images, the first of equal ones.

    Controls, the oracle and what knows how the world is drawn are no candidates. ValueError if none is evaluated.
    """
    values = {key: _validation(params, key) for key in _candidates(params)}
    known = {key: value for key, value in values.items() if value is not None}
    if not known:
        rule = "no seg-grounded sgdet experiment has validation numbers"
        raise ValueError(f"profile {params.profile}: {rule}; run `segsg repro`, or name one: `segsg bundle KEY`")
    return max(known, key=lambda key: known[key])


def measured(params: Params, key: str) -> dict:
    """What the evaluation stage wrote about an experiment; empty if it was not evaluated."""
    path = Path("runs") / params.profile / "evaluation" / key / "metrics.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _validation(params: Params, key: str) -> float | None:
    found = measured(params, key).get("validation")
    return found["metrics"][METRIC]["value"] if found else None


def _candidates(params: Params) -> list[str]:
    return [
        key
        for key, row in params.experiments.items()
        if row.method == "seg-grounded"
        and row.task == "sgdet"
        and not params.detectors[row.detector].disjoint
        and (wanted := grounding_of(params, row)).masks == "transferred"
        and wanted.transfer != "oracle"
    ]
