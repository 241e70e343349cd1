"""COCO's JSON with relations beside boxes, as SGG-Benchmark has it; one file is one split.

Beside COCO's `images`, `categories` and `annotations` (`bbox` is [x, y, width, height]) there are `rel_categories`
(`id`, `name`) and `rel_annotations` (`image_id`, `subject_id`, `object_id`, `predicate_id`). Subject and object are ids
of annotations. Ids of names are any whole numbers; labels count from 1 in their order.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segsg.data.photos import MOST_PIXELS
from segsg.data.words import Vocabulary, check_names
from segsg.files import DataError, read_json
from segsg.formats.annotated import AnnotatedSet, Photo, Split, annotated, four_numbers, photo
from segsg.values import CORRECT, field, once, proper_name, whole_number

CROWDS, OF_CROWDS = "boxes of crowds", "relations of crowds"


def read(splits: Mapping[Split, Path]) -> AnnotatedSet:
    """The photos of the files of both splits. DataError at the first entry that breaks a rule.

    The names of all splits have to be equal. Crowds are no objects, and are left out with their relations.
    """
    vocabularies, photos, left_out = {}, [], Counter()
    for split, path in splits.items():
        content = read_json(path)
        classes, predicates = (_names(path, content, key) for key in ("categories", "rel_categories"))
        vocabularies[path] = Vocabulary(tuple(classes.values()), tuple(predicates.values()))
        photos += _photos(path, split, content, _labels(classes), _labels(predicates), left_out)
    first, *others = vocabularies
    for path in others:
        if vocabularies[path] != vocabularies[first]:
            rule = f"its names are not those of {first}"
            raise DataError(path, "categories and rel_categories", rule, "number both files' names alike")
    return annotated(first, vocabularies[first], photos, left_out)


def _names(path: Path, content: Any, key: str) -> dict[int, str]:
    """{id: name} in the order of ids."""
    entries = [
        (
            whole_number(path, f"'{key}', entry {place}", entry, "id"),
            field(path, f"'{key}', entry {place}", entry, "name"),
        )
        for place, entry in enumerate(field(path, "file", content, key, list))
    ]
    once(path, f"'{key}', id", (number for number, _ in entries))
    check_names(path, f"'{key}'", (name for _, name in entries))
    return dict(sorted(entries))


def _labels(names: Mapping[int, str]) -> dict[int, int]:
    return {number: label for label, number in enumerate(names, start=1)}


def _photos(
    path: Path, split: Split, content: Any, classes: dict[int, int], predicates: dict[int, int], left_out: Counter
) -> list[Photo]:
    images = _by_id(path, content, "images", "image")
    boxes, crowds = _boxes(path, content, images, classes)
    places = {number: place for of_image in boxes.values() for place, number in enumerate(of_image)}
    relations, of_crowds = _relations(path, content, {**_images_of(boxes), **crowds}, crowds, predicates)
    left_out.update({CROWDS: len(crowds), OF_CROWDS: of_crowds})
    return [
        photo(
            proper_name(path, f"image {image_id}", field(path, f"image {image_id}", record, "file_name")),
            split,
            [corners for _, corners in boxes[image_id].values()],
            [label for label, _ in boxes[image_id].values()],
            [(places[subject], places[object_], label) for subject, object_, label in relations[image_id]],
            size=_size(path, f"image {image_id}", record),
            shared=None
            if record.get("coco_id") is None
            else whole_number(path, f"image {image_id}", record, "coco_id", 0),
        )
        for image_id, record in images.items()
    ]


def _size(path: Path, item: str, record: Any) -> tuple[int, int]:
    height, width = (whole_number(path, item, record, key, 1, MOST_PIXELS) for key in ("height", "width"))
    return height, width


def _by_id(path: Path, content: Any, key: str, kind: str) -> dict[int, Any]:
    entries = field(path, "file", content, key, list)
    numbers = [whole_number(path, f"'{key}', entry {place}", entry, "id") for place, entry in enumerate(entries)]
    once(path, kind, numbers)
    return dict(zip(numbers, entries, strict=True))


def _boxes(path: Path, content: Any, images: Mapping[int, Any], classes: Mapping[int, int]) -> tuple[Any, dict]:
    """{image: {annotation: (label, corners)}}, and {annotation: image} of crowds."""
    boxes, crowds = defaultdict(dict), {}
    for number, record in _by_id(path, content, "annotations", "annotation").items():
        item = f"annotation {number}"
        image_id = _known(path, item, record, "image_id", images)
        label = classes[_known(path, item, record, "category_id", classes)]
        x, y, width, height = four_numbers(path, item, field(path, item, record, "bbox"))
        if width < 0 or height < 0:
            rule = f"its box [x, y, width, height] is {record['bbox']}, with a negative size"
            raise DataError(path, item, rule, CORRECT)
        if record.get("iscrowd"):
            crowds[number] = image_id
        else:
            boxes[image_id][number] = (label, (x, y, x + width, y + height))
    return boxes, crowds


def _images_of(boxes: Mapping[int, Mapping[int, Any]]) -> dict[int, int]:
    return {number: image_id for image_id, of_image in boxes.items() for number in of_image}


def _relations(
    path: Path, content: Any, owners: Mapping[int, int], crowds: Mapping[int, int], predicates: Mapping[int, int]
) -> tuple[Any, int]:
    """{image: [(subject, object, label)]} with ids of annotations, and the number of relations of crowds."""
    relations, of_crowds = defaultdict(list), 0
    for place, record in enumerate(field(path, "file", content, "rel_annotations", list)):
        item = f"'rel_annotations', entry {place}"
        ends = [_known(path, item, record, role, owners) for role in ("subject_id", "object_id")]
        label = predicates[_known(path, item, record, "predicate_id", predicates)]
        image_id = whole_number(path, item, record, "image_id")
        if any(owners[end] != image_id for end in ends):
            rule = f"joins annotations {ends[0]} and {ends[1]}, which are not both of image {image_id}"
            raise DataError(path, item, rule, CORRECT)
        if any(end in crowds for end in ends):
            of_crowds += 1
        else:
            relations[image_id].append((*ends, label))
    return relations, of_crowds


def _known(path: Path, item: str, record: Any, key: str, known: Mapping[int, Any]) -> int:
    number = whole_number(path, item, record, key)
    if number not in known:
        raise DataError(path, item, f"'{key}' is {number}, which the file does not list", CORRECT)
    return number
