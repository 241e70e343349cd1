"""`segsg bench NAME`: runs a script of tests/benchmarks, which measures how fast something is."""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from segsg.study.names import TASKS
from segsg.tools.evaluate import AddCommand
from segsg.values import at_least

FOLDER = Path("tests/benchmarks")
ALL = "all"
"""in place of a task: all of them"""
EVERY = {"json": {"type": Path, "metavar": "FILE", "help": "write the results there too; within the project's folder"}}
"""options of every bench"""


def counts(**numbers: int) -> dict[str, dict[str, Any]]:
    """Options that are whole numbers from 1, with what they are unless told otherwise."""
    return {
        name.replace("_", "-"): {"type": at_least(1), "default": number, "metavar": "N", "help": f"default: {number}"}
        for name, number in numbers.items()
    }


@dataclass(frozen=True)
class Bench:
    """A script of tests/benchmarks, what it measures, and its options by name without dashes."""

    script: str
    text: str
    options: dict[str, dict[str, Any]]


PHOTO_FILES = {"photos": "a folder", "annotations": "instances in COCO's layout"}
BENCHES = {
    "evaluate": Bench(
        "evaluator.py",
        "the evaluator against a plain loop, on made images",
        counts(images=1000, boxes=80, pairs=4096, predicates=51, plain_images=20)
        | {"task": {"choices": (*TASKS, ALL), "default": "sgdet", "help": "default: sgdet"}}
        | {"all-protocols": {"action": "store_true", "help": "time all protocols in one walk, no plain loop"}},
    ),
    "kernels": Bench(
        "kernels.py",
        "each kernel against its slow twin, with equal values; sizes are the paper's unless changed",
        counts(images=8, regions=20, classes=150, width=1024, hidden=512, words=300, map_channels=256, repeats=5),
    ),
    "models": Bench(
        "models.py",
        "a training step and a prediction of each model, and the detector's own time, on made images",
        counts(images=4, regions=20, repeats=5)
        | {"profile": {"default": "mini", "help": "whose widths and images; default: mini"}}
        | {"models": {"nargs": "+", "default": ["imp", "motifs", "vctree", "transformer"], "metavar": "MODEL"}}
        | {"growth": {"action": "store_true", "help": "then the first model with more regions, pairs and images"}},
    ),
    "photos": Bench(
        "photos.py",
        "a bundle for photographs: precision of boxes and masks, milliseconds and memory, on annotated photos",
        {name: {"required": True, "metavar": "PATH", "help": text} for name, text in PHOTO_FILES.items()}
        | {"bundle": {"default": "photos", "metavar": "BUNDLE", "help": "default: the shipped one"}},
    ),
    "study": Bench(
        "study.py", "how long each stage took when it last ran, and what is on disk; runs nothing", options={}
    ),
}


def add(commands, command: AddCommand) -> None:
    """Adds `segsg bench` to the command line; `command` makes the parser of a command."""
    benches = commands.add_parser("bench", help="measure how fast something is")
    benches = benches.add_subparsers(required=True, metavar="COMMAND")
    for name, bench in BENCHES.items():
        add_options(command(benches, name, partial(run, name), bench.text), name)


def add_options(command: argparse.ArgumentParser, name: str) -> None:
    """The options that the command and the script of a bench share."""
    for option, how in (BENCHES[name].options | EVERY).items():
        command.add_argument(f"--{option}", **how)


def run(name: str, options: argparse.Namespace) -> int:
    """The exit code of a bench's script. ValueError if the project has no tests."""
    script = FOLDER / BENCHES[name].script
    if not script.is_file():
        raise ValueError(f"{script}: missing; the bench runs from a checkout of the project")
    words = []
    for option in BENCHES[name].options | EVERY:
        value = getattr(options, option.replace("-", "_"))
        if value is True:
            words.append(f"--{option}")
        elif value not in (None, False):
            words += [f"--{option}", *map(str, value if isinstance(value, list) else [value])]
    return subprocess.call([sys.executable, script, *words])
