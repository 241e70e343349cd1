"""What VG-SGG.h5 and image_data.json hold, read whole, and every rule that its rows must keep.

Rows of image i in the box (relation) arrays are first..last, both included; -1 and -1 where the image has none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Bool, Int

from segsg.data.words import Vocabulary
from segsg.files import DataError, field, read_json

CORRUPT_IMAGES = frozenset({1592, 1722, 4616, 4617})
"""Entries of Visual Genome's image_data.json that VG-SGG.h5 has no row for."""
SPLITS = (0, 2)
"""of training and test rows"""
AGAIN = "download or draw the file again"


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
    """image_data.json as columns, its row i for row i of VG-SGG.h5. `shared` holds COCO ids, 0 where there is none."""

    ids: Int[np.ndarray, "images"]
    sizes: Int[np.ndarray, "images 2"]
    shared: Int[np.ndarray, "images"]


def read_images(path: Path, rows: int) -> ImageList:
    """The image list for a file of `rows` rows. Sizes are (height, width).

    The four corrupt images are left out where that makes the list fit, as in Visual Genome's own list.
    """
    records = read_json(path)
    if not isinstance(records, list):
        raise DataError(path, "file", "is not a list of images", AGAIN)
    found = len(records)
    if found != rows:
        records = [record for record in records if field(path, "image", record, "image_id") not in CORRUPT_IMAGES]
    if len(records) != rows:
        rule = f"lists {found} images, but the annotations have {rows} rows"
        raise DataError(path, "file", rule, "take image_data.json and VG-SGG.h5 from the same source")
    table = [_image(path, place, record) for place, record in enumerate(records)]
    columns = np.array(table, dtype=np.int64).reshape(-1, 4)
    ids, counts = np.unique(columns[:, 0], return_counts=True)
    if (counts > 1).any():
        raise DataError(path, f"image {ids[counts > 1][0]}", "is listed more than once", "remove the copies")
    return ImageList(columns[:, 0], columns[:, 1:3], columns[:, 3])


def _image(path: Path, place: int, record) -> tuple[int, int, int, int]:
    image_id = field(path, f"entry {place}", record, "image_id", int)
    height, width = (field(path, f"image {image_id}", record, key, int) for key in ("height", "width"))
    if height <= 0 or width <= 0:
        raise DataError(path, f"image {image_id}", f"has width {width} and height {height}", AGAIN)
    return image_id, height, width, record.get("coco_id") or 0


def read_rows(path: Path) -> Rows:
    """The arrays of VG-SGG.h5, shapes checked. DataError names the file and the key that is missing or odd."""
    try:
        with h5py.File(path) as file:
            return _rows(path, file)
    except OSError as error:
        raise DataError(path, "file", f"is not readable HDF5 ({error})", "check its path or fetch it again") from error


def _rows(path: Path, file: h5py.File) -> Rows:
    images = len(_array(path, file, "split", 1))
    boxes, relations = (len(_array(path, file, key, width)) for key, width in (("boxes_1024", 4), ("relationships", 2)))
    return Rows(
        split=_array(path, file, "split", 1, images)[:, 0],
        boxes_of=_ranges(path, file, "box", images),
        relations_of=_ranges(path, file, "rel", images),
        boxes_1024=_array(path, file, "boxes_1024", 4, boxes),
        labels=_array(path, file, "labels", 1, boxes)[:, 0],
        relationships=_array(path, file, "relationships", 2, relations),
        predicates=_array(path, file, "predicates", 1, relations)[:, 0],
    )


def _ranges(path: Path, file: h5py.File, kind: str, images: int) -> Int[np.ndarray, "images 2"]:
    return np.hstack([_array(path, file, f"img_to_{end}_{kind}", 1, images) for end in ("first", "last")])


def _array(path: Path, file: h5py.File, key: str, width: int, rows: int | None = None) -> Int[np.ndarray, "rows width"]:
    """Array `key` as int64 [rows, width]; a column may be stored flat."""
    if key not in file:
        raise DataError(path, f"key '{key}'", "is missing", f"the file has {', '.join(file)}; is it VG-SGG.h5?")
    values = file[key][()]
    if values.ndim == 1:
        values = values[:, None]
    if values.dtype.kind not in "iu" or values.ndim != 2 or values.shape[1] != width:
        rule = f"is {values.dtype} {values.shape}, not whole numbers [rows, {width}]"
        raise DataError(path, f"key '{key}'", rule, AGAIN)
    if rows is not None and len(values) != rows:
        raise DataError(path, f"key '{key}'", f"has {len(values)} rows instead of {rows}", AGAIN)
    return values.astype(np.int64)


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
