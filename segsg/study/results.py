"""What a stage measured, as a metrics.json in its folder."""

import json
from pathlib import Path

from segsg.files import to_json, write_text

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
