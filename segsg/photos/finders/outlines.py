"""Outlines of masks in files of detections: checked before any foreign code sees them, then run lengths."""

from array import array
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_masks

from segsg.data.coco_file import MOST_POINTS, POINTS_A_PIXEL, POLYGON_NUMBERS, run_lengths
from segsg.data.photos import MOST_PIXELS
from segsg.files import DataError
from segsg.values import CORRECT, are_finite, field, shown

Outline = tuple[bytes, ...] | dict | None
"""Polygons (float64 x, y, x, y ... each), COCO's compressed run lengths, or no mask"""
UPRIGHT = "masks have to be of the upright photo (its EXIF orientation applied), in its own pixels"


def outline(path: Path, item: str, value: Any) -> Outline:
    """A mask as a file has it: run lengths {"size": [h, w], "counts": list or text}, a list of polygons, or null.

    DataError names the item. An empty list is no mask, as in COCO's results of detectors without masks.
    """
    if value is None or value == []:
        return None
    if type(value) is dict:
        return _runs(path, item, value)
    if type(value) is not list or not all(map(_is_polygon, value)):
        rule = f"a polygon is a flat list of x, y, x, y ...: finite, even in number, at least {POLYGON_NUMBERS}"
        raise DataError(path, item, f"mask {shown(value)}: {rule}", CORRECT)
    return tuple(array("d", polygon).tobytes() for polygon in value)


def runs_in(path: Path, item: str, given: Outline, size: tuple[int, int]) -> dict | None:
    """The run lengths of an outline in a photo of `size` (height, width). DataError if it does not belong there."""
    if given is None:
        return None
    if type(given) is dict:
        if tuple(given["size"]) != size:
            rule = f"its mask is of size {tuple(given['size'])}, the photo is {size} (height, width)"
            raise DataError(path, item, rule, UPRIGHT)
        return given
    corners = [np.frombuffer(polygon).reshape(-1, 2) for polygon in given]
    _check_corners(path, item, corners, size)
    merged = coco_masks.merge(coco_masks.frPyObjects([each.ravel().tolist() for each in corners], *size))
    return {"size": list(size), "counts": merged["counts"].decode("ascii")}


def _check_corners(path: Path, item: str, corners: list[np.ndarray], size: tuple[int, int]) -> None:
    """Corners lie in the photo or near it, and outlines are short enough to be drawn."""
    end = np.array(size[::-1], dtype=float)
    low, high = (np.stack([side(each, axis=0) for each in corners]) for side in (np.min, np.max))
    if (low < -end).any() or (high > 2 * end).any() or (low > end).any() or (high < 0).any():
        rule = f"a polygon from {low.min(axis=0).tolist()} to {high.max(axis=0).tolist()} lies outside the photo"
        raise DataError(path, item, f"{rule} of {size[1]} x {size[0]} pixels", UPRIGHT)
    steps = (np.abs(np.diff(each, axis=0, append=each[:1])).max(axis=1).sum() for each in corners)
    if sum(steps) * POINTS_A_PIXEL > MOST_POINTS:
        raise DataError(path, item, "the outline of its mask is too long to be drawn", CORRECT)


def _is_polygon(polygon: Any) -> bool:
    return are_finite(polygon) and len(polygon) >= POLYGON_NUMBERS and len(polygon) % 2 == 0


def _runs(path: Path, item: str, runs: dict) -> dict:
    """Compressed run lengths that cover exactly so many pixels."""
    size, counts = field(path, item, runs, "size", list), field(path, item, runs, "counts", list, str)
    if len(size) != 2 or {int} != set(map(type, size)) or min(size) < 1 or size[0] * size[1] > MOST_PIXELS:
        raise DataError(path, item, f"run lengths are for size {shown(size)}, which is no height and width", CORRECT)
    lengths = run_lengths(counts) if type(counts) is str else counts
    if not all(type(length) is int and length >= 0 for length in lengths):
        raise DataError(path, item, "run lengths are not whole numbers from 0", CORRECT)
    if sum(lengths) != size[0] * size[1]:
        raise DataError(path, item, f"run lengths cover {sum(lengths)} pixels of {size[0] * size[1]}", CORRECT)
    if type(counts) is not str:
        counts = coco_masks.frPyObjects({"size": size, "counts": counts}, *size)["counts"].decode("ascii")
    return {"size": size, "counts": counts}
