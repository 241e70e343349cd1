"""Masks of pairs (eq. 6) against a pixel-by-pixel twin."""

import pytest
import torch
from scenes import CLASSES, chunk_of, make
from torch.nn import functional
from torch.testing import assert_close

from segsg.grounding.edges import (
    COMBINATIONS,
    FRAMES,
    KERNELS,
    Framed,
    GaussianSmoothing,
    JointSmoothing,
    NoPairMasks,
    NoSmoothing,
    PairMasks,
    UnionFrame,
    average,
    product,
    soft_or,
)
from segsg.kernels.boxes import all_pairs
from segsg.kernels.masks import grown
from segsg.structures import Regions

PIXELS = 56


def two_regions(boxes):
    boxes = torch.tensor(boxes)
    labels, sizes = torch.tensor([1, 2]), [(PIXELS, PIXELS)]
    return Regions(boxes, torch.zeros(2, dtype=torch.long), labels, functional.one_hot(labels, CLASSES).float(), sizes)


def painted(mask, box):
    """A crop of 28 x 28 cells on a canvas of pixels, one cell per pixel."""
    canvas = torch.zeros(PIXELS, PIXELS)
    x1, y1, x2, y2 = (int(side) for side in box)
    canvas[y1:y2, x1:x2] = mask
    return canvas


@pytest.mark.parametrize("side", [14, 28])
@pytest.mark.parametrize("name", COMBINATIONS)
def test_union_frame_combines_masks_where_they_are_in_the_picture(name, side):
    regions = two_regions([[0.0, 0, 28, 28], [14.0, 28, 42, 56]])
    masks = torch.rand(2, 1, 28, 28)
    pair_masks = PairMasks(NoSmoothing(), UnionFrame(), COMBINATIONS[name], squash=False)
    found = pair_masks.prepare(masks, regions)(chunk_of(torch.tensor([[0, 1]]), side))
    subject, object_ = (painted(masks[i, 0], regions.boxes[i]) for i in range(2))
    by_hand, h, w = torch.zeros(side, side), 56 // side, 42 / side
    for row in range(side):
        for column in range(side):
            y, x = h * row, w * column
            columns = torch.tensor([max(0.0, min(x + w, p + 1) - max(x, p)) for p in range(PIXELS)]) / w
            of = [(canvas[y : y + h] * columns).sum() / h for canvas in (subject, object_)]
            by_hand[row, column] = COMBINATIONS[name](*of)
    assert_close(found[0, 0], by_hand, atol=1e-5, rtol=1e-5)


def test_smoothing_makes_touching_masks_meet():
    torch.manual_seed(0)
    regions = two_regions([[0.0, 0, 28, 28], [28.0, 0, 56, 28]])
    masks = torch.ones(2, 1, 28, 28)
    pairs = torch.tensor([[0, 1]])
    apart = PairMasks(NoSmoothing(), UnionFrame(), product, False).prepare(masks, regions)(chunk_of(pairs))
    meeting = PairMasks(GaussianSmoothing(CLASSES, 7), UnionFrame(), product, False).prepare(masks, regions)(
        chunk_of(pairs)
    )
    assert apart.max() < 1e-6
    assert meeting[0, 0, :, 13:15].min() > 0.03 and meeting[0, 0, :, :10].max() < 1e-6


def test_own_frames_multiply_cell_by_cell():
    regions = two_regions([[0.0, 0, 28, 28], [40.0, 3, 50, 41]])
    masks = torch.rand(2, 3, 28, 28)
    pair_masks = PairMasks(NoSmoothing(), FRAMES["box"](), product, False)
    found = pair_masks.prepare(masks, regions)(chunk_of(torch.tensor([[1, 0]])))
    assert_close(found[0], masks[0] * masks[1])


def test_combinations_by_hand():
    a, b = torch.tensor([0.0, 0.5, 1.0]), torch.tensor([1.0, 0.5, 1.0])
    assert product(a, b).tolist() == [0.0, 0.25, 1.0]
    assert average(a, b).tolist() == [0.5, 0.5, 1.0]
    assert soft_or(a, b).tolist() == [1.0, 0.75, 1.0]


