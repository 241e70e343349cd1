"""What every source of scene graphs is turned into: photos with boxes and relations, and which of these are kept."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from segsg.data.words import Vocabulary
from segsg.files import DataError
from segsg.values import CORRECT, are_finite, once, shown

Split = Literal["train", "test"]
NO_AREA = "boxes without an area inside their photo"
OF_THESE = "relations of a box that is left out"
WITH_ITSELF = "relations of a box with itself"
REPEATED = "relations that stand there already"
OUTSIDE = 0.02
"""share of boxes whose centre may lie outside their photo, as for the reader of Visual Genome's layout"""


@dataclass(frozen=True)
class Photo:
    """One photo of a source, as it was annotated.

    Boxes are corners x1 y1 x2 y2 in pixels. `labels` are classes and `relations` rows (subject, object, predicate);
    subject and object are rows of `boxes`, and names count from 1. `size` is (height, width) of the frame of the boxes,
    None where it is that of the photo's file. `shared` is the photo's id in the mask set, None if that lacks it.
    """

    name: str
    split: Split
    boxes: Float[np.ndarray, "regions 4"]
    labels: Int[np.ndarray, "regions"]
    relations: Int[np.ndarray, "relations 3"]
    size: tuple[int, int] | None = None
    shared: int | None = None


@dataclass(frozen=True)
class AnnotatedSet:
    """The photos of a source in its order, each name once, and how many entries its reader left out, by their kind."""

    vocabulary: Vocabulary
    photos: tuple[Photo, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)


def annotated(
    path: Path, vocabulary: Vocabulary, photos: list[Photo], left_out: Mapping[str, int] | None = None
) -> AnnotatedSet:
    """The set of these photos. DataError if there is none, or two have a name that cannot be told apart."""
    if not photos:
        raise DataError(path, "file", "has no photo", "give the file with the annotations")
    once(path, "photo", (photo.name for photo in photos))
    return AnnotatedSet(vocabulary, tuple(photos), left_out or {})


def photo(name: str, split: Split, boxes: list, labels: list, relations: list, **more: Any) -> Photo:
    """A photo from plain lists, which may be empty."""
    return Photo(
        name,
        split,
        np.array(boxes, dtype=np.float64).reshape(-1, 4),
        np.array(labels, dtype=np.int64),
        np.array(relations, dtype=np.int64).reshape(-1, 3),
        **more,
    )


def four_numbers(path: Path, item: str, value: Any) -> list[float]:
    """`value`, which has to be a list of four finite numbers. DataError names the item."""
    if not are_finite(value) or len(value) != 4:
        raise DataError(path, item, f"its box is {shown(value)}, not four numbers", CORRECT)
    return [float(number) for number in value]


def kept(photo: Photo, size: tuple[int, int]) -> tuple[Photo, Counter]:
    """The photo with what a study can use, its boxes cut to a photo of `size`, and how many entries are left out.

    Left out are boxes without area inside the photo, their relations, relations of a box with itself, and repetitions.
    """
    height, width = size
    boxes = photo.boxes.clip(0, [width, height, width, height])
    has_area = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    subjects, objects = photo.relations[:, 0], photo.relations[:, 1]
    has_boxes = has_area[subjects] & has_area[objects]
    apart = subjects != objects
    first = _first(photo.relations)
    left_out = {
        NO_AREA: ~has_area,
        OF_THESE: ~has_boxes,
        WITH_ITSELF: has_boxes & ~apart,
        REPEATED: has_boxes & apart & ~first,
    }
    relations = photo.relations[has_boxes & apart & first]
    places = np.cumsum(has_area) - 1
    relations = np.column_stack([places[relations[:, :2]], relations[:, 2]])
    counts = Counter({kind: int(rows.sum()) for kind, rows in left_out.items() if rows.any()})
    return replace(photo, boxes=boxes[has_area], labels=photo.labels[has_area], relations=relations, size=size), counts


def _first(rows: Int[np.ndarray, "rows columns"]) -> Bool[np.ndarray, "rows"]:
    """Whether no earlier row is equal."""
    is_first = np.zeros(len(rows), dtype=bool)
    is_first[np.unique(rows, axis=0, return_index=True)[1]] = True
    return is_first


def centres_outside(photo: Photo, size: tuple[int, int]) -> int:
    """Number of boxes whose centre is outside a photo of `size`."""
    centres, end = (photo.boxes[:, :2] + photo.boxes[:, 2:]) / 2, np.array(size[::-1])
    return int(((centres < 0) | (centres > end)).any(axis=1).sum())
