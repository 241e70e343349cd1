"""The command `segsg`. Modules that run something add their own commands; small ones on generated files are here."""

import argparse
import os
import sys
from collections.abc import Callable

from segsg.files import enter_project, plainly
from segsg.photos import predict
from segsg.pipeline import checks, repro, trial, verify
from segsg.pipeline.notebook import clean
from segsg.pipeline.processes import alone
from segsg.study import profile
from segsg.study.params import PARAMS_FILE
from segsg.tools import bench, check_data, compare, convert, evaluate, export, transfer

Command = Callable[[argparse.Namespace], int]
IN_PROJECT = (repro.add, trial.add, verify.add, export.add, bench.add, predict.add_bundle)
"""what adds commands that run in the project's folder"""
ANYWHERE = (evaluate.add, compare.add, transfer.add, convert.add, check_data.add, predict.add_predict)
"""what adds commands that need no project"""


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; its result has the `function` to call."""
    top = argparse.ArgumentParser(prog="segsg", description="Segmentation-grounded scene graph generation: the study.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for add in IN_PROJECT:
        add(commands, _in_project)
    _add_profile(commands)
    _in_project(commands, "check", run_check, "notebooks, environment.yml and params.yaml are as they should be")
    _in_project(commands, "clean", run_clean, "remove outputs and ids from the notebooks")
    for add in ANYWHERE:
        add(commands, _anywhere)
    return top


def _add_profile(commands) -> None:
    profiles = commands.add_parser("profile", help="choose the study that params.yaml describes")
    profiles = profiles.add_subparsers(required=True, metavar="COMMAND")
    _in_project(profiles, "list", run_list, "names of the profiles")
    use = _in_project(profiles, "use", run_use, "write params.yaml from a profile")
    use.add_argument("profile", help="a file of profiles/ without its ending")
    use.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="change one parameter")
    use.add_argument("--name", help="name of the report, for a study with changed parameters")


def run_list(options: argparse.Namespace) -> int:
    """Print the names of all profiles."""
    print(*profile.names(), sep="\n")
    return 0


def run_use(options: argparse.Namespace) -> int:
    """Write params.yaml."""
    named = [] if options.name is None else [f"report={options.name}"]
    with alone(repro.LOCK):
        profile.use(options.profile, options.set + named)
    print(f"{PARAMS_FILE.absolute()} now describes the study '{options.name or options.profile}'.")
    return 0


def run_check(options: argparse.Namespace) -> int:
    """Print what is wrong with generated files; the exit code is 1 if anything is."""
    found = checks.problems()
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


def run_clean(options: argparse.Namespace) -> int:
    """Store the notebooks without outputs."""
    clean(checks.NOTEBOOKS)
    return 0


def _in_project(commands, name: str, function: Command, text: str) -> argparse.ArgumentParser:
    """A command that runs in the project's folder."""

    def enter_and_run(options: argparse.Namespace) -> int:
        enter_project()
        return function(options)

    return _anywhere(commands, name, enter_and_run, text)


def _anywhere(commands, name: str, function: Command, text: str) -> argparse.ArgumentParser:
    """A command that needs no project."""
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(function=function, stopped="Run the same command again for a whole result.")
    return command


def main(arguments: list[str] | None = None) -> int:
    """Run a command. The exit code is its own, 1 after an error that it explains, that of the signal that stops it.

    Every failure that anybody may meet ends in one line, the last; a traceback is a fault of this program.
    """
    options = parser().parse_args(arguments)
    try:
        return options.function(options)
    except BrokenPipeError:  # whoever read the output has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except repro.StageFailed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        print(f"Stopped. {options.stopped}", file=sys.stderr)
        return getattr(stop, "code", 130)
    except Exception as error:
        if (line := plainly(error)) is None:
            raise
        print(line, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
