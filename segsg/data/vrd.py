"""Annotations of the Visual Relationship Detection set (Lu et al., ECCV 2016) in its own format: relations, no pixels.

annotations_SPLIT.json is {photo: [{"subject": region, "object": region, "predicate": number}, ...]}; a region is
{"category": number, "bbox": [y1, y2, x1, x2]} in pixels. Numbers count from 0 in objects.json and predicates.json,
which are lists of names. A region that several relations share is written out in each.
"""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from segsg.data.words import Vocabulary, check_names
from segsg.files import DataError, read_json
from segsg.structures import Sample
from segsg.values import CORRECT, are_finite, field, whole_number

Annotation = tuple[Float[Tensor, "_ 4"], Int[Tensor, "_"], Int[Tensor, "_ 3"]]
"""boxes xyxy, labels, and rows (subject, object, predicate) of one photo; labels and predicates count from 1"""
Region = tuple[int, float, float, float, float]
"""label, x1, y1, x2, y2"""


def read_vocabulary(objects: Path, predicates: Path) -> Vocabulary:
    """Names of classes and predicates from VRD's two lists. DataError for a file that is no list of distinct names."""
    return Vocabulary(_names(objects), _names(predicates))


def _names(path: Path) -> tuple[str, ...]:
    names = read_json(path)
    if type(names) is not list:
        raise DataError(path, "file", "is not a list of names", "give VRD's objects.json and predicates.json")
    check_names(path, "names", names)
    return tuple(names)


class RelationSet:
    """The annotated photos of a file, in its order; `alone` counts relations of a region with itself, left out here.

    It is a data set for views and counts, and has no pixels. DataError names photo and relation that break a rule.
    """

    def __init__(self, photos: dict[str, Annotation], vocabulary: Vocabulary, alone: int):
        self.names, self.vocabulary, self.alone = tuple(photos), vocabulary, alone
        self.image_ids = list(range(len(photos)))
        self._photos = list(photos.values())

    @classmethod
    def read(cls, path: Path, vocabulary: Vocabulary) -> "RelationSet":
        """All photos of a file, also those without a relation."""
        content = read_json(path)
        if type(content) is not dict or not content:
            raise DataError(path, "file", "is not an object {photo: relations}", "give VRD's annotations_SPLIT.json")
        photos, alone = {}, 0
        for name, relations in content.items():
            if type(relations) is not list:
                raise DataError(path, f"photo {name!r:.60}", "is not a list of relations", CORRECT)
            photos[name], left_out = _photo(path, f"photo {name!r:.60}", relations, vocabulary)
            alone += left_out
        return cls(photos, vocabulary, alone)

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, index: int) -> Sample:
        """ValueError: a sample has pixels, and annotations alone have none."""
        raise ValueError(f"photo {self.names[index]}: its annotations are here, its pixels are not; ask `annotation`")

    def annotation(self, index: int) -> Annotation:
        """Boxes, labels and relations of a photo."""
        return self._photos[index]


def _photo(path: Path, item: str, relations: list, vocabulary: Vocabulary) -> tuple[Annotation, int]:
    places: dict[Region, int] = {}
    rows = []
    for number, relation in enumerate(relations):
        where = f"{item}, relation {number}"
        ends = [field(path, where, relation, role, dict) for role in ("subject", "object")]
        subject, role_object = (
            places.setdefault(_region(path, where, end, len(vocabulary.classes)), len(places)) for end in ends
        )
        predicate = whole_number(path, where, relation, "predicate", 0, len(vocabulary.predicates) - 1) + 1
        rows.append((subject, role_object, predicate))
    regions = torch.tensor(list(places), dtype=torch.float32).reshape(-1, 5)
    kept = [row for row in rows if row[0] != row[1]]
    found = torch.tensor(kept, dtype=torch.int64).reshape(-1, 3)
    return (regions[:, 1:], regions[:, 0].long(), found), len(rows) - len(kept)


def _region(path: Path, where: str, region: dict, classes: int) -> Region:
    label = whole_number(path, where, region, "category", 0, classes - 1) + 1
    box: Any = field(path, where, region, "bbox", list)
    if len(box) != 4 or not are_finite(box) or box[0] > box[1] or box[2] > box[3]:
        rule = f"'bbox' {box!r:.60} is not [y1, y2, x1, x2] with y1 <= y2 and x1 <= x2"
        raise DataError(path, where, rule, CORRECT)
    top, bottom, left, right = box
    return label, float(left), float(top), float(right), float(bottom)
