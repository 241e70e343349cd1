"""What a stage measured, as a metrics.json in its folder."""

import json
import math
from pathlib import Path

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


def to_json(value: dict) -> str:
    """Text that is equal for equal values; what could not be measured (NaN) is null, since JSON has no NaN."""
    return json.dumps(_without_nan(value), indent=1, sort_keys=True, allow_nan=False) + "\n"


def _without_nan(value):
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
