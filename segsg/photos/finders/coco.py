"""COCO's files of detections: a list of results, or one object with `images`, `annotations` and `categories`."""

from pathlib import Path
from typing import Any

from segsg.detection.coco_classes import COCO_CLASSES
from segsg.files import DataError
from segsg.photos.finders.entries import Detected, Detections, Entry, box_of, ordered, score_of
from segsg.photos.finders.names import categories
from segsg.photos.finders.outlines import outline
from segsg.values import CORRECT, field, once, proper_name, shown, whole_number

NAMED = "name the classes with --classes, a COCO file with `categories` or a list of names"


def of_coco(path: Path, content: Any, names: dict[int, str] | None, images: list | None) -> Detections:
    """The detections of a file. `names` and `images` are those of --classes, if it has any.

    Without names in this file or that one category ids are COCO's own, of 80 classes. A photo is found by its name in
    `images`; without such a list by the number that its name is: 165 is 000000000165.jpg.
    """
    rows = content
    if type(content) is dict:
        rows = field(path, "file", content, "annotations", list)
        images = field(path, "file", content, "images", list) if "images" in content else images
        if names is None and "categories" in content:
            names = categories(path, field(path, "file", content, "categories", list))
    if type(rows) is not list:
        raise DataError(path, "file", "is no list of results", "give a COCO results file, see docs/photos.md")
    listed = None if images is None else _images(path, images)
    entries: dict[int, Entry] = {} if listed is None else {number: entry for number, (_, entry) in listed.items()}
    for place, row in enumerate(rows):
        item = f"detection at place {place}"
        number = whole_number(path, item, row, "image_id", 0)
        if listed is not None and number not in listed:
            raise DataError(path, item, f"image {number} is not in the list of images", CORRECT)
        if "iscrowd" not in row or not whole_number(path, item, row, "iscrowd", 0, 1):
            entries.setdefault(number, Entry()).regions.append(_region(path, item, row, names))
    if listed is not None:
        return Detections(path, listed.values())
    return ByNumber(path, ((str(number), entry) for number, entry in entries.items()), bare=True)


class ByNumber(Detections):
    """Detections of photos whose names are numbers, with any number of zeros in front."""

    def key(self, photo: Path) -> str | None:
        """The number of a photo, if it is in the file."""
        stem = photo.stem
        number = str(int(stem)) if stem.isascii() and stem.isdigit() and len(stem) < 20 else ""
        return number if number in self._entries else None


def _images(path: Path, entries: list) -> dict[int, tuple[str, Entry]]:
    """{id: (file name, entry without regions)}."""
    ids = [whole_number(path, f"image at place {place}", entry, "id") for place, entry in enumerate(entries)]
    once(path, "image", ids)
    found = {}
    for number, entry in zip(ids, entries, strict=True):
        item, size = f"image {number}", None
        if "height" in entry and "width" in entry:
            size = whole_number(path, item, entry, "height", 1), whole_number(path, item, entry, "width", 1)
        name = proper_name(path, item, field(path, item, entry, "file_name", str))
        found[number] = name.replace("\\", "/"), Entry(size=size)
    return found


def _region(path: Path, item: str, row: dict, names: dict[int, str] | None) -> Detected:
    category = whole_number(path, item, row, "category_id")
    known = COCO_CLASSES if names is None else names
    if category not in known:
        source = "of COCO's 80 classes" if names is None else "among the classes that are named"
        raise DataError(path, item, f"category {category} is none {source}", NAMED)
    x, y, width, height = box_of(path, item, "bbox", field(path, item, row, "bbox"))
    if min(width, height) < 0:
        raise DataError(path, item, f"bbox {shown(row['bbox'])} is not x, y, width, height", CORRECT)
    box = ordered(path, item, (x, y, x + width, y + height))
    shape = outline(path, item, row.get("segmentation"))
    return Detected(item, known[category], score_of(path, item, row), box, shape)
