import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from made_graphs import graph, nothing
from pycocotools import mask as coco_masks

from segsg.photos.graph import SCHEMA, Origin, from_dict, shrunk

RULES = json.loads(SCHEMA.read_text(encoding="utf-8"))


def valid(graph, warning=None):
    made = json.loads(json.dumps(replace(graph, origin=Origin("mini", warning)).to_dict("a.jpg")))
    jsonschema.Draft202012Validator(RULES).validate(made)
    return made


@pytest.mark.parametrize("made", [graph(), graph(masked=False), nothing()], ids=["masks", "no masks", "nothing"])
def test_files_are_as_the_schema_says(made):
    jsonschema.Draft202012Validator.check_schema(RULES)
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
    made = valid(graph()) | {"version": 1}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(RULES).validate(made)


def test_a_large_photo_is_shown_at_the_size_of_a_screen():
    made = graph()
    large = replace(made, image=np.repeat(np.repeat(made.image, 30, axis=0), 30, axis=1))
    small = shrunk(large, 600)
    assert small.size == (450, 600)
    assert shrunk(made) is made


def test_a_graph_says_itself_in_words():
    assert repr(graph()) == "3 regions, 1 relation: man rides horse (0.80)"
    assert repr(nothing()) == "0 regions, 0 relations"
    assert repr(graph([(0, "a", 1)] * 4)).endswith("man a horse (0.27), ...")


def test_a_graph_is_handed_on_to_other_programs(tmp_path):
    made = graph()
    coco = made.to_coco(7, {"man": 1, "horse": 2, "hat": 3})
    assert (coco[0]["category_id"], coco[0]["bbox"]) == (1, [10.0, 5.0, 20.0, 35.0])
    assert coco[0]["segmentation"] == made.regions[0].runs
    net = made.to_networkx()
    assert net.nodes[1]["name"] == "horse"
    assert list(net.edges(data="predicate")) == [(0, 1, "rides")]
    again = from_dict(json.loads(json.dumps(made.to_dict())), made.image)
    assert again.regions == made.regions
    assert "<iframe" in made._repr_html_()
    for name in ("x.html", "x.json", "x.png"):
        made.save(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 500
    with pytest.raises(ValueError, match=r"a graph is saved as \.html, \.json or \.png"):
        made.save(tmp_path / "x.txt")
