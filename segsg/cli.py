"""The command `segsg`. Modules that run something add their own commands; small ones on generated files are here."""

import argparse
import os
import sys
from collections.abc import Callable

import shtab

import segsg
from segsg.files import enter_project, plainly
from segsg.pipeline import checks, listing, repro, trial, verify
from segsg.pipeline.notebook import clean
from segsg.pipeline.processes import alone
from segsg.study import profile
from segsg.study.params import PARAMS_FILE
from segsg.tools import absent, bench, check_data, compare, convert, evaluate, export, transfer

try:
    from segsg.photos import predict as photos
except ModuleNotFoundError:  # installed without the extra `photos`
    photos = absent

Command = Callable[[argparse.Namespace], int]
IN_PROJECT = (repro.add, listing.add, trial.add, verify.add, export.add, bench.add, photos.add_bundle)
"""what adds commands that run in the project's folder"""
ANYWHERE = (evaluate.add, compare.add, transfer.add, convert.add, check_data.add, photos.add_predict)
"""what adds commands that need no project"""
EXAMPLES = {
    "repro": ("--jobs 2", "--dry-run"),
    "list": ("", "sgdet motifs"),
    "smoke": ("--jobs 2",),
    "trial": ("--graphs my_graphs --masks my_masks --word-vectors glove.6B.50d.txt --images 20",),
    "verify": ("", "--data"),
    "export": ("mini-motifs-fpn-sgdet-seg", "mini-motifs-fpn-sgdet-seg --split validation --out exported"),
    "bench evaluate": ("--images 100",),
    "bench kernels": ("--images 2",),
    "bench models": ("--models motifs",),
    "bench photos": ("--photos coco/val2017 --annotations coco/annotations/instances_val2017.json",),
    "bench study": ("",),
    "bundle": ("--out my_bundle", "mini-motifs-fpn-sgdet-seg --out my_bundle --samples 3"),
    "profile list": ("",),
    "profile use": ("mini", "mini --set stage2.iterations=500 --name short"),
    "check": ("",),
    "clean": ("",),
    "evaluate": (
        "--truth truth.jsonl --predictions found.jsonl.gz --task sgdet",
        "--truth eval_results.pytorch --predictions eval_results.pytorch --task predcls --out evaluation/mine",
    ),
    "compare": ("evaluation/baseline evaluation/mine", "runs_a runs_b --out compared"),
    "transfer": ("--classes names.txt", "--classes names.txt --alias hoody=jacket --out transfer"),
    "convert": (
        "--from vrd --train annotations_train.json --test annotations_test.json --classes objects.json "
        "--predicates predicates.json --photos sg_train_images sg_test_images --out vrd",
        "--from coco-relations --train train.json --test test.json --photos images --out own",
        "--from csv --boxes boxes.csv --relations relations.csv --photos images --out own",
    ),
    "check-data": ("--graphs own --masks coco --word-vectors glove.6B.50d.txt --out look", "--out look"),
    "predict": (
        "photo.jpg --out graphs",
        "photos/ --detections boxes.json --out graphs",
        "photos/ --finder torchvision:maskrcnn_resnet50_fpn_v2 --finder-weights maskrcnn.pth --out graphs",
        "photos/ --bundle bundles/mini --top 10 --out graphs",
    ),
}
"""command -> what follows it in each example of its help"""
Help = argparse.RawDescriptionHelpFormatter
EXIT = """exit codes:
  0  all went well
  1  an error, in one line; predict: a photo was skipped; check, verify: something is wrong
  2  the words of the command are wrong; predict: nothing could begin
  3  transfer: a name borrows no mask
  130, 143  stopped by Ctrl-C, by `kill`; the same command goes on or begins anew, as it says

Tab completion, once for bash: segsg --print-completion bash >> ~/.bash_completion (other shells: docs/running.md).
Start with `segsg predict bundles/photos/samples --out graphs`, or `segsg COMMAND --help`."""


def example(command: str) -> str:
    """The examples of a command, given as `segsg NAME`, for the end of its help. KeyError if it has none."""
    lines = (f"  {command} {words}".rstrip() for words in EXAMPLES[command.removeprefix("segsg ")])
    return "\n".join(("examples:", *lines))


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; its result has the `function` to call."""
    text = "Segmentation-grounded scene graphs: photos to graphs, anybody's predictions to numbers, and the study."
    top = argparse.ArgumentParser(prog="segsg", description=text, epilog=EXIT, formatter_class=Help)
    top.add_argument("--version", action="version", version=f"segsg {segsg.__version__}")
    shtab.add_argument_to(top, "--print-completion", help="print what a shell completes words with; see below")
    top.set_defaults(function=lambda options: top.print_help() or 0)
    commands = top.add_subparsers(metavar="COMMAND")
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
    command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", formatter_class=Help)
    command.epilog = example(command.prog)
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
    except ModuleNotFoundError as error:
        if str(error.name).startswith("segsg"):
            raise
        print(f"{error.name}: not installed; {absent.WAY_OUT}", file=sys.stderr)
        return 1
    except Exception as error:
        if (line := plainly(error)) is None:
            raise
        print(line, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
