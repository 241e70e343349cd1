"""Cases about the harness itself: each must come out as what it is."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import made
from harness import Case


def cases() -> Iterator[Case]:
    """All cases of this module."""

    def case(name: str, act: Callable[[Path], Any], expect: str, **more: Any) -> Case:
        return Case(f"harness/{name}", lambda folder: made.write(folder / "in.txt", "x"), act, expect, "in.txt", **more)

    yield case("a reader that refuses", lambda folder: _fail(ValueError("in.txt: broken")), "clear")
    yield case("a reader that names no file", lambda folder: _fail(ValueError("broken")), "unclear")
    yield case("a reader of two lines", lambda folder: _fail(ValueError("in.txt:\nbroken")), "unclear")
    yield case("a reader that writes and refuses", _write_and_fail, "unclear")
    yield case("a reader that takes anything", lambda folder: None, "silent")
    yield case("a reader that fails", lambda folder: _fail(KeyError("in.txt")), "traceback")
    yield case("a command that refuses", lambda folder: print("in.txt: broken", file=sys.stderr) or 1, "clear")
    yield case(
        "a command of two lines", lambda folder: print("in.txt: broken\nand more", file=sys.stderr) or 1, "unclear"
    )
    yield case("a command that ends in silence", lambda folder: 1, "unclear")
    yield case("a process that dies", lambda folder: os.abort(), "traceback")
    yield case("an endless loop", lambda folder: time.sleep(99), "hang", most_seconds=0.5)
    yield case("3 GB at once", lambda folder: bytearray(3 << 30), "over memory")
    broken = Case(
        "harness/a case that cannot be built", lambda folder: _fail(OSError("no")), lambda folder: None, "broken"
    )
    yield broken
    yield Case(
        "harness/another value",
        lambda folder: None,
        lambda folder: "three",
        "wrong",
        holds=lambda outcome: outcome.value == "four",
    )


def _fail(error: Exception) -> None:
    raise error


def _write_and_fail(folder: Path) -> None:
    made.write(folder / "out.txt", "half")
    raise ValueError("in.txt: broken")
