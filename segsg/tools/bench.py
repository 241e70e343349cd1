"""`segsg bench evaluate`: runs tests/benchmarks/evaluator.py, the evaluator against a plain loop."""

import argparse
import subprocess
import sys
from pathlib import Path

from segsg.study.names import TASKS
from segsg.tools.evaluate import AddCommand
from segsg.values import at_least

SCRIPT = Path("tests/benchmarks/evaluator.py")
NUMBERS = {"images": 1000, "boxes": 80, "pairs": 4096, "predicates": 51, "plain-images": 20}


def add(commands, command: AddCommand) -> None:
    """Adds `segsg bench` to the command line; `command` makes the parser of a command."""
    benches = commands.add_parser("bench", help="measure how fast something is")
    benches = benches.add_subparsers(required=True, metavar="COMMAND")
    add_options(command(benches, "evaluate", run, "the evaluator against a plain loop, on made images"))


def add_options(command: argparse.ArgumentParser) -> None:
    """The options that the command and the script share."""
    for name, number in NUMBERS.items():
        command.add_argument(f"--{name}", type=at_least(1), default=number, metavar="N", help=f"default: {number}")
    command.add_argument("--task", choices=tuple(TASKS), default="sgdet")
    command.add_argument("--all-protocols", action="store_true", help="time all protocols in one walk, no plain loop")


def run(options: argparse.Namespace) -> int:
    """The exit code of the script. ValueError if the project has no tests."""
    if not SCRIPT.is_file():
        raise ValueError(f"{SCRIPT}: missing; the bench runs from a checkout of the project")
    words = [f"--{name}={getattr(options, name.replace('-', '_'))}" for name in (*NUMBERS, "task")]
    return subprocess.call([sys.executable, SCRIPT, *words, *(["--all-protocols"] if options.all_protocols else [])])
