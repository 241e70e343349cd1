"""The annotation files of the Visual Relationship Detection set (Lu et al., ECCV 2016), as its authors ship them.

One file for each split: {photo's file name: [{"subject", "object": {"category", "bbox"}, "predicate"}]}. Names count
from 0. `bbox` is [ymin, ymax, xmin, xmax]. A box has no id: what has equal class and corners is one box.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segsg.data.visual_genome import read_vocabulary
from segsg.data.words import Vocabulary, check_names
from segsg.files import DataError, read_json
from segsg.formats.annotated import AnnotatedSet, Photo, Split, annotated, four_numbers, photo
from segsg.values import CORRECT, field, proper_name, whole_number

Box = tuple[int, tuple[float, float, float, float]]
"""class, and corners x1 y1 x2 y2"""


def read(splits: Mapping[Split, Path], classes: Path, predicates: Path) -> AnnotatedSet:
    """The photos of the files of both splits. DataError at the first entry that breaks a rule.

    `classes` and `predicates` are JSON lists of names, or both one VG-SGG-dicts.json.
    """
    vocabulary = Vocabulary(
        _names(classes, "classes"),
        _names(predicates, "predicates"),
    )
    photos = [each for split, path in splits.items() for each in _photos(path, split, vocabulary)]
    return annotated(next(iter(splits.values())), vocabulary, photos)


def _names(path: Path, kind: str) -> tuple[str, ...]:
    content = read_json(path)
    if type(content) is dict:
        return getattr(read_vocabulary(path), kind)
    if type(content) is not list:
        raise DataError(path, "file", f"is no list of names of {kind}", "give a JSON list, or a VG-SGG-dicts.json")
    check_names(path, kind, content)
    return tuple(content)


def _photos(path: Path, split: Split, vocabulary: Vocabulary) -> list[Photo]:
    content = read_json(path)
    if type(content) is not dict:
        rule = "is no object of photos' names with lists of relations"
        raise DataError(path, "file", rule, "give annotations_train.json or annotations_test.json of the set")
    return [_photo(path, split, name, content, vocabulary) for name in content]


def _photo(path: Path, split: Split, name: str, content: Any, vocabulary: Vocabulary) -> Photo:
    proper_name(path, "photo", name)
    entries = field(path, "photo", content, name, list)
    places: dict[Box, int] = {}
    relations = []
    for number, entry in enumerate(entries):
        item = f"photo '{name}', relation {number}"
        predicate = whole_number(path, item, entry, "predicate", 0, len(vocabulary.predicates) - 1)
        ends = [_box(path, item, entry, role, vocabulary) for role in ("subject", "object")]
        relations.append([*(places.setdefault(box, len(places)) for box in ends), predicate + 1])
    return photo(name, split, [corners for _, corners in places], [label for label, _ in places], relations)


def _box(path: Path, item: str, entry: Any, role: str, vocabulary: Vocabulary) -> Box:
    record = field(path, item, entry, role, dict)
    item = f"{item}, {role}"
    label = whole_number(path, item, record, "category", 0, len(vocabulary.classes) - 1) + 1
    top, bottom, left, right = four_numbers(path, item, field(path, item, record, "bbox"))
    if top > bottom or left > right:
        rule = f"its box [ymin, ymax, xmin, xmax] is {record['bbox']}, whose least is above its most"
        raise DataError(path, item, rule, CORRECT)
    return label, (left, top, right, bottom)
