"""How long each stage took: papermill notes it in the executed notebooks."""

import json
from pathlib import Path

PART = ".part"
"""ends the name of a notebook that has not run to its end"""


def durations(executed: Path) -> list[dict]:
    """{"stage", "row", "seconds", "ended"} of every executed notebook in the folder, in the order of their names.

    `row` is the key of params.yaml, or empty. Stages that ran elsewhere or long ago are missing or old: the folder
    holds the last run of each on this machine. ValueError for a file that is no notebook.
    """
    paths = [path for path in sorted(executed.glob("*.ipynb")) if not path.stem.endswith(PART)]
    return [entry for path in paths if (entry := _entry(path))]


def _entry(path: Path) -> dict | None:
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("papermill", {})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: no notebook; delete it, or run its stage again with `dvc repro --force`") from error
    if noted.get("duration") is None:
        return None
    stage, _, row = path.stem.partition("_")[2].partition("-")
    return {"stage": stage, "row": row, "seconds": round(noted["duration"], 1), "ended": noted["end_time"]}
