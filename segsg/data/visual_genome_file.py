"""What VG-SGG.h5 and image_data.json hold, read whole, and every rule that its rows must keep.

Rows of image i in the box (relation) arrays are first..last, both included; -1 and -1 where the image has none.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Int

from segsg.data.photos import MOST_PIXELS
from segsg.data.words import Vocabulary
from segsg.files import DAMAGED, DataError, read_json
from segsg.values import CORRECT, MOST, demand, once, whole_number

CORRUPT_IMAGES = frozenset({1592, 1722, 4616, 4617})
"""Entries of Visual Genome's image_data.json that VG-SGG.h5 has no row for."""
SPLITS = (0, 2)
"""of training and test rows"""
LONGER_SIDE = 1024
"""pixels of the photo in whose frame `boxes_1024` are"""
NOT_SHARED = -1
MOST_ROWS = 10_000_000
"""of an array; with all arrays so long, reading and checking them takes less than 2 GiB"""
OUTSIDE = 0.02
"""share of boxes whose centre may lie outside their photo; decisions.md says why"""


@dataclass(frozen=True)
class Rows:
    """The arrays of VG-SGG.h5 that the project reads. `boxes_1024` are (centre x, centre y, width, height)."""

    split: Int[np.ndarray, "images"]
    boxes_of: Int[np.ndarray, "images 2"]
    relations_of: Int[np.ndarray, "images 2"]
    boxes_1024: Int[np.ndarray, "regions 4"]
    labels: Int[np.ndarray, "regions"]
    relationships: Int[np.ndarray, "relations 2"]
    predicates: Int[np.ndarray, "relations"]


@dataclass(frozen=True)
class ImageList:
    """image_data.json as columns, its row i for row i of VG-SGG.h5.

    Sizes are (height, width). `shared` holds ids of the mask set, NOT_SHARED where it does not have the image.
    """

    ids: Int[np.ndarray, "images"]
    sizes: Int[np.ndarray, "images 2"]
    shared: Int[np.ndarray, "images"]


def read_images(path: Path, rows: int) -> ImageList:
    """The image list for a file of `rows` rows.

    The four corrupt images are left out where that makes the list fit, as in Visual Genome's own list.
    """
    records = read_json(path)
    if type(records) is not list:
        raise DataError(path, "file", "is not a list of images", CORRECT)
    table = [_image(path, place, record) for place, record in enumerate(records)]
    if len(table) != rows:
        table = [row for row in table if row[0] not in CORRUPT_IMAGES]
    if len(table) != rows:
        rule = f"lists {len(records)} images, but the annotations have {rows} rows"
        raise DataError(path, "file", rule, "take image_data.json and VG-SGG.h5 from the same source")
    columns = np.array(table, dtype=np.int64).reshape(-1, 4)
    once(path, "image", columns[:, 0].tolist())
    return ImageList(columns[:, 0], columns[:, 1:3], columns[:, 3])


def _image(path: Path, place: int, record: Any) -> tuple[int, int, int, int]:
    image_id = whole_number(path, f"entry {place}", record, "image_id", 0)
    item = f"image {image_id}"
    height, width = (whole_number(path, item, record, key, 1, MOST_PIXELS) for key in ("height", "width"))
    shared = NOT_SHARED if record.get("coco_id") is None else whole_number(path, item, record, "coco_id", 0)
    return image_id, height, width, shared


def read_rows(path: Path) -> Rows:
    """The arrays of VG-SGG.h5, shapes checked. DataError names the file and the key that is missing or odd."""
    try:
        with h5py.File(path) as file:
            return _rows(path, file)
    except DataError:
        raise
    except DAMAGED as error:
        rule = f"is not readable HDF5 ({' '.join(str(error).split()):.200})"
        raise DataError(path, "file", rule, "correct its path, or take the file from its source again") from error


def _rows(path: Path, file: h5py.File) -> Rows:
    split = _array(path, file, "split", 1)[:, 0]
    boxes, relationships = _array(path, file, "boxes_1024", 4), _array(path, file, "relationships", 2)
    return Rows(
        split=split,
        boxes_of=_ranges(path, file, "box", len(split)),
        relations_of=_ranges(path, file, "rel", len(split)),
        boxes_1024=boxes,
        labels=_array(path, file, "labels", 1, len(boxes))[:, 0],
        relationships=relationships,
        predicates=_array(path, file, "predicates", 1, len(relationships))[:, 0],
    )


def _ranges(path: Path, file: h5py.File, kind: str, images: int) -> Int[np.ndarray, "images 2"]:
    return np.hstack([_array(path, file, f"img_to_{end}_{kind}", 1, images) for end in ("first", "last")])


def _array(path: Path, file: h5py.File, key: str, width: int, rows: int | None = None) -> Int[np.ndarray, "rows width"]:
    """Array `key` as int64 [rows, width]; a column may be stored flat. Nothing is read before its size is known."""
    item = f"key '{key}'"
    link = file.get(key, getlink=True)
    if link is None:
        raise DataError(path, item, "is missing", f"the file has {', '.join(list(file)[:20])}; is it VG-SGG.h5?")
    if not isinstance(link, h5py.HardLink):
        raise DataError(path, item, "is a link", "store the array itself")
    data = file[key]
    if not isinstance(data, h5py.Dataset):
        raise DataError(path, item, "is a group, not an array", CORRECT)
    if data.is_virtual or data.external:
        raise DataError(path, item, "keeps its numbers in another file", "store the array itself")
    shape = data.shape or ()
    fits = shape[1:] == (width,) or (len(shape) == 1 and width == 1)
    if data.dtype.kind not in "iu" or not fits:
        raise DataError(path, item, f"is {data.dtype} {shape}, not whole numbers [rows, {width}]", CORRECT)
    if max(shape[0] * width, math.prod(data.chunks or ())) > MOST_ROWS * width:
        raise DataError(
            path, item, f"has {shape[0]} rows, in chunks of {data.chunks}", f"{MOST_ROWS} rows are the most"
        )
    if rows is not None and shape[0] != rows:
        raise DataError(path, item, f"has {shape[0]} rows instead of {rows}", CORRECT)
    values = data[()].reshape(-1, width)
    if values.dtype == np.uint64 and (values > MOST).any():
        raise DataError(path, item, f"has numbers beyond {MOST}", CORRECT)
    return values.astype(np.int64, copy=False)


