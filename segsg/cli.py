"""The command `segsg`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from segsg.photos import predict as photo_commands
from segsg.pipeline import checks, cleaning, outside, project, repro, smoke, trial
from segsg.study import profile
from segsg.study.params import PARAMS_FILE, load
from segsg.tools import commands as evaluator
from segsg.tools import transfer as own_labels

Command = Callable[[argparse.Namespace], int]


def use_profile(options: argparse.Namespace) -> int:
    profile.use(options.name, options.set)
    print(f"{PARAMS_FILE} now describes the study '{options.name}'.")
    return 0


def list_profiles(options: argparse.Namespace) -> int:
    print(*profile.names(), sep="\n")
    return 0


def reproduce(options: argparse.Namespace) -> int:
    outside.check_files(load())
    print(f"Report: {repro.reproduce(options.jobs)}")
    return 0


def run_smoke(options: argparse.Namespace) -> int:
    return smoke.smoke(options.jobs)


def run_trial(options: argparse.Namespace) -> int:
    files = trial.paths(options.graphs, options.masks, options.word_vectors)
    return trial.trial(files, options.images, options.set, options.jobs)


def check(options: argparse.Namespace) -> int:
    found = checks.problems()
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


def clean(options: argparse.Namespace) -> int:
    cleaning.clean(checks.NOTEBOOKS, checks.NOTEBOOKS)
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="segsg", description="Segmentation-grounded scene graph generation: the study.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_profile(commands)
    _with_jobs(_command(commands, "repro", reproduce, "bring the study up to date and print where its report is"))
    _with_jobs(_command(commands, "smoke", run_smoke, "run the whole pipeline on a few images, in a temporary copy"))
    _add_trial(commands)
    evaluator.add(commands, _command)
    photo_commands.add_bundle(commands, _command)
    photo_commands.add_predict(commands, _anywhere)
    own_labels.add(commands, _command)
    _command(commands, "check", check, "notebooks, environment.yml and params.yaml are as they should be")
    _command(commands, "clean", clean, "remove outputs and ids from the notebooks")
    return top


def _command(commands, name: str, function: Command, text: str) -> argparse.ArgumentParser:
    """A command that runs in the project's folder."""

    def in_project(options: argparse.Namespace) -> int:
        project.enter()
        return function(options)

    return _anywhere(commands, name, in_project, text)


def _anywhere(commands, name: str, function: Command, text: str) -> argparse.ArgumentParser:
    """A command that needs no project."""
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(function=function)
    return command


def _with_jobs(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    command.add_argument("--jobs", type=int, default=2, metavar="N", help="stages at a time (default: 2)")
    return command


def _with_overrides(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    command.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="change one parameter")
    return command


def _add_profile(commands) -> None:
    profiles = commands.add_parser("profile", help="choose the study that params.yaml describes")
    profiles = profiles.add_subparsers(required=True, metavar="COMMAND")
    _command(profiles, "list", list_profiles, "names of the profiles")
    use = _with_overrides(_command(profiles, "use", use_profile, "write params.yaml from a profile"))
    use.add_argument("name", help="a file of profiles/ without its ending")


def _add_trial(commands) -> None:
    text = "try the paper's networks for a step or two on your own photos"
    command = _with_overrides(_with_jobs(_command(commands, "trial", run_trial, text)))
    command.add_argument("--graphs", type=_path, required=True, metavar="DIR", help="scene graphs in VG's layout")
    command.add_argument("--masks", type=_path, required=True, metavar="DIR", help="masks in COCO's layout")
    command.add_argument("--word-vectors", type=_path, required=True, metavar="FILE", help="GloVe text file")
    command.add_argument("--images", type=int, metavar="N", help="only N images of each split (default: all)")


def _path(text: str) -> Path:
    """Relative to where the user is, before the command moves to the project."""
    return Path(text).expanduser().absolute()


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        return options.function(options)
    except (ValueError, repro.StageFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
