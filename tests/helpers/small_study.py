"""A study of a dozen drawn photos, for tests of what stages make."""

import shutil
from pathlib import Path

from segsg.files import ROOT
from segsg.study import profile
from segsg.study.params import Params, read_section
from segsg.study.prepare import prepare_data

WORLD = [
    "world.train=6",
    "world.validation=2",
    "world.test=4",
    "world.masks_train=4",
    "world.masks_validation=2",
    "data.validation_images=2",
]


def parameters(changes: list[str]) -> Params:
    """The profile smoke of the current folder in a small world; `changes` are section.key=value."""
    return read_section(Params, profile.resolve("smoke", [*WORLD, *changes]), "smoke")


def begin(folder: Path, monkeypatch, changes: list[str]) -> Params:
    """Enters `folder`, where the study's data are made; nothing is trained."""
    for name in ("profiles", "data/facts"):
        shutil.copytree(ROOT / name, folder / name)
    monkeypatch.chdir(folder)
    params = parameters(changes)
    prepare_data(params)
    return params