def check(path: Path, rows: Rows, images: ImageList, vocabulary: Vocabulary) -> list[str]:
    """DataError at the first row that breaks a rule; it names the image, the row and the rule.

    Returns a line for what breaks none, and is worth knowing.
    """
    _check_images(path, rows, images)
    box_image = owners(rows.boxes_of, len(rows.labels))
    relation_image = owners(rows.relations_of, len(rows.predicates))
    place = _place("box", images, box_image)
    _check_boxes(path, rows, place, len(vocabulary.classes))
    outside = _check_order(path, rows.boxes_1024, place, images.sizes, box_image)
    _check_relations(path, rows, relation_image, _place("relation", images, relation_image), len(vocabulary.predicates))
    return [f"{path}: {outside} boxes have their centre outside their photo, and are clipped to it"] if outside else []


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
    demand(path, np.isin(split, SPLITS), image, lambda i: f"split {split[i]} is neither 0 (training) nor 2 (test)")
    _check_ranges(path, "box", rows.boxes_of, len(rows.labels), image)
    _check_ranges(path, "relation", rows.relations_of, len(rows.predicates), image)


def _check_ranges(path: Path, kind: str, ranges: Int[np.ndarray, "images 2"], rows: int, image: Callable) -> None:
    first, last = ranges.T
    proper = (ranges == -1).all(1) | ((first >= 0) & (first <= last))
    demand(path, proper, image, lambda i: f"{kind} rows {first[i]}..{last[i]} are not a range, nor -1..-1 for none")
    demand(path, last < rows, image, lambda i: f"{kind} row {last[i]} is past the last row, {rows - 1}")
    order = np.argsort(first, kind="stable")
    order = order[first[order] >= 0]
    apart = np.ones(len(first), dtype=bool)
    apart[order[1:]] = first[order[1:]] > last[order[:-1]]
    demand(path, apart, image, lambda i: f"{kind} rows {first[i]}..{last[i]} are shared with another image")


def _check_boxes(path: Path, rows: Rows, place: Callable, classes: int) -> None:
    boxes, labels = rows.boxes_1024, rows.labels
    centres, sizes = boxes[:, :2], boxes[:, 2:]
    demand(path, (sizes > 0).all(1), place, lambda i: f"box of size {sizes[i].tolist()} has no area")
    demand(path, (centres >= 0).all(1), place, lambda i: f"box centre {centres[i].tolist()} is negative")
    small = (boxes <= 2 * LONGER_SIDE).all(1)
    demand(path, small, place, lambda i: f"box {boxes[i].tolist()} is beyond twice the longer side, {LONGER_SIDE}")
    known = (labels >= 1) & (labels <= classes)
    demand(path, known, place, lambda i: f"class label {labels[i]} is not among the vocabulary's 1..{classes}")


def _check_order(path: Path, boxes: Int[np.ndarray, "regions 4"], place: Callable, sizes: Int[np.ndarray, "images 2"],
                 owner: Int[np.ndarray, "regions"]) -> int:  # fmt: skip
    """Number of centres outside their photos; DataError for so many that the images must be in another order."""
    ends = sizes[:, ::-1] * (LONGER_SIDE / sizes.max(axis=1, initial=1, keepdims=True))
    owned = owner >= 0
    outside = owned & (boxes[:, :2] > np.ceil(ends)[owner]).any(axis=1)
    if outside.sum() > OUTSIDE * owned.sum():
        row = int(np.flatnonzero(outside)[0])
        centre, end = boxes[row, :2].tolist(), ends[owner[row]].tolist()
        rule = (
            f"{outside.sum()} of {owned.sum()} box centres lie outside their photos, as {centre} in one of size {end}"
        )
        way_out = (
            "list the images of image_data.json in the order of this file's rows, with width and height not swapped"
        )
        raise DataError(path, place(row), rule, way_out)
    return int(outside.sum())


def _check_relations(path: Path, rows: Rows, image: Int[np.ndarray, "rows"], place: Callable, predicates: int) -> None:
    labels, pairs = rows.predicates, rows.relationships
    known = (labels >= 1) & (labels <= predicates)
    demand(path, known, place, lambda i: f"predicate label {labels[i]} is not among the vocabulary's 1..{predicates}")
    first, last = rows.boxes_of[image].reshape(-1, 2, 1).transpose(1, 0, 2)
    inside = ((first >= 0) & (pairs >= first) & (pairs <= last)).all(1) | (image < 0)
    demand(path, inside, place, lambda i: f"joins box rows {pairs[i].tolist()}, which are not both in its image")
    apart = (pairs[:, 0] != pairs[:, 1]) | (image < 0)
    rule = "joins box row {} with itself, which no model can find"
    demand(path, apart, place, lambda i: rule.format(pairs[i, 0]), "leave such relations out")


def _place(kind: str, images: ImageList, owner: Int[np.ndarray, "rows"]) -> Callable[[int], str]:
    """Names a row for a reader of the message."""
    return lambda row: f"{kind} row {row}" if owner[row] < 0 else f"image {images.ids[owner[row]]}, {kind} row {row}"
