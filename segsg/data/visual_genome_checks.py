"""Every rule that the rows of VG-SGG.h5 must keep, each checked for all rows at once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int

from segsg.data.visual_genome_file import AGAIN, ImageList, Rows
from segsg.data.vocabulary import Vocabulary
from segsg.files import DataError

SPLITS = (0, 2)


def check(path: Path, rows: Rows, images: ImageList, vocabulary: Vocabulary) -> None:
    """DataError at the first row that breaks a rule; it names the image, the row and the rule."""
    _check_images(path, rows, images)
    box_image = owners(rows.boxes_of, len(rows.labels))
    relation_image = owners(rows.relations_of, len(rows.predicates))
    _check_boxes(path, rows, _place("box", images, box_image), len(vocabulary.classes))
    _check_relations(path, rows, relation_image, _place("relation", images, relation_image), len(vocabulary.predicates))


def owners(ranges: Int[np.ndarray, "images 2"], rows: int) -> Int[np.ndarray, "rows"]:
    """Image of each row, -1 for a row that is in no image's range. The ranges must not overlap."""
    image = np.full(rows, -1)
    counts = np.where(ranges[:, 0] >= 0, ranges[:, 1] - ranges[:, 0] + 1, 0)
    owner = np.repeat(np.arange(len(ranges)), counts)
    rank = np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]
    image[ranges[owner, 0] + rank] = owner
    return image


def _check_images(path: Path, rows: Rows, images: ImageList) -> None:
    def image(row: int) -> str:
        return f"image {images.ids[row]}"

    split = rows.split
    _demand(path, np.isin(split, SPLITS), image, lambda i: f"split {split[i]} is neither 0 (training) nor 2 (test)")
    _check_ranges(path, "box", rows.boxes_of, len(rows.labels), image)
    _check_ranges(path, "relation", rows.relations_of, len(rows.predicates), image)


def _check_ranges(path: Path, kind: str, ranges: Int[np.ndarray, "images 2"], rows: int, image: Callable) -> None:
    first, last = ranges.T
    proper = (ranges == -1).all(1) | ((first >= 0) & (first <= last))
    _demand(path, proper, image, lambda i: f"{kind} rows {first[i]}..{last[i]} are not a range, nor -1..-1 for none")
    _demand(path, last < rows, image, lambda i: f"{kind} row {last[i]} is past the last row, {rows - 1}")
    order = np.argsort(first, kind="stable")
    order = order[first[order] >= 0]
    apart = np.ones(len(first), dtype=bool)
    apart[order[1:]] = first[order[1:]] > last[order[:-1]]
    _demand(path, apart, image, lambda i: f"{kind} rows {first[i]}..{last[i]} are shared with another image")


def _check_boxes(path: Path, rows: Rows, place: Callable, classes: int) -> None:
    boxes, labels = rows.boxes_1024, rows.labels
    _demand(path, (boxes[:, 2:] > 0).all(1), place, lambda i: f"box of size {boxes[i, 2:].tolist()} has no area")
    _demand(path, (boxes[:, :2] >= 0).all(1), place, lambda i: f"box centre {boxes[i, :2].tolist()} is negative")
    known = (labels >= 1) & (labels <= classes)
    _demand(path, known, place, lambda i: f"class label {labels[i]} is not among the vocabulary's 1..{classes}")


def _check_relations(path: Path, rows: Rows, image: Int[np.ndarray, "rows"], place: Callable, predicates: int) -> None:
    labels, pairs = rows.predicates, rows.relationships
    known = (labels >= 1) & (labels <= predicates)
    _demand(path, known, place, lambda i: f"predicate label {labels[i]} is not among the vocabulary's 1..{predicates}")
    first, last = rows.boxes_of[image].reshape(-1, 2, 1).transpose(1, 0, 2)
    inside = ((first >= 0) & (pairs >= first) & (pairs <= last)).all(1) | (image < 0)
    _demand(path, inside, place, lambda i: f"joins box rows {pairs[i].tolist()}, which are not both in its image")


def _place(kind: str, images: ImageList, owner: Int[np.ndarray, "rows"]) -> Callable[[int], str]:
    """Names a row for a reader of the message."""
    return lambda row: f"{kind} row {row}" if owner[row] < 0 else f"image {images.ids[owner[row]]}, {kind} row {row}"


def _demand(path: Path, good: Bool[np.ndarray, "rows"], item: Callable, rule: Callable) -> None:
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        raise DataError(path, item(row), rule(row), AGAIN)
