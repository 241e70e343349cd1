import base64
import hashlib
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from made_graphs import graph, nothing
from PIL import Image

from segsg.figures.style import ink_on
from segsg.photos.drawing import Tag, drawing, heat, hidden, numbered, outline
from segsg.photos.graph import Origin, PhotoGraph, Region, Relation
from segsg.photos.page import index_page, masks_from, overlay, photo_page, thumbnail

EVIL = '<script>alert("x")</script>'
ORIGIN = Origin("mini")


class Elements(HTMLParser):
    """(tag, attributes) of everything on a page, and the text of each script and style."""

    def __init__(self, page):
        super().__init__()
        self.found, self.inside, self.open = [], {"script": [], "style": []}, None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        self.open = tag

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, text):
        if self.open in self.inside:
            self.inside[self.open].append(text)

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def test_names_are_text_and_never_code():
    origin = Origin(EVIL, EVIL)
    made = replace(graph([(0, EVIL, 1)], names=(EVIL, "horse", "hat")), origin=origin)
    shown = photo_page(made, f"{EVIL}.jpg", index=True)
    listed = index_page([thumbnail(made, EVIL, f"{EVIL}.jpg")], [EVIL], origin)
    for page in (shown, listed):
        assert "alert(" in page
        assert EVIL not in page
    assert len(Elements(shown).all("script")) == 1
    assert len(Elements(listed).all("script")) == 1


@pytest.mark.parametrize("made", [graph(), graph(masked=False), nothing()], ids=["masks", "no masks", "nothing"])
def test_a_page_asks_the_network_for_nothing(made):
    page = photo_page(made, "a.jpg")
    addresses = [a[key] for _, a in Elements(page).found for key in ("href", "src") if key in a]
    assert addresses
    assert all(address.startswith("data:image/") for address in addresses)
    assert "url(" not in page
    assert "http" not in re.sub(r"http-equiv", "", page)


def test_its_policy_allows_its_own_style_and_script_and_nothing_else():
    page = Elements(photo_page(graph(), "a.jpg"))
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src data:")
    assert "unsafe" not in policy
    for kind, texts in page.inside.items():
        assert digest("".join(texts)) in policy, kind
    assert not [a for _, a in page.found if "style" in a or any(name.startswith("on") for name in a)]


