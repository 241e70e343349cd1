"""How long each stage took: papermill notes it in the executed notebooks."""

import json
from collections.abc import Container, Iterable
from pathlib import Path

PART = ".part"
"""ends the name of a notebook that has not run to its end"""


def durations(folders: Iterable[Path], rows: Container[str]) -> list[dict]:
    """{"stage", "row", "seconds", "ended"} of the executed notebooks in the folders, in the order of their names.

    `row` is the key of params.yaml, one of `rows`, or empty. Of two of one name the later folder's counts: a report's
    own tables rather than those of the study whose runs it shares. Stages that ran elsewhere or long ago are missing
    or old: a folder holds the last run of each on this machine. ValueError for a file that is no notebook.
    """
    paths = {path.stem: path for folder in folders for path in folder.glob("*.ipynb") if not path.stem.endswith(PART)}
    entries = [entry for _, path in sorted(paths.items()) if (entry := _entry(path))]
    return [entry for entry in entries if not entry["row"] or entry["row"] in rows]


def _entry(path: Path) -> dict | None:
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("papermill", {})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: no notebook; delete it, or run its stage again with `dvc repro --force`") from error
    if noted.get("duration") is None:
        return None
    stage, _, row = path.stem.partition("_")[2].partition("-")
    return {"stage": stage, "row": row, "seconds": round(noted["duration"], 1), "ended": noted["end_time"]}
