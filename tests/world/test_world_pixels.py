"""Annotated relations are true in the pixels, whatever the boxes say."""

import itertools
from collections import Counter

import numpy as np
import pytest

from segsg.world.classes import ENGAGED, GRAPH_CAST, GRAPH_CLASSES, PREDICATES, held_out
from segsg.world.figure import Figure
from segsg.world.images import Place, draw_image
from segsg.world.render import NEAR_GAP, render
from segsg.world.scene import Scene

VAGUE = {"has", "on", "near"}
"""a vaguer word may replace the exact one, so that these promise contact or nearness only"""


def drawn(split, count, side=160):
    return [draw_image(Place(0, "scene_graphs", split, i, i + 1, side)) for i in range(count)]


@pytest.fixture(scope="module")
def test_images():
    return drawn("test", 45)


@pytest.fixture(scope="module")
def train_images():
    return drawn("train", 110)


def relations(images):
    for image in images:
        numbers = image.annotation.numbers
        for subject, predicate, object_ in image.annotation.relations:
            yield image.picture, numbers[subject], predicate, numbers[object_]


def touch(picture, a, b):
    """Whether seen pixels of a and b are neighbours, found by shifting masks."""
    one, other = (np.pad(picture.mask(int(i)), 1) for i in (a, b))
    return any(bool((np.roll(one, shift, axis) & other).any()) for shift in (-1, 1) for axis in (0, 1))


def test_engaged_and_touching_relations_touch(test_images):
    for picture, a, predicate, b in relations(test_images):
        if predicate in (*ENGAGED, "on", "leaning on", "hanging from"):
            assert touch(picture, a, b), predicate


def test_engaged_relations_cover_each_other(test_images):
    for picture, a, predicate, b in relations(test_images):
        if predicate in ENGAGED and predicate not in VAGUE:
            assert min(picture.covers[a, b], picture.covers[b, a]) >= 3, predicate


def test_in_front_and_behind_follow_occlusion(test_images):
    seen = Counter()
    for picture, a, predicate, b in relations(test_images):
        if predicate in ("in front of", "behind"):
            nearer, farther = (a, b) if predicate == "in front of" else (b, a)
            assert picture.covers[nearer, farther] > 2 * picture.covers[farther, nearer]
            seen[predicate] += 1
    assert min(seen["in front of"], seen["behind"]) > 20


def test_near_keeps_a_gap_that_a_coarse_mask_shows(test_images):
    gaps = [picture.gap(a, b) for picture, a, predicate, b in relations(test_images) if predicate == "near"]
    assert np.mean([NEAR_GAP[0] <= gap <= NEAR_GAP[1] for gap in gaps]) > 0.95


def test_contact_is_what_shifted_masks_find_and_leaves_no_gap(test_images):
    picture = test_images[0].picture
    shown = [int(i) for i in np.unique(picture.owner[picture.owner >= 0])]
    assert [picture.area[i] for i in shown] == [picture.mask(i).sum() for i in shown]
    for a, b in itertools.permutations(shown, 2):
        assert (picture.contact[a, b] > 0) == touch(picture, a, b)
        assert picture.contact[a, b] == 0 or picture.gap(a, b) < 2.3


def test_covers_counts_what_a_later_figure_hides():
    scene = Scene(np.random.default_rng(0), GRAPH_CAST)
    for depth, x in ((0.0, 50.0), (1.0, 60.0)):
        figure = Figure("poster")
        figure.back.block(x, 100.0, 10.0, 20.0, (200, 0, 0))
        scene.put(figure, depth)
    picture = render(scene, 160)
    assert picture.covers[0, 1] == 0
    assert abs(picture.covers[1, 0] - 10 * 20) <= 32
    assert picture.incidental(1, 0) == "in front of" and picture.incidental(0, 1) == "behind"


def triplets(images):
    for image in images:
        names = image.annotation.names
        yield from ((names[s], p, names[o]) for s, p, o in image.annotation.relations)


def test_held_out_triplets_are_absent_from_training_and_present_in_test(train_images, test_images):
    assert not any(held_out(*triplet) for triplet in triplets(train_images))
    assert sum(held_out(*triplet) for triplet in triplets(test_images)) > 10


def test_scenes_are_as_full_as_needed(test_images):
    counts = [len(image.annotation.names) for image in test_images]
    assert 10 <= np.mean(counts) <= 14


def test_tail_is_long_but_present(train_images):
    counts = Counter(predicate for _, predicate, _ in triplets(train_images))
    assert set(counts) == set(PREDICATES)
    assert counts["in front of"] > 5 * counts["leaning on"]


def test_a_larger_side_shows_the_same_world():
    small, large = (draw_image(Place(0, "scene_graphs", "test", 3, 1, side)) for side in (160, 320))
    assert large.picture.photo.shape == (320, 320, 3)
    common = set(small.annotation.numbers) & set(large.annotation.numbers)
    assert len(common) >= 0.8 * len(small.annotation.numbers)
    for i in common:
        boxes = [np.array(image.picture.extent(i)) * 160 / side for image, side in ((small, 160), (large, 320))]
        assert np.abs(boxes[0] - boxes[1]).max() <= 3


def test_all_classes_appear(train_images):
    assert {name for image in train_images for name in image.annotation.names} == set(GRAPH_CLASSES)
