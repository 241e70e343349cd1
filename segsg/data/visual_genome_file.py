"""What VG-SGG.h5 and image_data.json hold, read whole.

Rows of image i in the box (relation) arrays are first..last, both included; -1 and -1 where the image has none.
"""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Int

from segsg.files import DataError, field, read_json

CORRUPT_IMAGES = frozenset({1592, 1722, 4616, 4617})
"""Entries of Visual Genome's image_data.json that VG-SGG.h5 has no row for."""
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
