"""JSON lines: one object for each image, plain or compressed (.jsonl, .jsonl.gz)."""

import gzip
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from segsg.evaluation.records import Truth
from segsg.formats.fields import Background, graph_of, names_of, truth_of
from segsg.structures import ImageGraph

Line = tuple[str, bytes]
"""where it is, for messages, and what it says"""


def _lines(path: Path) -> Iterator[Line]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        try:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield f"{path}: line {number}", line
        except (gzip.BadGzipFile, EOFError) as error:
            raise ValueError(f"{path}: cannot be unpacked ({error}); write it again") from error


def _record(where: str, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise ValueError(f"{where}: not JSON ({error}); write one object on each line") from error
    if not isinstance(record, dict):
        raise ValueError(f"{where}: not an object but {type(record).__name__}")
    return record


def _header(path: Path) -> dict[str, Any]:
    """The first line if it is about the file, not an image. Raises ValueError for a file without a line."""
    first = next(_lines(path), None)
    if first is None:
        raise ValueError(f"{path}: empty; write one object for each image")
    record = _record(*first)
    return {} if "image_id" in record else record


def _images(path: Path) -> Iterator[Line]:
    lines = _lines(path)
    if _header(path):
        next(lines)
    return lines


def names(path: Path) -> tuple[str, ...] | None:
    """Foreground predicates, where a file of truths lists them."""
    listed = _header(path).get("predicate_names")
    return None if listed is None else names_of(listed, f"{path}: predicate_names")


def truths(path: Path) -> Iterator[Callable[[], Truth]]:
    """Every image, still to be parsed."""
    for where, line in _images(path):
        yield partial(_truth, where, line)


def _truth(where: str, line: bytes) -> Truth:
    return truth_of(_record(where, line), where)


def predicates(path: Path) -> int | None:
    """Number of predicates, background included, by the first image with a pair; None if there is none."""
    background = Background.of(_header(path), str(path))
    for where, line in _images(path):
        scores = _record(where, line).get("predicate_scores")
        if isinstance(scores, list) and scores and isinstance(scores[0], list):
            return len(scores[0]) + (background.predicates is None)
    return None


def graphs(path: Path, predicates: int) -> Iterator[Callable[[], ImageGraph]]:
    """Every image, still to be parsed; `predicates` counts background."""
    background = Background.of(_header(path), str(path))
    for where, line in _images(path):
        yield partial(_graph, where, line, background, predicates)


def _graph(where: str, line: bytes, background: Background, predicates: int) -> ImageGraph:
    return graph_of(_record(where, line), background, predicates, where)
