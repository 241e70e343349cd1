"""The plain format of detections: {"photo.jpg": [{"class", "box": [x1, y1, x2, y2], "score", "mask"}]}."""

from pathlib import Path
from typing import Any

from segsg.files import DataError
from segsg.photos.finders.entries import Detected, Detections, Entry, box_of, ordered, score_of
from segsg.photos.finders.outlines import outline
from segsg.values import KINDS, field, proper_name, shown

KEYS = ("class", "box", "score", "mask")
EXAMPLE = 'write {"photo.jpg": [{"class": "dog", "box": [x1, y1, x2, y2], "score": 0.9}]}, see docs/photos.md'


def of_plain(path: Path, content: dict) -> Detections:
    """The detections of a file. Keys are file names, with folders where two photos have one name."""
    entries = []
    for name, rows in content.items():
        proper_name(path, "photo", name)
        if type(rows) is not list:
            raise DataError(path, f"photo '{name}'", f"is not {KINDS[list]} of regions", EXAMPLE)
        regions = [_region(path, f"photo '{name}': region {place}", row) for place, row in enumerate(rows)]
        entries.append((name.replace("\\", "/"), Entry(regions)))
    return Detections(path, entries)


def _region(path: Path, item: str, row: Any) -> Detected:
    name = proper_name(path, item, field(path, item, row, "class", str))
    for key in row.keys() - set(KEYS):
        raise DataError(path, item, f"has an unknown key {shown(key)}", f"keys are {', '.join(KEYS)}")
    box = ordered(path, item, tuple(box_of(path, item, "box", field(path, item, row, "box"))))
    place = item.rpartition(": ")[2]
    return Detected(place, name, score_of(path, item, row), box, outline(path, item, row.get("mask")))