def digest(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_list_of_relations_is_a_table_with_buttons_that_speak():
    page = Elements(photo_page(graph([(0, "rides", 1), (2, "on", 0)]), "a.jpg"))
    rows = [a for a in page.all("tr") if "data-relation" in a]
    assert [(a["data-subject"], a["data-object"]) for a in rows] == [("0", "1"), ("2", "0")]
    spoken = [a["aria-label"] for a in page.all("button") if "aria-label" in a]
    assert spoken == ["man rides horse: show in the photo", "hat on man: show in the photo"]
    heats = [a for a in page.all("image") if a.get("class") == "heat"]
    assert [a["data-relation"] for a in heats] == ["0", "1"]
    assert (heats[0]["x"], heats[0]["width"]) == ("10.0", "60.0")


def test_a_warning_is_on_every_page_and_no_other_page_has_a_banner():
    warned = Origin("mini", "Only drawings.")
    assert 'class="banner"' in photo_page(replace(graph(), origin=warned), "a.jpg")
    assert "Only drawings." in index_page([], [], warned)
    assert 'class="banner"' not in photo_page(graph(), "a.jpg")


def test_a_photo_in_which_nothing_was_found_says_so():
    page = photo_page(nothing(), "a.jpg")
    assert "No relation was found." in page
    assert "0 objects, 0 relations." in page
    assert "<table" not in page
    assert overlay(nothing(), "a.jpg").axes


def test_pictures_carry_the_warning_too():
    made = replace(graph(), origin=Origin("mini", "Only drawings."))
    assert overlay(made, "a.jpg").get_suptitle() == "a.jpg (not for photographs)"


def test_the_same_graph_is_the_same_page():
    assert photo_page(graph(), "a.jpg") == photo_page(graph(), "a.jpg")


def test_links_of_the_index_lead_to_files_with_any_name():
    links = [a["href"] for a in Elements(index_page([thumbnail(graph(), "a b#?", "x")], [], ORIGIN)).all("a")]
    assert links[:2] == ["relations.csv", "graphs.jsonl"]
    assert links[2] == "a%20b%23%3F.html"


def test_an_outline_encloses_its_mask_and_leaves_out_its_hole():
    mask = np.zeros((40, 60), dtype=bool)
    mask[10:30, 20:50] = True
    mask[15:25, 30:40] = False
    outer, inner = sorted(outline(mask).split("Z")[:2], key=len, reverse=True)
    for path, (left, top, right, bottom) in ((outer, (20, 10, 50, 30)), (inner, (30, 15, 40, 25))):
        points = np.array(re.findall(r"[\d.]+", path), dtype=float).reshape(-1, 2)
        assert np.abs(points.min(axis=0) - (left, top)).max() < 0.6
        assert np.abs(points.max(axis=0) - (right, bottom)).max() < 0.6
    assert outline(np.zeros((9, 9), dtype=bool)) == ""


def test_heat_is_brightest_where_the_weights_are():
    weights = np.zeros((28, 28), dtype=np.float32)
    weights[4, 20] = 1e-3
    alpha = np.asarray(Image.open(io.BytesIO(base64.b64decode(heat(weights).partition(",")[2]))))[..., 3]
    row, column = np.unravel_index(alpha.argmax(), alpha.shape)
    assert abs(row / 4 - 4.5) < 1
    assert abs(column / 4 - 20.5) < 1
    assert alpha[80, 20] == 0


def test_regions_of_one_name_are_told_apart():
    assert numbered(["man", "hat", "man"]) == ["man 1", "hat", "man 2"]


@pytest.mark.parametrize(("colour", "ink"), [("#0072b2", "#ffffff"), ("#e69f00", "#22303c"), ("#56b4e9", "#22303c")])
def test_letters_are_dark_on_light_colours(colour, ink):
    assert ink_on(colour) == ink


def test_tags_stay_inside_the_photo():
    drawn = drawing(graph([(0, "rides", 1), (2, "on", 0)]))
    for region in drawn.regions:
        assert 0 <= region.tag.x <= region.tag.x + region.tag.width <= drawn.width
        assert 0 <= region.tag.y <= region.tag.y + region.tag.height <= drawn.height


def test_tags_of_a_crowd_do_not_hide_each_other():
    regions = tuple(Region("traffic light", 0.9, (4.0 + x, 60.0, 9.0 + x, 66.0), None) for x in range(6))
    made = PhotoGraph(np.zeros((120, 200, 3), np.uint8), regions, tuple(Relation(i, "on", 0, 0.5) for i in range(1, 6)))
    tags = [region.tag for region in drawing(made).regions]
    for i, tag in enumerate(tags):
        half = np.array([tag.width, tag.height]) / 2
        assert hidden(np.array([tag.middle]), half, tags[:i] + tags[i + 1 :]).tolist() == [0.0]
    assert hidden(np.zeros((2, 2)), np.ones(2), []).tolist() == [0.0, 0.0]
    assert hidden(np.zeros((1, 2)), np.ones(2), [Tag(0.0, -1.0, 4.0, 2.0, 1.0)]).tolist() == [2.0]


def test_a_page_says_where_its_masks_are_from():
    made = graph()
    given, found, box = made.regions
    mixed = replace(made, regions=(replace(given, given=True), found, replace(box, runs=None)))
    said = "Masks: 1 given with their objects, 1 found by the bundle, 1 not known, so that the box stands for them."
    assert said in photo_page(mixed, "a.jpg")
    for kind in ("given", "found", "box"):
        assert f"mask: {kind}</span>" in photo_page(mixed, "a.jpg")
    assert masks_from(nothing()) == ""
