"""Values in files: of the right kind, whole, finite and in range before any other code sees them, or a DataError.

JSON's true and false are no numbers here, 1.0 is no whole number, and no whole number is beyond 64 bits.
"""

import argparse
import math
import reprlib
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from segsg.files import DataError

CORRECT = "correct it, or take the file from its source again"
LEAST, MOST = -(2**63), 2**63 - 1
KINDS = {dict: "an object", list: "a list", str: "text", int: "a whole number"}
UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode's categories of control characters, halves of characters, and breaks of lines and paragraphs"""


def shown(value: Any) -> str:
    """The beginning of a value on one line, however long or deep it is."""
    return repr(value)[:60] if isinstance(value, str) else reprlib.repr(value)


def field(path: Path, item: str, record: Any, key: str, *kinds: type) -> Any:
    """`record[key]`, of one of these types, or of any. DataError names the item."""
    if type(record) is not dict or key not in record:
        raise DataError(path, item, f"has no '{key}'", "add it, or give a file of the kind that is expected here")
    value = record[key]
    if kinds and type(value) not in kinds:
        wanted = " or ".join(KINDS[kind] for kind in kinds)
        raise DataError(path, item, f"'{key}' is {shown(value)}, not {wanted}", CORRECT)
    return value


def whole_number(path: Path, item: str, record: Any, key: str, low: int = LEAST, high: int = MOST) -> int:
    """`record[key]`, a whole number in low..high. DataError names the item."""
    value = field(path, item, record, key, int)
    if not low <= value <= high:
        limit = f"less than {low}" if value < low else f"more than {high}"
        raise DataError(path, item, f"'{key}' is {shown(value)}, {limit}", CORRECT)
    return value


def are_finite(values: Any) -> bool:
    """Whether `values` is a flat list of finite numbers."""
    try:
        return type(values) is list and {int, float}.issuperset(map(type, values)) and math.isfinite(sum(values))
    except OverflowError:
        return False


def proper_name(path: Path, item: str, value: Any) -> str:
    """`value`, a name: text without breaks, control characters and outer blanks. DataError names the item."""
    if (
        type(value) is not str
        or not value
        or value != value.strip()
        or UNPRINTABLE & set(map(unicodedata.category, value))
    ):
        rule = f"{shown(value)} is no name: text on one line, without control characters or blanks at its ends"
        raise DataError(path, item, rule, CORRECT)
    return value


def once(path: Path, kind: str, values: Iterable) -> None:
    """DataError if a value, such as an id, stands twice among those of a kind."""
    seen = set()
    for value in values:
        if value in seen:
            raise DataError(path, f"{kind} {shown(value)}", "appears more than once", "remove the copies")
        seen.add(value)


def demand(
    path: Path,
    good: Bool[np.ndarray, "rows"],
    item: Callable[[int], str],
    rule: Callable[[int], str],
    way_out: str = CORRECT,
) -> None:
    """DataError at the first row that is not good, with the number of others; `item` and `rule` are functions of it."""
    if not good.all():
        bad = np.flatnonzero(~good)
        others = f" (and {len(bad) - 1} more like it)" if len(bad) > 1 else ""
        raise DataError(path, item(int(bad[0])), rule(int(bad[0])) + others, way_out)


def at_least(least: int) -> Callable[[str], int]:
    """What turns an option into a whole number of at least `least`."""

    def number(text: str) -> int:
        if not least <= int(text) <= MOST:
            raise argparse.ArgumentTypeError(f"{text} is not a number of {least} to {MOST}")
        return int(text)

    return number
