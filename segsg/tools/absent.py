"""Stands in for segsg.photos where its packages are not installed: both commands say what to install."""

import argparse

from segsg.tools.evaluate import AddCommand

WAY_OUT = "pip install 'segsg[photos]' for photos and transfer, 'segsg[study]' for the study"


def add_predict(commands, command: AddCommand) -> None:
    """Adds `segsg predict`, which can't run."""
    _add(commands, command, "predict")


def add_bundle(commands, command: AddCommand) -> None:
    """Adds `segsg bundle`, which can't run."""
    _add(commands, command, "bundle")


def _add(commands, command: AddCommand, name: str) -> None:
    parser = command(commands, name, _fail, "needs packages that are not installed")
    parser.prefix_chars = "\0"  # whatever the options are, they are words
    parser.add_argument("words", nargs="*")


def _fail(options: argparse.Namespace) -> int:
    raise ModuleNotFoundError("photos", name="PyTorch")
