import json

import jsonschema
import pytest
from made_graphs import graph, nothing
from pycocotools import mask as coco_masks

from segsg.photos import record

SCHEMA = json.loads(record.SCHEMA.read_text(encoding="utf-8"))


def valid(graph, warning=None):
    made = json.loads(record.text(graph, "a.jpg", "mini", warning))
    jsonschema.Draft202012Validator(SCHEMA).validate(made)
    return made


@pytest.mark.parametrize("made", [graph(), graph(masked=False), nothing()], ids=["masks", "no masks", "nothing"])
def test_files_are_as_the_schema_says(made):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert valid(made)["photo"] == {"file": "a.jpg", "width": 80, "height": 60}


def test_a_mask_is_read_by_pycocotools():
    made = valid(graph())
    runs = made["regions"][0]["mask"]
    assert runs["size"] == [60, 80]
    assert (coco_masks.decode(runs).astype(bool) == graph().regions[0].mask).all()


def test_relations_refer_to_regions_and_the_warning_is_there():
    made = valid(graph([(0, "rides", 1), (2, "on", 0)]), "only drawings")
    assert made["warning"] == "only drawings"
    assert made["relations"][1] == {"subject": 2, "predicate": "on", "object": 0, "score": 0.4}


def test_a_file_with_something_else_in_it_is_not_valid():
    made = valid(graph()) | {"version": 2}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(made)
