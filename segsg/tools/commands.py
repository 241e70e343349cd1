"""The evaluator's commands: `evaluate`, `compare`, `export` and `bench`.

Each imports what it runs when it runs, so that no other command waits for PyTorch.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from segsg.evaluation.protocol import PROTOCOLS
from segsg.study.names import TASKS

AddCommand = Callable[..., argparse.ArgumentParser]
MIDDLE = 50
SPLITS = ("train", "validation", "test")


def run_evaluate(options: argparse.Namespace) -> int:
    from segsg.tools.evaluate import PAGE, Request, evaluate
    from segsg.tools.walk import File

    protocols = tuple(PROTOCOLS) if options.protocol == "all" else (options.protocol,)
    request = Request(
        File(options.truth, options.truth_format),
        File(options.predictions, options.format),
        options.task,
        protocols,
        options.predicate_names,
        options.zero_shot,
        options.training_counts,
        options.lenient,
        options.resamples,
        options.seed,
    )
    results = evaluate(request, options.out)
    for name, found in results["protocols"].items():
        numbers = ", ".join(f"{metric} {100 * found['metrics'][metric]['value']:.2f}" for metric in _headline(found))
        print(f"{name} ({found['images']} images): {numbers}")
    if results["skipped"]["entries"]:
        print(f"{results['skipped']['entries']} entries left out; the first: {results['skipped']['reasons'][0]}")
    print(f"Page: {options.out / PAGE}")
    return 0


def _headline(found: dict) -> list[str]:
    return [name for name in (f"R@{MIDDLE}", f"mR@{MIDDLE}", f"zsR@{MIDDLE}") if name in found["metrics"]]


def run_compare(options: argparse.Namespace) -> int:
    from segsg.tools import compare

    for task, pair in compare.by_task(options.baseline, options.system).items():
        out = None if options.out is None else options.out / task
        print(compare.report(compare.run(*pair, options.protocol, options.resamples, options.seed, out), MIDDLE))
    return 0


def run_export(options: argparse.Namespace) -> int:
    from segsg.tools.export import export

    truth, predictions = export(options.key, options.split, options.out)
    print(f"segsg evaluate --truth {truth} --predictions {predictions} --task TASK --out DIR")
    return 0


def run_bench(options: argparse.Namespace) -> int:
    from segsg.tools import bench

    size = bench.Size(options.images, options.boxes, options.pairs, options.predicates, options.task)
    print(bench.all_protocols(size) if options.all_protocols else bench.bench(size, options.plain_images))
    return 0


def add(commands, command: AddCommand) -> None:
    """The commands of this module, made by the `command` of segsg.cli."""
    _add_evaluate(command(commands, "evaluate", run_evaluate, "measure anybody's predictions under every protocol"))
    _add_compare(command(commands, "compare", run_compare, "paired differences of two evaluations"))
    _add_export(command(commands, "export", run_export, "write an experiment's truths and predictions as JSON lines"))
    benches = commands.add_parser("bench", help="measure how fast something is")
    benches = benches.add_subparsers(required=True, metavar="COMMAND")
    _add_bench(command(benches, "evaluate", run_bench, "the evaluator against a plain loop, on made images"))


def _path(text: str) -> Path:
    """Relative to where the user is, before the command moves to the project."""
    return Path(text).expanduser().absolute()


def _draws(command: argparse.ArgumentParser) -> None:
    command.add_argument("--resamples", type=_positive, default=1000, metavar="N", help="of the bootstrap (1000)")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of the bootstrap (0)")


def _positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return int(text)


def _add_evaluate(command: argparse.ArgumentParser) -> None:
    command.add_argument("--truth", type=_path, required=True, metavar="FILE", help="in any format of docs/formats.md")
    command.add_argument("--predictions", type=_path, required=True, metavar="FILE", help="the same formats")
    command.add_argument("--task", choices=tuple(TASKS), required=True)
    command.add_argument("--out", type=_path, required=True, metavar="DIR", help="for the page, JSON, CSV and ranks")
    command.add_argument("--protocol", choices=(*PROTOCOLS, "all"), default="all")
    command.add_argument("--format", metavar="NAME", help="of the predictions, whatever the ending")
    command.add_argument("--truth-format", metavar="NAME", help="of the truths, whatever the ending")
    command.add_argument("--predicate-names", type=_path, metavar="FILE", help="one a line, JSON, VG-SGG-dicts.json")
    command.add_argument(
        "--zero-shot", type=_path, metavar="FILE", help="triplets that training lacks; without: no zsR"
    )
    command.add_argument("--training-counts", type=_path, metavar="FILE", help="per predicate; for head, body, tail")
    command.add_argument("--lenient", action="store_true", help="leave out what breaks a rule, and count it")
    _draws(command)


def _add_compare(command: argparse.ArgumentParser) -> None:
    for name, text in (("baseline", "A"), ("system", "B")):
        command.add_argument(
            name,
            type=_path,
            metavar=text,
            help="folder of an evaluation, its file of ranks, or a folder of predcls, sgcls, sgdet",
        )
    command.add_argument("--protocol", choices=tuple(PROTOCOLS), default="default", help="of `evaluate` folders")
    command.add_argument("--out", type=_path, metavar="DIR", help="for JSON and CSV")
    _draws(command)


def _add_export(command: argparse.ArgumentParser) -> None:
    command.add_argument("key", help="an experiment of params.yaml")
    command.add_argument("--split", choices=SPLITS, default="test")
    command.add_argument("--out", type=_path, required=True, metavar="DIR")


def _add_bench(command: argparse.ArgumentParser) -> None:
    for name, number in (("images", 1000), ("boxes", 80), ("pairs", 4096), ("predicates", 51), ("plain-images", 20)):
        command.add_argument(f"--{name}", type=_positive, default=number, metavar="N", help=f"default: {number}")
    command.add_argument("--task", choices=tuple(TASKS), default="sgdet")
    command.add_argument("--all-protocols", action="store_true", help="time all protocols in one walk, no plain loop")
