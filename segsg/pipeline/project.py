"""Where the project is: every path of the pipeline is relative to the folder that holds dvc.yaml."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def enter() -> Path:
    """Make the project's folder the current one, wherever a command or a notebook was started, and return it."""
    if not (ROOT / "dvc.yaml").is_file():
        raise ValueError(f"{ROOT}: no dvc.yaml; the study runs from a checkout: `make setup` there, then try again")
    os.chdir(ROOT)
    return ROOT
