"""Rows that could not run, found when params.yaml is written and not after their detectors are trained."""

from collections.abc import Mapping

from segsg.models.registry import names
from segsg.study.params import Params

NEEDED = ("model", "detector", "task", "method")


def check_named(rows: Mapping[str, dict] | None, profile: str) -> None:
    """ValueError for a row of `grid.rows` that does not say what it is."""
    for name, row in (rows or {}).items():
        if missing := [key for key in NEEDED if key not in row]:
            raise ValueError(
                f"profile {profile}: grid.rows: {name} lacks {', '.join(missing)}; a row says {', '.join(NEEDED)}"
            )


def check_experiments(params: Params) -> None:
    """ValueError for a model that does not exist, a grounded row on a detector without masks, mirrored stored looks."""
    if params.cache_looks and params.stage2.flip:
        raise ValueError(
            "stage2.flip: a stored look cannot be mirrored; set stage2.flip: false, or cache_looks: false to ask the "
            "detector again at every step"
        )
    models = names()
    for key, row in params.experiments.items():
        if row.model not in models:
            raise ValueError(f"experiment {key}: no model '{row.model}'; there are {', '.join(models)}")
        if row.method == "seg-grounded" and not params.detectors[row.detector].joint:
            raise ValueError(
                f"experiment {key}: detector {row.detector} has no masks to ground with; "
                "write the joint one in its row, with -joint behind its name"
            )
