"""Names of the classes in a file of detections: a list of names, the categories of a COCO file, or COCO's own 80."""

from pathlib import Path

from segsg.data.words import check_names
from segsg.files import DataError, read_json
from segsg.values import CORRECT, field, once, proper_name, whole_number

COCO_80 = {
    1: "person", 2: "bicycle", 3: "car", 4: "motorcycle", 5: "airplane", 6: "bus", 7: "train", 8: "truck",
    9: "boat", 10: "traffic light", 11: "fire hydrant", 13: "stop sign", 14: "parking meter", 15: "bench",
    16: "bird", 17: "cat", 18: "dog", 19: "horse", 20: "sheep", 21: "cow", 22: "elephant", 23: "bear", 24: "zebra",
    25: "giraffe", 27: "backpack", 28: "umbrella", 31: "handbag", 32: "tie", 33: "suitcase", 34: "frisbee",
    35: "skis", 36: "snowboard", 37: "sports ball", 38: "kite", 39: "baseball bat", 40: "baseball glove",
    41: "skateboard", 42: "surfboard", 43: "tennis racket", 44: "bottle", 46: "wine glass", 47: "cup", 48: "fork",
    49: "knife", 50: "spoon", 51: "bowl", 52: "banana", 53: "apple", 54: "sandwich", 55: "orange", 56: "broccoli",
    57: "carrot", 58: "hot dog", 59: "pizza", 60: "donut", 61: "cake", 62: "chair", 63: "couch",
    64: "potted plant", 65: "bed", 67: "dining table", 70: "toilet", 72: "tv", 73: "laptop", 74: "mouse",
    75: "remote", 76: "keyboard", 77: "cell phone", 78: "microwave", 79: "oven", 80: "toaster", 81: "sink",
    82: "refrigerator", 84: "book", 85: "clock", 86: "vase", 87: "scissors", 88: "teddy bear", 89: "hair drier",
    90: "toothbrush",
}  # fmt: skip
"""COCO's category ids, which have gaps"""
MOST_BYTES = 2**22
"""of a file of names"""


def read_lines(path: Path, most: int) -> list[str]:
    """The lines of a text file of at most `most` bytes, without empty ones at its end. DataError for anything else."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise DataError(path, "file", f"has more than {most:,} bytes", "give the file that is meant")
        lines = content.decode("utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(path, "file", f"cannot be read ({error.strerror})", "correct its path") from error
    except UnicodeDecodeError as error:
        raise DataError(path, "file", "is no text in UTF-8", "give the file that is meant") from error
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def read_names(path: Path, first: int) -> dict[int, str]:
    """{number of a class: its name} of a file of names.

    A text file has one name a line, of which the first is of class `first`. A JSON file is COCO's: `categories`, each
    with `id` and `name`. DataError for anything else.
    """
    if path.suffix.lower() == ".json":
        content = read_json(path)
        return categories(path, field(path, "file", content, "categories", list))
    names = [line.strip() for line in read_lines(path, MOST_BYTES)]
    if not names:
        raise DataError(path, "file", "has no name in it", "write one class a line")
    for place, name in enumerate(names, start=1):
        proper_name(path, f"line {place}", name)
    check_names(path, "class", names)
    return dict(enumerate(names, start=first))


def categories(path: Path, entries: list) -> dict[int, str]:
    """{id: name} of COCO's list of categories."""
    ids = [whole_number(path, f"category at place {place}", entry, "id") for place, entry in enumerate(entries)]
    once(path, "category", ids)
    names = [field(path, f"category {number}", entry, "name", str) for number, entry in zip(ids, entries, strict=True)]
    if not names:
        raise DataError(path, "categories", "the list is empty", CORRECT)
    check_names(path, "category", names)
    return dict(zip(ids, names, strict=True))
