"""Masks in the contact frame of a pair, against a cell-by-cell twin, and edges that see them."""

from dataclasses import replace

import pytest
import torch
from grounded import POOLING, refined, slots
from scenes import (
    CHANNELS,
    CLASSES,
    MASK_CLASSES,
    SEEING,
    FixedDetector,
    box_extractor,
    chunk_of,
    make,
    mask_set_look,
    values,
)
from torch.nn import functional
from torch.testing import assert_close

from segsg.grounding.contact import ContactEncoder, WithContact, meet
from segsg.grounding.edges import GaussianSmoothing, PairMasks, UnionFrame, product
from segsg.grounding.extractor import GroundedExtractor
from segsg.grounding.refinement import RefinedInTraining, RefinedModel
from segsg.grounding.segmenter import AllClasses, ConstantMasks, MixedClasses, Segmenter
from segsg.kernels.boxes import all_pairs
from segsg.models.extractor import LAYOUT_CHANNELS, fold
from segsg.models.scene_graph import SceneGraphModel
from segsg.structures import Regions

SIDE = 28
MEETINGS = {
    "overlapping": [[4.0, 3.0, 31.0, 40.0], [20.5, 10.0, 60.0, 33.0]],
    "touching": [[4.0, 4.0, 20.0, 20.0], [20.0, 4.0, 40.0, 22.0]],
    "nested": [[0.0, 0.0, 56.0, 56.0], [20.0, 21.0, 30.0, 33.5]],
    "apart": [[0.0, 0.0, 10.0, 10.0], [30.0, 0.0, 40.0, 10.0]],
}


def shares(box_start, box_end, start, end):
    """Share of the interval that lies in each of the cells of a box."""
    size = (box_end - box_start) / SIDE
    cells = [(box_start + size * i, box_start + size * (i + 1)) for i in range(SIDE)]
    return torch.tensor([max(0.0, min(end, b) - max(start, a)) / (end - start) for a, b in cells])


def by_hand(mask, box, other, side=SIDE):
    """A mask in the contact frame of its box and another, one cell after another."""
    x1, y1 = (max(box[i], other[i]) - 2 for i in (0, 1))
    x2, y2 = (min(box[i], other[i]) + 2 for i in (2, 3))
    found = torch.zeros(side, side)
    if x1 >= x2 or y1 >= y2:
        return found
    w, h = (x2 - x1) / side, (y2 - y1) / side
    for row in range(side):
        rows = shares(box[1], box[3], y1 + h * row, y1 + h * (row + 1))
        for column in range(side):
            columns = shares(box[0], box[2], x1 + w * column, x1 + w * (column + 1))
            found[row, column] = (rows[:, None] * columns * mask).sum()
    return found


def regions_of(boxes, image=None, labels=None):
    boxes = torch.tensor(boxes)
    image = torch.zeros(len(boxes), dtype=torch.long) if image is None else torch.tensor(image)
    labels = torch.ones(len(boxes), dtype=torch.long) if labels is None else torch.tensor(labels)
    sizes = [(64, 64)] * (int(image.max()) + 1)
    return Regions(boxes, image, labels, functional.one_hot(labels, CLASSES).float(), sizes)


@pytest.mark.parametrize("side", [14, 28])
@pytest.mark.parametrize("boxes", MEETINGS.values(), ids=MEETINGS)
def test_masks_in_the_contact_frame_agree_with_a_slow_version(boxes, side):
    masks = torch.rand(2, 1, SIDE, SIDE)
    found = meet(masks, torch.tensor(boxes), torch.tensor([[0, 1], [1, 0]]), side)
    subject, object_ = (by_hand(masks[i, 0], boxes[i], boxes[1 - i], side) for i in (0, 1))
    assert_close(found[0], torch.stack([subject, object_]), atol=1e-5, rtol=1e-4)
    assert_close(found[1], torch.stack([object_, subject]), atol=1e-5, rtol=1e-4)


def gaussian():
    return PairMasks(GaussianSmoothing(CLASSES, 7), UnionFrame(), product, False)


def edge_encoder(masks, side=7, mask_side=SIDE):
    sizes = {"channels": CHANNELS, "side": side, "mask_side": mask_side, "width": CHANNELS, "dense": 64, "out": POOLING}
    return ContactEncoder(mask_channels=LAYOUT_CHANNELS + masks, **sizes)


def with_contact(extractor, masks=3):
    """The extractor with another encoder and other masks of pairs."""
    torch.manual_seed(7)
    extractor.boxes.edges = edge_encoder(masks, mask_side=extractor.boxes.edges.mask_side)
    extractor.pair_masks = WithContact(extractor.pair_masks, extractor.channels)
    return extractor


