"""What a file of COCO instances holds, checked entry by entry."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from segsg.files import DataError, field, read_json

AGAIN = "download or draw the file again"
POLYGON_NUMBERS = 6
"""Three corners, the fewest that enclose an area."""


@dataclass(frozen=True, slots=True)
class ImageEntry:
    image_id: int
    file_name: str
    size: tuple[int, int]
    """(height, width)"""


@dataclass(frozen=True, slots=True)
class Instance:
    """`box` is xyxy in original pixels. Polygons are arrays: a tenth of the memory of COCO's lists of numbers."""

    image_id: int
    label: int
    box: tuple[float, float, float, float]
    segmentation: Any
    crowd: bool
    """several things under one mask, which COCO neither trains on nor counts as missed or found"""


def read_instances(path: Path) -> tuple[dict[int, ImageEntry], tuple[str, ...], list[Instance]]:
    """(images by id, class names in label order, instances in the order of the file). DataError at a bad entry."""
    record = read_json(path)
    images = {entry.image_id: entry for entry in _read_images(path, field(path, "file", record, "images", list))}
    labels, names = _read_categories(path, field(path, "file", record, "categories", list))
    annotations = field(path, "file", record, "annotations", list)
    _check_unique(path, annotations, "annotation")
    instances = (_read_instance(path, annotation, images, labels) for annotation in annotations)
    return images, names, [instance for instance in instances if instance is not None]


def _check_unique(path: Path, entries: list, kind: str) -> None:
    seen = set()
    for place, entry in enumerate(entries):
        number = field(path, f"{kind} at place {place}", entry, "id", int)
        if number in seen:
            raise DataError(path, f"{kind} {number}", "appears more than once", "remove the copies")
        seen.add(number)


def _read_images(path: Path, entries: list) -> list[ImageEntry]:
    _check_unique(path, entries, "image")
    images = []
    for entry in entries:
        item = f"image {entry['id']}"
        size = (field(path, item, entry, "height", int), field(path, item, entry, "width", int))
        if min(size) <= 0:
            raise DataError(path, item, f"has height {size[0]} and width {size[1]}", AGAIN)
        images.append(ImageEntry(entry["id"], field(path, item, entry, "file_name", str), size))
    return images


def _read_categories(path: Path, entries: list) -> tuple[dict[int, int], tuple[str, ...]]:
    """({category id: label}, names in label order)."""
    _check_unique(path, entries, "category")
    entries = sorted(entries, key=lambda entry: entry["id"])
    labels = {entry["id"]: label for label, entry in enumerate(entries, start=1)}
    return labels, tuple(field(path, f"category {entry['id']}", entry, "name", str) for entry in entries)


def _read_instance(path: Path, entry: dict, images: dict[int, ImageEntry], labels: dict[int, int]) -> Instance | None:
    """None for a box without width or height, of which COCO has a few."""
    item = f"annotation {entry['id']}"
    image = images.get(field(path, item, entry, "image_id", int))
    if image is None:
        raise DataError(path, item, f"image {entry['image_id']} is not in the file's list of images", AGAIN)
    label = labels.get(field(path, item, entry, "category_id", int))
    if label is None:
        raise DataError(path, item, f"category {entry['category_id']} is not in the file's categories", AGAIN)
    segmentation = _read_segmentation(path, item, entry, image.size)
    box = _read_box(path, item, entry)
    if box[2] == box[0] or box[3] == box[1]:
        return None
    return Instance(image.image_id, label, box, segmentation, bool(entry.get("iscrowd")))


def _read_box(path: Path, item: str, entry: dict) -> tuple[float, float, float, float]:
    box = field(path, item, entry, "bbox", list)
    if len(box) != 4 or not all(isinstance(number, int | float) for number in box) or min(box[2:]) < 0:
        raise DataError(path, item, f"bbox {box} is not x, y, width, height", AGAIN)
    x, y, width, height = map(float, box)
    return x, y, x + width, y + height


def _read_segmentation(path: Path, item: str, entry: dict, size: tuple[int, int]) -> Any:
    segmentation = field(path, item, entry, "segmentation", (list, dict))
    if isinstance(segmentation, dict):
        return _checked_runs(path, item, segmentation, size)
    if not segmentation or any(len(polygon) < POLYGON_NUMBERS or len(polygon) % 2 for polygon in segmentation):
        rule = f"a polygon needs an even number of coordinates, at least {POLYGON_NUMBERS}"
        raise DataError(path, item, rule, "remove the polygon or the annotation")
    return [np.asarray(polygon, dtype=np.float64) for polygon in segmentation]


def _checked_runs(path: Path, item: str, runs: dict, size: tuple[int, int]) -> dict:
    found = tuple(field(path, item, runs, "size", list))
    counts = field(path, item, runs, "counts", (list, str))
    if found != size:
        raise DataError(path, item, f"run lengths are for size {found}, the image is {size} (height, width)", AGAIN)
    if isinstance(counts, list) and sum(counts) != size[0] * size[1]:
        raise DataError(path, item, f"run lengths cover {sum(counts)} pixels of {size[0] * size[1]}", AGAIN)
    return runs
