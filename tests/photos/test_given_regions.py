"""Regions that a user gives to a study's model: names, boxes, and masks in the place of its own."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from made_graphs import MINI

from segsg.grounding.segmenter import Segmenter
from segsg.photos.bundle import load_bundle
from segsg.photos.found import Found, nothing
from segsg.photos.given import GivenRegions, GivenSegmenter, in_boxes
from segsg.photos.graph import runs_of
from segsg.structures import Regions, one_hot

SAMPLE = MINI / "samples" / "2201.jpg"


@pytest.fixture(scope="module")
def mini():
    return load_bundle(MINI, "cpu")


@pytest.fixture(scope="module")
def found(mini):
    """What the model itself finds, of which every other region has its mask."""
    regions = mini.predict(SAMPLE).regions[:6]
    masks = tuple(None if i % 2 else r.runs for i, r in enumerate(regions))
    boxes, scores = np.array([r.box for r in regions]), np.array([r.score for r in regions])
    return Found(tuple(r.name for r in regions), scores, boxes, masks)


def regions(probabilities, given, has_mask):
    n = len(probabilities)
    logits = torch.linspace(-3, 3, n * 2 * 4).reshape(n, 2, 2, 2)
    boxes, image = torch.tensor([[0.0, 0, 8, 8]]).repeat(n, 1), torch.zeros(n, dtype=torch.long)
    values = (boxes, image, torch.ones(n, dtype=torch.long), probabilities, [(8, 8)], logits)
    return Regions(*values), GivenRegions(*values, given=given, has_mask=torch.tensor(has_mask))


def test_a_certain_class_takes_the_given_mask_and_no_other_class_does():
    plain, given = regions(one_hot(torch.tensor([1, 2]), 3), torch.full((2, 2, 2), 0.25), [True, False])
    segmenter = Segmenter(torch.eye(2))
    expected = segmenter(plain)
    expected[0, 1] = 0.25
    torch.testing.assert_close(GivenSegmenter(segmenter)(given), expected)
    torch.testing.assert_close(GivenSegmenter(segmenter)(plain), segmenter(plain))


def test_without_a_certain_class_every_class_takes_it_but_background_has_none():
    belief = torch.tensor([[0.1, 0.6, 0.3], [0.2, 0.4, 0.4]])
    plain, given = regions(belief, torch.full((2, 2, 2), 0.25), [False, True])
    expected = Segmenter(torch.eye(2))(plain)
    expected[1, 1:] = 0.25
    torch.testing.assert_close(GivenSegmenter(Segmenter(torch.eye(2)))(given), expected)


def test_a_given_mask_is_in_the_frame_of_its_box():
    mask = np.zeros((60, 80), dtype=bool)
    mask[10:38, 20:34] = True
    pair = Found(("a", "b"), np.ones(2), np.array([[20.0, 10, 48, 38]] * 2), (runs_of(mask), None))
    masks, has_mask = in_boxes(pair)
    assert has_mask.tolist() == [True, False]
    np.testing.assert_array_equal(masks[0], np.repeat([[1.0] * 14 + [0.0] * 14], 28, axis=0))
    assert masks[1].sum() == 0
    assert in_boxes(nothing())[0].shape == (0, 28, 28)


def test_names_are_trusted_and_the_page_knows_whose_masks_are_whose(mini, found):
    (graph,) = mini.relate_all([SAMPLE], [found], threshold=0.0)
    assert tuple(r.name for r in graph.regions) == found.names
    np.testing.assert_allclose([r.score for r in graph.regions], found.scores, rtol=1e-6)
    np.testing.assert_allclose([r.box for r in graph.regions], found.boxes, atol=1e-3)
    assert [r.mask_from for r in graph.regions] == ["given", "found"] * 3
    assert [r.runs for r in graph.regions][::2] == list(found.masks)[::2]
    assert graph.relations and all(relation.where is not None for relation in graph.relations)


def test_given_masks_reach_the_relations(mini, found):
    """Other masks in the same boxes are other probabilities; no masks are what the model finds itself."""
    size = (160, 160)
    empty = replace(found, masks=tuple(runs_of(np.zeros(size, dtype=bool)) for _ in found.masks))
    none = replace(found, masks=(None,) * len(found))
    said = {
        name: [(r.subject, r.object, r.score) for r in mini.relate_all([SAMPLE], [each], threshold=0.0)[0].relations]
        for name, each in (("given", found), ("empty", empty), ("none", none), ("again", none))
    }
    assert said["none"] == said["again"]
    assert said["given"] != said["none"] != said["empty"] != said["given"]


def test_in_sgcls_the_model_names_whatever_the_names_are(mini, found):
    nameless = replace(found, names=("thing",) * len(found))
    (graph,) = mini.relate_all([SAMPLE], [nameless], task="sgcls", threshold=0.0)
    assert all(mini.knows(region.name) for region in graph.regions)
    assert graph.regions[0].name == found.names[0]
    assert (np.array([r.score for r in graph.regions]) <= found.scores + 1e-6).all()
    with pytest.raises(ValueError, match="'thing' is no name that the bundle"):
        mini.relate_all([SAMPLE], [nameless])
    with pytest.raises(ValueError, match=r"task sgdet: on given regions the bundle .* answers predcls and sgcls"):
        mini.relate_all([SAMPLE], [found], task="sgdet")


def test_photos_without_regions_beside_others(mini, found):
    alone = mini.relate_all([SAMPLE], [found], threshold=0.0)[0]
    empty, beside = mini.relate_all([SAMPLE, SAMPLE], [nothing(), found], threshold=0.0)
    assert empty.regions == () and empty.relations == ()
    np.testing.assert_allclose([r.score for r in beside.relations], [r.score for r in alone.relations], rtol=1e-4)
    assert mini.relate_all([SAMPLE], [nothing()], task="sgcls")[0].regions == ()


def test_detections_without_names_of_the_same_length_are_refused():
    with pytest.raises(ValueError, match="have different lengths"):
        Found(("a",), np.ones(2), np.zeros((2, 4)), (None, None))
