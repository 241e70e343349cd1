"""Two tables of comma-separated values, as a spreadsheet writes them: one of boxes, one of relations.

Boxes have the columns image, box, class, x1, y1, x2, y2, and split (train or test) if the source says it. Relations
have image, subject, predicate, object. `image` is a photo's file name. `box` is any text, each once in its image, and
`subject` and `object` name such boxes. Further columns are passed over. Names are numbered in alphabetical order.
"""

import csv
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from segsg.data.words import Vocabulary, check_names
from segsg.files import DataError
from segsg.formats.annotated import AnnotatedSet, Split, annotated, photo
from segsg.values import CORRECT, proper_name, shown

CORNERS = ("x1", "y1", "x2", "y2")
BOXES, RELATIONS = ("image", "box", "class", *CORNERS), ("image", "subject", "predicate", "object")
SPLITS = ("train", "test")
EACH_TEST = 5
"""where no column says it, one photo in so many is for testing"""
Line = tuple[str, dict[str, str]]
"""where it stands, and its cells by column"""


def read(boxes: Path, relations: Path) -> AnnotatedSet:
    """The photos of both tables in the order of the first. DataError at the first line that breaks a rule.

    Without a column `split` every fifth photo, in alphabetical order, is for testing.
    """
    box_lines, relation_lines = list(_lines(boxes, BOXES)), list(_lines(relations, RELATIONS))
    classes, predicates = (
        _labels(path, name, lines)
        for path, name, lines in ((boxes, "class", box_lines), (relations, "predicate", relation_lines))
    )
    places: dict[str, dict[str, int]] = defaultdict(dict)
    corners, labels, triples = (defaultdict(list) for _ in range(3))
    for item, cells in box_lines:
        of_image = places[cells["image"]]
        if cells["box"] in of_image:
            rule = f"box '{cells['box']}' of '{cells['image']}' stands there already"
            raise DataError(boxes, item, rule, "give each box of a photo a name of its own")
        of_image[cells["box"]] = len(of_image)
        corners[cells["image"]].append(_corners(boxes, item, cells))
        labels[cells["image"]].append(classes[cells["class"]])
    for item, cells in relation_lines:
        ends = [_end(relations, item, cells, role, places) for role in ("subject", "object")]
        triples[cells["image"]].append([*ends, predicates[cells["predicate"]]])
    splits = _splits(boxes, box_lines)
    photos = [photo(name, splits[name], corners[name], labels[name], triples[name]) for name in places]
    return annotated(boxes, Vocabulary(tuple(classes), tuple(predicates)), photos)


def _lines(path: Path, columns: tuple[str, ...]) -> Iterator[Line]:
    """The lines of a table, each with all of these columns and no empty cell in them."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, strict=True)
            if missing := [name for name in columns if name not in (table.fieldnames or ())]:
                rule = f"its first line does not name {', '.join(missing)}"
                raise DataError(path, "line 1", rule, f"begin the table with {','.join(columns)}")
            for cells in table:
                item = f"line {table.line_num}"
                if None in cells or None in cells.values():
                    raise DataError(path, item, "has more or fewer cells than the first line", CORRECT)
                cells = {name: cell.strip() for name, cell in cells.items()}
                if empty := [name for name in columns if not cells[name]]:
                    raise DataError(path, item, f"has nothing under {', '.join(empty)}", CORRECT)
                proper_name(path, item, cells["image"])
                yield item, cells
    except OSError as error:
        raise DataError(path, "file", f"cannot be read ({error.strerror})", "correct its path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        rule = f"is no table of comma-separated values in UTF-8 ({error})"
        raise DataError(path, "file", rule, "store it so") from error


def _labels(path: Path, column: str, lines: list[Line]) -> dict[str, int]:
    """{name: label} of a column."""
    names = sorted({cells[column] for _, cells in lines})
    check_names(path, f"column '{column}'", names)
    return {name: label for label, name in enumerate(names, start=1)}


def _corners(path: Path, item: str, cells: dict[str, str]) -> list[float]:
    left, top, right, bottom = (_number(path, item, cells, key) for key in CORNERS)
    if left > right or top > bottom:
        rule = (
            f"x1 y1 x2 y2 are {left:g} {top:g} {right:g} {bottom:g}, whose first corner is right of or below the other"
        )
        raise DataError(path, item, rule, CORRECT)
    return [left, top, right, bottom]


def _number(path: Path, item: str, cells: dict[str, str], key: str) -> float:
    try:
        value = float(cells[key])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(path, item, f"'{key}' is {shown(cells[key])}, not a finite number", CORRECT)
    return value


def _end(path: Path, item: str, cells: dict[str, str], role: str, places: dict[str, dict[str, int]]) -> int:
    of_image = places.get(cells["image"], {})
    if cells[role] not in of_image:
        rule = f"'{role}' is {shown(cells[role])}, and the table of boxes has no such box of '{cells['image']}'"
        raise DataError(path, item, rule, CORRECT)
    return of_image[cells[role]]


def _splits(path: Path, lines: list[Line]) -> dict[str, Split]:
    names = sorted({cells["image"] for _, cells in lines})
    if "split" not in lines[0][1]:
        last = min(EACH_TEST, len(names)) - 1
        return {name: SPLITS[place % EACH_TEST == last] for place, name in enumerate(names)}
    splits: dict[str, Split] = {}
    for item, cells in lines:
        split = cells["split"].lower()
        if split not in SPLITS:
            raise DataError(path, item, f"'split' is {shown(cells['split'])}, neither train nor test", CORRECT)
        if splits.setdefault(cells["image"], split) != split:
            rule = f"'{cells['image']}' is for {split} here, and for {splits[cells['image']]} above"
            raise DataError(path, item, rule, "give all boxes of a photo one split")
    return splits
