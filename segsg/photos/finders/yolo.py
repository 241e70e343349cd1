"""YOLO's text files of detections: a folder with NAME.txt for NAME.jpg, one region a line."""

import math
from pathlib import Path

from segsg.detection.coco_classes import COCO_CLASSES
from segsg.files import DataError
from segsg.photos.finders.entries import Detected, Detections, Entry
from segsg.photos.finders.names import read_lines, read_names
from segsg.values import CORRECT, shown

NAMES = "classes.txt"
MOST_BYTES = 2**22
"""of a file"""
LINE = "a line is: class cx cy w h [score], shares of the photo's width and height"


def of_yolo(folder: Path, names: dict[int, str] | None) -> Detections:
    """The detections of a folder. Classes count from 0, in `names`, else in classes.txt, else COCO's 80 in order."""
    if names is None and (folder / NAMES).is_file():
        names = read_names(folder / NAMES, 0)
    known = names or dict(enumerate(COCO_CLASSES.values()))
    files = sorted(path for path in folder.rglob("*.txt") if path.is_file() and path != folder / NAMES)
    if not files:
        raise DataError(folder, "folder", "has no .txt file in it", "give the folder `labels` that YOLO writes")
    entries = ((path.relative_to(folder).with_suffix("").as_posix(), _entry(path, known)) for path in files)
    return Detections(folder, entries, bare=True)


def _entry(path: Path, names: dict[int, str]) -> Entry:
    lines = enumerate(read_lines(path, MOST_BYTES), start=1)
    return Entry([_region(path, f"line {number}", line, names) for number, line in lines if line.strip()], shares=True)


def _region(path: Path, item: str, line: str, names: dict[int, str]) -> Detected:
    parts = line.split()
    if len(parts) > 6:
        rule = f"has {len(parts)} numbers: outlines are not read from YOLO's files"
        raise DataError(path, item, rule, f"{LINE}; for masks give COCO results")
    try:
        label, numbers = int(parts[0]), [float(part) for part in parts[1:]]
    except ValueError:
        raise DataError(path, item, f"{shown(line)} is no line of numbers", LINE) from None
    if len(numbers) < 4 or not all(map(math.isfinite, numbers)):
        raise DataError(path, item, f"{shown(line)} has not four finite numbers behind its class", LINE)
    if label not in names:
        rule = f"class {label} is not among the {len(names)} classes, which count from 0"
        raise DataError(path, item, rule, f"name the classes with --classes, or in {NAMES} beside the files")
    x, y, width, height, score = (*numbers, 1.0)[:5]
    if min(width, height) < 0 or max(map(abs, (x, y, width, height))) > 2:
        raise DataError(path, item, f"{shown(line)}: these are no shares of a photo, which lie in 0..1", LINE)
    if not 0 <= score <= 1:
        raise DataError(path, item, f"score {score} is not a number from 0 to 1", CORRECT)
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return Detected(item, names[label], score, box)