def grounded(segmenter=None, channels=None, pair_side=14):
    """A small grounded extractor without contact; every call has the same weights."""
    torch.manual_seed(0)
    segmenter = segmenter or Segmenter(torch.rand(CLASSES - 1, MASK_CLASSES))
    channels = channels or MixedClasses(CLASSES, 3)
    boxes = box_extractor(5, POOLING, masks=channels.channels, pair_side=pair_side)
    return GroundedExtractor(boxes, segmenter, channels, gaussian())


def contact(segmenter=None, channels=None, pair_side=14):
    extractor = grounded(segmenter, channels, pair_side)
    return with_contact(extractor, extractor.channels.channels)


@pytest.mark.parametrize("channels", [AllClasses(CLASSES), MixedClasses(CLASSES, 2)], ids=["all", "mixed"])
def test_pairs_see_the_masks_of_eq_6_and_then_the_expected_mask_of_each_role(channels):
    look, _ = make([3, 0, 2])
    regions = look.regions
    classes = Segmenter(torch.rand(CLASSES - 1, MASK_CLASSES))(regions)
    masks, pairs = channels(classes, regions), all_pairs(regions.image)
    united = gaussian()
    found = WithContact(united, channels).prepare(masks, regions)(chunk_of(pairs))
    expected = (regions.class_probabilities[:, :, None, None] * classes).sum(1)
    assert_close(found[:, :-2], united.prepare(masks, regions)(chunk_of(pairs)))
    boxes = regions.boxes.tolist()
    for row, (s, o) in enumerate(pairs.tolist()):
        assert_close(found[row, -2], by_hand(expected[s], boxes[s], boxes[o]), atol=1e-5, rtol=1e-4)
        assert_close(found[row, -1], by_hand(expected[o], boxes[o], boxes[s]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("side", "cells"), [(7, 28), (7, 14), (14, 14), (28, 28)])
def test_the_encoder_has_a_convolution_for_each_frame_and_one_dense_part(side, cells):
    torch.manual_seed(0)
    encode = edge_encoder(1, side, cells)
    crops, masks = torch.randn(2, CHANNELS, side, side), torch.rand(3, 5, cells, cells)
    rows = torch.tensor([0, 1, 1])
    fused = functional.conv2d(crops, encode.fusion.crop.weight, encode.fusion.crop.bias, padding=1)[rows]
    fused = fused + functional.conv2d(fold(masks[:, :3], side), encode.fusion.masks.weight, padding=1)
    own = functional.conv2d(fold(masks[:, 3:], side), encode.contact.weight, encode.contact.bias, padding=1)
    first, second = encode.dense[1], encode.dense[3]
    vector = torch.cat([fused.relu().flatten(1), own.relu().flatten(1)], dim=1)
    expected = functional.linear(functional.linear(vector, first.weight, first.bias).relu(), second.weight, second.bias)
    assert_close(encode(crops, rows, masks), expected.relu())


def test_shapes_whatever_the_number_of_regions():
    extractor = contact()
    for counts in ([3, 0, 2], [1], [0]):
        look, _ = make(counts)
        pairs = all_pairs(look.regions.image)
        assert extractor(look, pairs).edges.shape == (len(pairs), POOLING)


def test_order_and_company_of_pairs_change_no_vector(monkeypatch):
    look, _ = make([4, 0, 3])
    pairs, extractor = all_pairs(look.regions.image), contact()
    edges = extractor(look, pairs).edges
    alone = torch.cat([extractor(look, pair[None]).edges for pair in pairs])
    assert_close(alone, edges, atol=1e-6, rtol=1e-5)
    order = torch.randperm(len(pairs))
    monkeypatch.setattr("segsg.models.extractor.CHUNK_BYTES", 3 * extractor.boxes._bytes())
    assert_close(extractor(look, pairs[order]).edges, edges[order], atol=1e-6, rtol=1e-5)


def test_order_of_regions_and_images_changes_no_vector():
    look, _ = make([3, 2])
    regions, pairs = look.regions, all_pairs(look.regions.image)
    order = torch.tensor([4, 3, 1, 0, 2])
    fields = ("boxes", "labels", "class_probabilities", "mask_logits")
    moved = replace(regions, image=1 - regions.image[order], **{name: getattr(regions, name)[order] for name in fields})
    place = order.argsort()
    turned = replace(look, features=[maps.flip(0) for maps in look.features], regions=moved)
    extractor = contact()
    assert_close(extractor(turned, place[pairs]).edges, extractor(look, pairs).edges, atol=1e-6, rtol=1e-5)


def test_gradients_reach_the_encoder_and_the_masks():
    look, _ = make([3])
    logits = look.regions.mask_logits.clone().requires_grad_()
    look = replace(look, regions=replace(look.regions, mask_logits=logits))
    extractor = contact()
    encoded = extractor(look, all_pairs(look.regions.image))
    (encoded.nodes.pow(2).sum() + encoded.edges.pow(2).sum()).backward()
    assert [name for name, parameter in extractor.named_parameters() if parameter.grad is None] == []
    assert extractor.boxes.edges.contact.weight.grad.abs().sum() > 0 and logits.grad.abs().sum() > 0


def halves():
    """Two regions in one box and of one class: the masks are its left and its right half, or the other way round."""
    look, _ = make([2])
    regions = regions_of([[8.0, 8.0, 50.0, 50.0]] * 2)
    logits = torch.full((2, MASK_CLASSES, SIDE, SIDE), -9.0)
    logits[0, :, :, : SIDE // 2] = logits[1, :, :, SIDE // 2 :] = 9.0
    return [replace(look, regions=replace(regions, mask_logits=each)) for each in (logits, logits.flip(0))]


def test_who_owns_which_pixels_is_lost_in_eq_6_and_kept_in_the_contact_frame():
    one, other = halves()
    pair = torch.tensor([[0, 1]])
    blind, seeing = grounded(), contact()
    assert_close(blind(one, pair).edges, blind(other, pair).edges)
    assert not torch.allclose(seeing(one, pair).edges, seeing(other, pair).edges, rtol=1e-3)


def test_rectangles_show_nothing_but_geometry():
    near, far = [[8.0, 8.0, 30.0, 40.0], [20.0, 10.0, 44.0, 60.0]], [[0.0, 0.0, 9.0, 9.0], [5.0, 5.0, 9.0, 60.0]]
    regions = regions_of(near + near + far, [0, 0, 1, 1, 2, 2], [1, 2, 4, 5, 1, 2])
    look = replace(make([0])[0], features=[torch.zeros(3, CHANNELS, 8, 8)])
    extractor = contact(ConstantMasks(CLASSES, 1.0))
    seen = []
    for seed in (0, 1):
        logits = torch.randn(6, MASK_CLASSES, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
        of_seed = replace(look, regions=replace(regions, mask_logits=logits))
        seen.append(extractor(of_seed, all_pairs(regions.image)).edges)
    assert torch.equal(*seen)
    chunk = chunk_of(all_pairs(regions.image), 14)
    masks = extractor.pair_masks.prepare(extractor.masks(of_seed), regions)(chunk)[:, -2:]
    vectors = extractor.boxes.edges.contact(fold(masks, 7))
    assert_close(vectors[:2], vectors[2:4])
    assert not torch.allclose(vectors[:2], vectors[4:])


def test_zero_masks_leave_the_frame_empty():
    look, _ = make([3])
    extractor = contact(ConstantMasks(CLASSES, 0.0))
    masks = extractor.pair_masks.prepare(extractor.masks(look), look.regions)(chunk_of(all_pairs(look.regions.image)))
    assert masks[:, -2:].abs().max() == 0


def test_without_contact_nothing_is_changed():
    plain, other = grounded().state_dict(), contact().state_dict()
    assert not [name for name in plain if "contact" in name or "united" in name]
    new = {"boxes.edges.contact.weight", "boxes.edges.contact.bias"}
    assert {name.replace("pair_masks.united.", "pair_masks.") for name in other} - new == plain.keys()


def test_pictures_show_eq_6_as_ever():
    look, _ = make([3])
    pairs, plain, other = torch.tensor([[2, 0], [0, 1]]), grounded(), contact()
    assert torch.equal(plain.meeting(look, pairs), other.meeting(look, pairs))
    assert torch.equal(plain.class_kernels(), other.class_kernels())
    steps = (extractor.steps(look, pairs[:1]) for extractor in (plain, other))
    assert all(torch.equal(*maps) for maps in zip(*(each.values() for each in steps), strict=True))


@pytest.mark.parametrize("name", SEEING)
@pytest.mark.parametrize("kind", [SceneGraphModel, RefinedModel, RefinedInTraining])
def test_every_model_learns_from_the_contact_frame(name, kind):
    look, batch = make([3, 1, 4], relations=[[(0, 1, 2)], [], [(1, 0, 3)]])
    mask_look, mask_batch = mask_set_look(*make([2, 3], seed=5))
    detector = FixedDetector(look, mask_look)
    model = kind(**slots(name, detector)) if kind is SceneGraphModel else refined(name, detector, kind)
    with_contact(model.extractor)
    losses = values(model.losses(batch))
    if kind is not SceneGraphModel:
        losses |= values(model.mask_losses(mask_batch))
    sum(losses.values()).backward()
    assert model.extractor.boxes.edges.contact.weight.grad.abs().sum() > 0
    graphs = model.eval().predict(batch)
    assert [len(graph.pairs) for graph in graphs] == [6, 0, 12]
    assert all(graph.predicate_probabilities.isfinite().all() for graph in graphs)
