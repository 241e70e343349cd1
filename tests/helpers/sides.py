"""What is measured, side by side: processor time and memory of ours and of its slow twin, whose values must be equal.

The machine is noisy, so both sides run in turn in one process, on one thread; times are medians of processor time.
"""

import json
import os
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("KINETO_LOG_LEVEL", "9")  # PyTorch's profiler complains of every machine without a GPU

import torch
from torch.profiler import ProfilerActivity, profile
from torch.testing import assert_close

from segsg.files import plainly, to_json, write_text
from segsg.pipeline.passport import machine
from segsg.tools.bench import add_options

Work = Callable[[], Any]


class Unequal(ValueError):
    """Two sides that must agree do not."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the table: milliseconds and MB of ours, and of what it is compared with; None where not measured."""

    name: str
    ms: float
    other_ms: float | None = None
    mb: float | None = None
    other_mb: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times longer the other takes."""
        return None if self.other_ms is None else self.other_ms / self.ms


def check_equal(name: str, ours: Any, twin: Any, share: float = 1e-4) -> None:
    """Unequal if tensors, or tuples of them, differ by more than a share of the twin's largest value, or of 1.

    Sums of many terms are as exact as the largest of them, so one bound holds for all entries of a tensor.
    """
    for one, other in zip(*((side if isinstance(side, tuple) else (side,)) for side in (ours, twin)), strict=True):
        largest = float(other.abs().max()) if other.numel() else 0.0
        try:
            assert_close(one, other, rtol=0, atol=share * max(1.0, largest))
        except AssertionError as error:
            raise Unequal(f"bench: {name}: ours and its twin differ: {' '.join(str(error).split())[:300]}") from error


def milliseconds(sides: list[Work], repeats: int) -> list[float]:
    """Median processor time of each side, which run in turn; the first turn warms up and does not count."""
    taken: list[list[float]] = [[] for _ in sides]
    for turn in range(repeats + 1):
        for work, times in zip(sides, taken, strict=True):
            began = time.process_time()
            work()
            if turn:
                times.append(1000 * (time.process_time() - began))
    return [median(times) for times in taken]


def megabytes(work: Work) -> float:
    """Most memory that tensors made by `work` fill at one time, as PyTorch's profiler sees it; the results count.

    Buffers inside of library calls do not count.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        kept = work()
    del kept
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        seen.export_chrome_trace(str(path))
        events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    changes = sorted((event["ts"], event["args"]["Bytes"]) for event in events if event["name"] == "[memory]")
    return max(accumulate((change for _, change in changes), initial=0)) / 1e6


def versus(name: str, ours: Work, twin: Work, *, repeats: int, memory: bool = False) -> Line:
    """Ours against its twin. Unequal if their results differ."""
    check_equal(name, ours(), twin())
    ms, other_ms = milliseconds([ours, twin], repeats)
    mb, other_mb = (megabytes(ours), megabytes(twin)) if memory else (None, None)
    return Line(name=name, ms=ms, other_ms=other_ms, mb=mb, other_mb=other_mb)


def table(lines: list[Line], other: str) -> str:
    """The lines as text in columns; what was not measured stays empty."""
    heads = ("", "ours ms", f"{other} ms", "ratio", "ours MB", f"{other} MB")
    rows = [heads, *((line.name, *map(_text, _cells(line))) for line in lines)]
    shown = [k for k in range(len(heads)) if k < 2 or any(row[k] for row in rows[1:])]
    widths = [max(len(row[k]) for row in rows) for k in shown]
    parts = [[row[k].rjust(w) if k else row[k].ljust(w) for k, w in zip(shown, widths, strict=True)] for row in rows]
    return "\n".join([*("  ".join(part).rstrip() for part in parts), *(line.note for line in lines if line.note)])


def _cells(line: Line) -> tuple[float | None, ...]:
    return line.ms, line.other_ms, line.ratio, line.mb, line.other_mb


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def main(name: str, measure: Callable[[Namespace], Iterable[Line]], *, other: str, title: str) -> int:
    """The whole of a script: options of the bench, its table, its file. 1 if sides differ or something is missing."""

    def show(options: Namespace) -> dict:
        lines = list(measure(options))
        print(f"{title}\n{table(lines, other)}")
        return {"machine": machine(), "lines": [asdict(line) | {"ratio": line.ratio} for line in lines]}

    return answer(name, title, show)


def answer(name: str, title: str, show: Callable[[Namespace], dict]) -> int:
    """Calls `show` with the options of a bench and writes what it returns, if asked to; 1 after an error, in a line."""
    parser = ArgumentParser(description=title)
    add_options(parser, name)
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        found = show(options)
        if options.json is not None:
            write_text(options.json, to_json({"bench": name} | found))
    except Exception as error:
        if (line := plainly(error)) is None:
            raise
        print(line, file=sys.stderr)
        return 1
    return 0
