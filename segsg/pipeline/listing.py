"""The command `segsg list`: the experiments of the study, by the keys that other commands take."""

import argparse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from segsg.files import METRICS_FILE, read_json, read_metrics
from segsg.study.params import Params, load

METRIC = "mR@50"


def add(commands, command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command of this module, made by the `command` of segsg.cli."""
    own = command(commands, "list", run, "list the experiments of params.yaml by key, with state and mR@50")
    own.add_argument("words", nargs="*", metavar="WORD", help="only keys with all of these words in them")


def run(options: argparse.Namespace) -> int:
    """Print the table."""
    params = load()
    lines = [line for line in listed(params) if all(word in line.key for word in options.words)]
    if not lines:
        raise ValueError(f"no key of the study {params.report} has {' and '.join(options.words)} in it")
    print(table(lines))
    print(f"\n{len(lines)} of {len(params.experiments)} experiments of the study {params.report}; mR@50 in per cent.")
    print("State: here, trained in this folder; report, measured and its weights are not here; -, not trained.")
    return 0


@dataclass(frozen=True)
class Line:
    """An experiment: its key, where it is, and its mean recall of predicates, a share; None if it was not measured."""

    key: str
    state: str
    recall: float | None


def listed(params: Params) -> list[Line]:
    """A line for each experiment, in the order of params.yaml."""
    from segsg.study.scene_graphs import folder  # PyTorch takes seconds

    report = Path("reports") / params.report / "results.json"
    reported = read_json(report)["experiments"] if report.is_file() else {}
    return [_line(key, folder(params, key), reported.get(key)) for key in params.experiments]


def _line(key: str, run: Path, reported: Mapping | None) -> Line:
    if (run / METRICS_FILE).is_file():
        return Line(key, "here", _recall(read_metrics(run)))
    return Line(key, "-", None) if reported is None else Line(key, "report", _recall(reported))


def _recall(measured: Mapping) -> float | None:
    return measured["metrics"].get(METRIC, {}).get("value")


def table(lines: Iterable[Line]) -> str:
    """The lines below their heads."""
    cells = [(line.key, line.state, "-" if line.recall is None else f"{100 * line.recall:.1f}") for line in lines]
    rows = [("key", "state", METRIC), *cells]
    width = max(len(key) for key, _, _ in rows)
    return "\n".join(f"{key:{width}}  {state:6}  {recall:>5}" for key, state, recall in rows)