def test_kernel_depends_on_the_region_and_on_nothing_else():
    smoothing = GaussianSmoothing(CLASSES, 7)
    beliefs = torch.eye(CLASSES)[[1, 2, 1]]
    kernels = smoothing.kernels(beliefs)
    assert torch.equal(kernels[0], kernels[2]) and not torch.equal(kernels[0], kernels[1])


def test_joint_kernels_depend_on_both_regions_in_their_roles():
    smoothing = JointSmoothing(CLASSES, 7)
    one, two = torch.eye(CLASSES)[[1]], torch.eye(CLASSES)[[2]]
    subject, object_ = smoothing.kernels(one, two)
    assert not torch.allclose(subject, smoothing.kernels(one, one)[0])
    assert not torch.allclose(object_, smoothing.kernels(two, two)[1])
    assert not torch.allclose(subject, smoothing.kernels(two, one)[1])


@pytest.mark.parametrize("frame", FRAMES)
def test_joint_smoothing_is_one_convolution_per_pair_and_region(frame):
    look, _ = make([3, 2])
    smoothing, masks = JointSmoothing(CLASSES, 5), torch.rand(5, 2, 28, 28)
    pairs = all_pairs(look.regions.image)
    found = PairMasks(smoothing, FRAMES[frame](), product, False).prepare(masks, look.regions)(chunk_of(pairs))
    beliefs = look.regions.class_probabilities
    for row, (s, o) in enumerate(pairs.tolist()):
        kernels = smoothing.kernels(beliefs[[s]], beliefs[[o]])
        wide = [
            functional.conv2d(masks[i][:, None], kernel[:, None], padding=4).transpose(0, 1)
            for i, kernel in zip((s, o), kernels, strict=True)
        ]
        roles = tuple(Framed(mask, grown(look.regions.boxes[[i]], 28, 2)) for mask, i in zip(wide, (s, o), strict=True))
        by_hand = product(*FRAMES[frame]()(roles, torch.tensor([[s, o]]), look.regions.boxes, 28))
        assert_close(found[[row]], by_hand, atol=1e-5, rtol=1e-5)


def test_squash_is_the_released_codes_sigmoid():
    regions = two_regions([[0.0, 0, 28, 28], [14.0, 28, 42, 56]])
    masks = torch.rand(2, 1, 28, 28)
    plain, squashed = (
        PairMasks(NoSmoothing(), UnionFrame(), product, s).prepare(masks, regions) for s in (False, True)
    )
    pairs = chunk_of(torch.tensor([[0, 1]]))
    assert_close(squashed(pairs), plain(pairs).sigmoid())


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("kernels", KERNELS)
def test_gradients_reach_masks_and_kernels(frame, kernels):
    look, _ = make([3])
    smoothing = KERNELS[kernels](CLASSES, 5)
    masks = torch.rand(3, 2, 28, 28, requires_grad=True)
    pair_masks = PairMasks(smoothing, FRAMES[frame](), product, False)
    pair_masks.prepare(masks, look.regions)(chunk_of(all_pairs(look.regions.image))).sum().backward()
    assert masks.grad.abs().sum() > 0 and smoothing.parameters_of.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("kernels", KERNELS)
def test_no_pair(frame, kernels):
    regions = make([1])[0].regions
    masks = torch.rand(1, 2, 28, 28)
    prepared = PairMasks(KERNELS[kernels](CLASSES, 5), FRAMES[frame](), product, False).prepare(masks, regions)
    assert prepared(chunk_of(torch.zeros(0, 2, dtype=torch.long))).shape == (0, 2, 28, 28)


def test_edges_may_go_without_masks():
    prepared = NoPairMasks().prepare(torch.rand(2, 2, 28, 28), make([2])[0].regions)
    assert prepared(chunk_of(torch.tensor([[0, 1]]))).shape == (1, 0, 28, 28)
