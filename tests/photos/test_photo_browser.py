"""The page of a photo in a browser: what lights up under a pointer, a click and the keyboard, and what stays lit."""

from dataclasses import replace

import pytest
from browser import axe_violations, clicked, why_no_axe, why_not
from made_graphs import graph, nothing

from segsg.photos.graph import Origin
from segsg.photos.page import index_page, photo_page, thumbnail

EVIL = "<img src=x onerror=alert(1)>"
RELATIONS = ((0, "rides", 1), (0, EVIL, 2))
"""Subjects and objects by place: relation 0 joins regions 0 and 1, relation 1 joins 0 and 2."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory) -> dict:
    """What photo_clicks.js wrote down."""
    if reason := why_not():
        pytest.skip(reason)
    folder, origin = tmp_path_factory.mktemp("photos"), Origin("mini", EVIL)
    made = replace(graph(RELATIONS), origin=origin)
    (folder / "photo.html").write_text(photo_page(made, f"{EVIL}.jpg", index=True), encoding="utf-8")
    index = index_page([thumbnail(made, "photo", f"{EVIL}.jpg")], [EVIL], origin)
    (folder / "index.html").write_text(index, encoding="utf-8")
    return clicked(folder, "photo_clicks.js")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_core_finds_nothing_wrong(dark, tmp_path):
    if reason := why_no_axe():
        pytest.skip(reason)
    crowd = replace(graph([(0, "rides", 1), (1, "under", 0), (2, "on", 0)]), origin=Origin("mini", "Only drawings."))
    made = {"crowd": crowd, "boxes": graph(masked=False), "nothing": nothing()}
    for name, one in made.items():
        (tmp_path / f"{name}.html").write_text(photo_page(one, f"{name}.jpg", index=True), encoding="utf-8")
    thumbnails = [thumbnail(one, name, f"{name}.jpg") for name, one in made.items()]
    index = index_page(thumbnails, ["broken.jpg: no photo"], crowd.origin)
    (tmp_path / "index.html").write_text(index, encoding="utf-8")
    found = axe_violations(tmp_path, dark)
    assert found["noted"] == [] and found["looked"] == 2 * (1 + len(made))
    assert found["violations"] == []


def all_lit(turn: dict) -> dict:
    return {kind: sorted(turn[kind]) for kind in ("masks", "glows", "edges", "nodes", "rows")}


DARK = {"masks": [], "glows": [], "edges": [], "nodes": [], "rows": []}
FIRST = {"masks": ["0", "1"], "glows": ["0"], "edges": ["0"], "nodes": ["0", "1"], "rows": ["0"]}
SECOND = {"masks": ["0", "2"], "glows": ["1"], "edges": ["1"], "nodes": ["0", "2"], "rows": ["1"]}


def test_nothing_goes_wrong(outcome):
    """No script error, no request to elsewhere, and no name of the data that runs."""
    assert outcome["noted"] == []


def test_nothing_is_lit_at_first(outcome):
    turn = outcome["turns"]["at first"]
    assert all_lit(turn) == DARK and not turn["veiled"]
    assert turn["said"].startswith("3 objects, 2 relations.")


def test_pointing_at_a_relation_lights_its_two_masks_and_its_glow(outcome):
    turn = outcome["turns"]["pointed at an edge"]
    assert all_lit(turn) == FIRST and turn["veiled"] and turn["said"].startswith("man rides horse")
    assert all_lit(outcome["turns"]["left it"]) == DARK


def test_a_click_keeps_a_relation_lit(outcome):
    turns = outcome["turns"]
    assert all_lit(turns["clicked a relation"]) == SECOND and turns["clicked a relation"]["pressed"] == ["1"]
    assert all_lit(turns["pointed elsewhere"]) == FIRST
    assert all_lit(turns["came back"]) == SECOND
    assert all_lit(turns["clicked it again"]) == DARK and turns["clicked it again"]["pressed"] == []


def test_a_node_lights_all_its_relations_without_their_glows(outcome):
    turn = outcome["turns"]["clicked a node"]
    assert all_lit(turn) == {
        "masks": ["0", "1", "2"],
        "glows": [],
        "edges": ["0", "1"],
        "nodes": ["0", "1", "2"],
        "rows": ["0", "1"],
    }


def test_escape_puts_everything_out(outcome):
    assert all_lit(outcome["turns"]["pressed Escape"]) == DARK


def test_the_keyboard_does_what_the_pointer_does(outcome):
    turn = outcome["turns"]["tabbed to an object"]
    assert turn["veiled"] and len(turn["objects"]) >= 2


def test_an_address_names_a_relation(outcome):
    assert all_lit(outcome["turns"]["followed a link"]) == SECOND


def test_the_page_fits_a_phone(outcome):
    assert outcome["wide"] is False
