"""A working copy of the project, so that a smoke run or a trial leaves the user's params.yaml and dvc.lock alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from segsg.pipeline.project import ROOT

SOURCES = ("segsg", "notebooks", "profiles", "data/facts", "dvc.yaml", ".dvcignore", ".dvc/config")
"""All that the stages need."""


def create(folder: Path, project: Path = ROOT) -> Path:
    """Copy the sources of `project` to `folder`, which is emptied first, and return it."""
    if folder.exists():
        shutil.rmtree(folder)
    for name in SOURCES:
        source, target = project / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
        else:
            shutil.copyfile(source, target)
    return folder


def segsg(folder: Path, *arguments: str) -> int:
    """Run `segsg ARGUMENTS` of the copy in `folder`, which hides the installed package; returns the exit code."""
    variables = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "segsg.cli", *arguments]
    return subprocess.run(command, cwd=folder, env=variables, check=False).returncode
