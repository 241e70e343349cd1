"""Truths and predictions of any program, from any of the formats of docs/formats.md, image after image."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from segsg.evaluation.records import Truth
from segsg.formats import arrays as columns
from segsg.formats import benchmark as benchmark_file
from segsg.formats import lines
from segsg.formats import psg as panoptic
from segsg.structures import ImageGraph

FORMATS: dict[str, ModuleType] = {
    "lines": lines,
    "arrays": columns,
    "scene-graph-benchmark": benchmark_file,
    "psg": panoptic,
}
"""each has `names` and `truths` of a truth file, `predicates` and `graphs` of a prediction file"""
ENDINGS = {
    ".jsonl": "lines",
    ".jsonl.gz": "lines",
    ".npz": "arrays",
    ".pytorch": "scene-graph-benchmark",
    ".pth": "scene-graph-benchmark",
    ".pt": "scene-graph-benchmark",
    ".json": "psg",
}


def format_of(path: Path, name: str | None = None) -> ModuleType:
    """The reader of a file, by the name of its format or else by its ending. Raises ValueError for neither."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    if name is None:
        name = next((kind for ending, kind in ENDINGS.items() if path.name.endswith(ending)), None)
    if name not in FORMATS:
        raise ValueError(
            f"{path}: the name must end in {', '.join(ENDINGS)}; otherwise name the format: {', '.join(FORMATS)}"
        )
    return FORMATS[name]


def predicate_names(path: Path, name: str | None = None) -> tuple[str, ...] | None:
    """Foreground predicates that a file of truths lists, label 1 first; None if it lists none."""
    return format_of(path, name).names(path)


def predicate_columns(path: Path, name: str | None = None) -> int | None:
    """Number of predicates of a file of predictions, background included; None if it does not say."""
    return format_of(path, name).predicates(path)


def truths(path: Path, name: str | None = None) -> Iterator[Callable[[], Truth]]:
    """The images of a file, each parsed when called.

    Raises ValueError, at once for a file and when called for an image, that names file, place and rule.
    """
    return format_of(path, name).truths(path)


def graphs(path: Path, predicates: int, name: str | None = None) -> Iterator[Callable[[], ImageGraph]]:
    """The same for predictions; `predicates` counts background."""
    return format_of(path, name).graphs(path, predicates)


def read_truths(path: Path) -> Iterator[Truth]:
    """Truths in the order of the file. Raises ValueError that names file, place and rule."""
    return (parse() for parse in truths(path))


def read_graphs(path: Path, predicates: int) -> Iterator[ImageGraph]:
    """Predicted graphs in the order of the file; `predicates` counts background.

    Raises ValueError that names file, place and rule.
    """
    return (parse() for parse in graphs(path, predicates))
