"""`segsg compare`: two systems on the same images, number by number."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from segsg.evaluation.protocol import PROTOCOLS
from segsg.files import METRICS_FILE, Claim, read_json, to_json, user_path, write_text
from segsg.study.names import TASKS
from segsg.tools.evaluate import METRICS, MIDDLE, PREDICATES, RANKS, RESULTS, AddCommand, add_draws, write_csv
from segsg.values import field

if TYPE_CHECKING:
    from segsg.evaluation.bootstrap import Difference
    from segsg.evaluation.ranks import Ranks

COMPARED = "compare.json"
FILES = (COMPARED, METRICS, PREDICATES)
PARTS = ("baseline", "system", "difference", "low", "high", "p")
HEAD = f"{'metric':<18}{'A':>8}{'B':>8}{'B - A':>8}   {'95 % interval':<18}{'p':>7}"


def add(commands, command: AddCommand) -> None:
    """Adds `segsg compare` to the command line; `command` makes the parser of a command."""
    parser = command(commands, "compare", run, "paired differences of two evaluations")
    kinds = "folder of an evaluation, its file of ranks, or a folder of predcls, sgcls, sgdet"
    parser.add_argument("baseline", type=user_path, metavar="A", help=kinds)
    parser.add_argument("system", type=user_path, metavar="B", help=kinds)
    parser.add_argument("--protocol", choices=tuple(PROTOCOLS), default="default", help="of `evaluate` folders")
    parser.add_argument("--out", type=user_path, metavar="DIR", help="for JSON and CSV")
    add_draws(parser)


def run(options: argparse.Namespace) -> int:
    """Compares task by task where both folders have tasks, and prints every number."""
    first, second = options.baseline, options.system
    tasks = [task for task in TASKS if (first / task).is_dir() and (second / task).is_dir()] or [""]
    claims = {task: Claim(options.out / task, "compare", FILES) for task in tasks if options.out is not None}
    compared = {task: compare(first / task, second / task, options) for task in tasks}
    for task, results in compared.items():
        if task in claims:
            claims[task].begin()
            write(results, options.out / task)
        print(report(results, MIDDLE))
    return 0


def compare(baseline: Path, system: Path, options: argparse.Namespace) -> dict:
    """Paired differences `system` - `baseline`. ValueError for evaluations of two tasks."""
    from segsg.evaluation import bootstrap

    one, other = _task(baseline), _task(system)
    if one and other and one != other:
        raise ValueError(f"{baseline} is {one}, {system} is {other}; compare what was measured alike")
    first, second = (find(path, options.protocol) for path in (baseline, system))
    names = _names(baseline, first) or _names(system, second) or [f"predicate {i}" for i in range(1, first.predicates)]
    return {
        "baseline": str(baseline),
        "system": str(system),
        "images": len(first),
        "metrics": bootstrap.compare(first, second, options.resamples, seed=options.seed),
        "names": names,
        "predicates": bootstrap.compare_predicates(first, second, options.resamples, seed=options.seed),
    }


def find(path: Path, protocol: str) -> "Ranks":
    """Ranks from their file, an output folder of `segsg evaluate`, or an evaluation of the study.

    ValueError if the folder has no ranks (under this protocol).
    """
    from segsg.evaluation.ranks import load

    for candidate in (path, path / RANKS / f"{protocol}.npz", path / "ranks.npz"):
        if candidate.is_file():
            return load(candidate)
    raise ValueError(f"{path}: neither a file of ranks nor a folder with {RANKS}/{protocol}.npz or ranks.npz in it")


def _task(folder: Path) -> str | None:
    """The task that results.json names, where the folder is one of `segsg evaluate`."""
    path = folder / RESULTS
    return field(path, "file", read_json(path), "task", str) if os.path.lexists(path) else None


def _names(folder: Path, ranks: "Ranks") -> tuple[str, ...] | None:
    """Predicates of an evaluation, where it wrote their names. ValueError for more or fewer than its ranks know."""
    from segsg.formats.fields import names_of

    if os.path.lexists(path := folder / RESULTS):
        listed = read_json(path)
    elif os.path.lexists(path := folder / METRICS_FILE):
        listed = field(path, "file", read_json(path), "predicates", dict)
    else:
        return None
    names = names_of(field(path, "file", listed, "names", list), path)
    if len(names) != ranks.predicates - 1:
        rule = f"{len(names)} names for {ranks.predicates - 1} predicates of the ranks beside it"
        raise ValueError(f"{path}: {rule}; evaluate the predictions again")
    return names


def write(results: dict, out: Path) -> None:
    """compare.json, metrics.csv and predicates.csv."""
    metrics = [(name, *cell.values()) for name, cell in results["metrics"].items()]
    predicates = [
        (metric, label, name, *(cell or dict.fromkeys(PARTS)).values())
        for metric, column in results["predicates"].items()
        for label, (name, cell) in enumerate(zip(results["names"], column, strict=True), start=1)
    ]
    write_text(out / COMPARED, to_json(results))
    write_csv(out / METRICS, ("metric", *PARTS), metrics)
    write_csv(out / PREDICATES, ("metric", "label", "predicate", *PARTS), predicates)


def report(results: dict, depth: int) -> str:
    """What the command prints: every metric, and recall at one K of every predicate; per cent."""
    title = f"{results['images']} images, {results['system']} - {results['baseline']}; per cent"
    lines = [title, HEAD, *(_line(name, cell) for name, cell in results["metrics"].items())]
    lines += ["", f"R@{depth} of each predicate (p-values not adjusted for their number)"]
    column = zip(results["names"], results["predicates"][f"R@{depth}"], strict=True)
    return "\n".join(lines + [_line(name, cell) for name, cell in column if cell])


def _line(name: str, cell: "Difference") -> str:
    first, second, difference, low, high = (100 * cell[part] for part in PARTS[:-1])
    bounds = f"[{low:+.2f}, {high:+.2f}]"
    return f"{name:<18}{first:8.2f}{second:8.2f}{difference:+8.2f}   {bounds:<18}{cell['p']:7.3f}"
