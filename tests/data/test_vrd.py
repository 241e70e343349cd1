"""Annotations in VRD's own format, and what is said of files that are none."""

import json

import pytest
import torch
from torch.testing import assert_close

from segsg.data.views import Subset
from segsg.data.vrd import RelationSet, read_vocabulary
from segsg.data.words import Vocabulary
from segsg.files import DataError
from segsg.study.prepare import predicate_counts

NAMES = Vocabulary(("person", "horse"), ("ride", "near"))
PERSON = {"category": 0, "bbox": [10, 50, 20, 40]}
HORSE = {"category": 1, "bbox": [30, 90, 5, 95]}


def relation(subject, predicate, role_object):
    return {"subject": subject, "predicate": predicate, "object": role_object}


def read(tmp_path, content):
    path = tmp_path / "annotations_train.json"
    path.write_text(json.dumps(content))
    return RelationSet.read(path, NAMES)


def test_regions_are_written_once_and_relations_point_to_them(tmp_path):
    photos = read(tmp_path, {"a.jpg": [relation(PERSON, 0, HORSE), relation(HORSE, 1, PERSON)], "b.jpg": []})
    boxes, labels, relations = photos.annotation(0)
    assert_close(boxes, torch.tensor([[20.0, 10, 40, 50], [5, 30, 95, 90]]))
    assert labels.tolist() == [1, 2] and relations.tolist() == [[0, 1, 1], [1, 0, 2]]
    assert [len(part) for part in photos.annotation(1)] == [0, 0, 0] and photos.names == ("a.jpg", "b.jpg")


def test_boxes_that_are_alike_and_named_differently_are_two_regions(tmp_path):
    other = PERSON | {"category": 1}
    assert read(tmp_path, {"a.jpg": [relation(PERSON, 0, other)]}).annotation(0)[1].tolist() == [1, 2]


def test_a_relation_of_a_region_with_itself_is_left_out_and_counted(tmp_path):
    photos = read(tmp_path, {"a.jpg": [relation(PERSON, 0, PERSON), relation(PERSON, 0, HORSE)]})
    assert photos.alone == 1 and photos.annotation(0)[2].tolist() == [[0, 1, 1]]


def test_views_and_counts_take_it_for_a_data_set(tmp_path):
    photos = read(tmp_path, {"a.jpg": [], "b.jpg": [relation(PERSON, 0, HORSE), relation(PERSON, 0, HORSE)]})
    with pytest.raises(ValueError, match=r"photo b.jpg: its annotations are here, its pixels are not"):
        photos[1]
    some = Subset(photos, [1])
    assert some.image_ids == [1] and len(some.annotation(0)[1]) == 2
    counts = predicate_counts(some, 3, 3)
    assert counts[1, 2].tolist() == [1, 2, 0] and counts[2, 1].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ([], "is not an object"),
        ({}, "is not an object"),
        ({"a.jpg": {}}, "photo 'a.jpg': is not a list of relations"),
        ({"a.jpg": [relation(PERSON, 2, HORSE)]}, "relation 0: 'predicate' is 2, more than 1"),
        ({"a.jpg": [relation(PERSON, 0, HORSE | {"category": -1})]}, "'category' is -1, less than 0"),
        ({"a.jpg": [relation(PERSON, 0, HORSE | {"bbox": [9, 3, 0, 5]})]}, "is not \\[y1, y2, x1, x2\\]"),
        ({"a.jpg": [relation(PERSON, 0, HORSE | {"bbox": [0, 3, 0, None]})]}, "is not \\[y1, y2, x1, x2\\]"),
        ({"a.jpg": [relation(PERSON, 0, HORSE | {"bbox": [0, 3, 0]})]}, "is not \\[y1, y2, x1, x2\\]"),
        ({"a.jpg": [{"subject": PERSON, "predicate": 0}]}, "has no 'object'"),
        ({"a.jpg": [relation(PERSON, True, HORSE)]}, "'predicate' is True"),
        ({"a.jpg": ["near"]}, "has no 'subject'"),
    ],
)
def test_what_breaks_a_rule_is_named(tmp_path, content, rule):
    with pytest.raises(DataError, match=rule):
        read(tmp_path, content)


def test_names_are_two_lists(tmp_path):
    objects, predicates = tmp_path / "objects.json", tmp_path / "predicates.json"
    objects.write_text('["person", "horse"]')
    predicates.write_text('["ride", "near"]')
    assert read_vocabulary(objects, predicates) == NAMES
    predicates.write_text('{"ride": 1}')
    with pytest.raises(DataError, match=r"predicates.json: file: is not a list of names"):
        read_vocabulary(objects, predicates)


def test_the_real_annotations(real):
    listed = json.loads((real / "vrd_in_vg_layout/VG-SGG-dicts.json").read_text())
    sizes = len(listed["label_to_idx"]), len(listed["predicate_to_idx"])
    vocabulary = Vocabulary(*(tuple(f"name {i}" for i in range(size)) for size in sizes))
    train, test = (RelationSet.read(real / f"vrd/annotations_{split}.json", vocabulary) for split in ("train", "test"))
    relations = [sum(len(photos.annotation(i)[2]) for i in range(len(photos))) for photos in (train, test)]
    assert (len(train), len(test)) == (4000, 1000) and (train.alone, test.alone) == (83, 26)
    assert relations == [30_355 - 83, 7_638 - 26]
