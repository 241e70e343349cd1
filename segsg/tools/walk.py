"""One walk over the predictions of any program, with every protocol side by side."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from segsg.evaluation.recall import SideBySide
from segsg.evaluation.records import Truth, check_truth
from segsg.formats import importers
from segsg.structures import ImageGraph

Progress = Callable[[Iterable, int], Iterable]
"""shows how far a walk of so many images is"""


Note = Callable[[ValueError], None]
"""what happens to an image that breaks a rule"""


def refuse(error: ValueError) -> None:
    """The first broken rule ends the evaluation."""
    raise error


@dataclass
class Skip:
    """Images that break a rule are left out of every number, and counted."""

    reasons: list[str] = field(default_factory=list)

    def __call__(self, error: ValueError) -> None:
        self.reasons.append(str(error))


@dataclass(frozen=True)
class File:
    """A file and the name of its format; None goes by its ending."""

    path: Path
    format: str | None = None


def read_truths(file: File, predicates: int, note: Note) -> dict[int, Truth]:
    """Every usable truth by the id of its image, checked."""
    found = {}
    for parse in importers.truths(file.path, file.format):
        try:
            truth = parse()
            if truth.image_id in found:
                raise ValueError(f"{file.path}: image {truth.image_id}: listed twice; keep one")
            found[truth.image_id] = _named(file.path, check_truth, truth, truth.image_id, predicates)
        except ValueError as error:
            note(error)
    if not found:
        raise ValueError(f"{file.path}: no usable image in it")
    return found


def _named(path: Path, check: Callable, *arguments):
    """The result of a check that knows the image but not the file."""
    try:
        return check(*arguments)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def walk(truths: dict[int, Truth], predictions: File, recalls: SideBySide, note: Note, progress: Progress) -> None:
    """Add every prediction to `recalls`, in the order of the file, with the truth of the same image.

    An image without prediction, a prediction without truth and one that breaks a rule are given to `note`.
    """
    seen: set[int] = set()
    for parse in progress(importers.graphs(predictions.path, recalls.predicates, predictions.format), len(truths)):
        try:
            _add(parse(), truths, predictions.path, recalls, seen)
        except ValueError as error:
            note(error)
    for error in _missing(truths, seen, predictions.path):
        note(error)


def _add(graph: ImageGraph, truths: dict[int, Truth], path: Path, recalls: SideBySide, seen: set[int]) -> None:
    if graph.image_id not in truths:
        raise ValueError(f"{path}: image {graph.image_id}: no (usable) truth of it; leave it out")
    if graph.image_id in seen:
        raise ValueError(f"{path}: image {graph.image_id}: predicted twice; keep one")
    seen.add(graph.image_id)
    _named(path, recalls.add, truths[graph.image_id], graph)


def _missing(truths: dict[int, Truth], seen: set[int], path: Path) -> Iterator[ValueError]:
    for image_id in truths:
        if image_id not in seen:
            yield ValueError(
                f"{path}: image {image_id}: no prediction; list every image, without pairs if none was found"
            )
