"""Controls and the oracle in the place of transferred masks."""

from dataclasses import replace

import pytest
import torch
from scenes import CLASSES, MASK_CLASSES, SIDE, FixedDetector, make
from torch.testing import assert_close

from segsg.grounding.segmenter import (
    ConstantMasks,
    Segmenter,
    ShuffledMasks,
    TrueMaskDetector,
    cycles,
    true_mask_logits,
)
from segsg.kernels.masks import crop


def with_masks(batch):
    generator = torch.Generator().manual_seed(7)
    return replace(batch, masks=[torch.rand(len(b), SIDE, SIDE, generator=generator) < 0.5 for b in batch.boxes])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_constant_masks_fill_the_channels_of_real_ones_whatever_the_detector(value):
    regions = make([3, 0, 2])[0].regions
    real = Segmenter(torch.rand(CLASSES - 1, MASK_CLASSES))(regions)
    masks = ConstantMasks(CLASSES, value)(replace(regions, mask_logits=None))
    assert masks.shape == real.shape
    assert (masks[:, 1:] == value).all() and (masks[:, 0] == 0).all()


def test_shuffled_masks_are_those_of_another_region_of_the_image_each_used_once():
    regions = make([4, 1, 0, 3])[0].regions
    segmenter = Segmenter(torch.rand(CLASSES - 1, MASK_CLASSES))
    order = cycles(regions.image)
    assert sorted(order.tolist()) == list(range(8))
    assert torch.equal(regions.image[order], regions.image)
    alone = torch.arange(8) == 4
    assert torch.equal(order == torch.arange(8), alone)
    assert_close(ShuffledMasks(segmenter)(regions), segmenter(regions)[order])


def test_shuffling_never_changes_and_does_not_see_other_images():
    one, more = torch.zeros(5, dtype=torch.long), torch.tensor([0] * 5 + [1] * 3)
    assert torch.equal(cycles(one), cycles(one)) and torch.equal(cycles(one), cycles(more)[:5])
    assert cycles(one[:0]).shape == (0,)


def test_true_masks_reach_every_class_through_the_same_segmenter():
    look, batch = make([3, 0, 2])
    batch = with_masks(batch)
    seen = TrueMaskDetector(FixedDetector(look)).look(batch, "sgcls")
    masks = Segmenter(torch.ones(CLASSES - 1, 1))(seen.regions)
    true = torch.cat([crop(m, b, 28) for m, b in zip(batch.masks, batch.boxes, strict=True)])
    assert_close(masks[:, 1:], true[:, None].expand(-1, CLASSES - 1, -1, -1), atol=1e-6, rtol=0)
    assert seen.features is look.features and torch.equal(seen.regions.boxes, look.regions.boxes)


def test_a_detection_has_the_mask_of_the_true_box_it_covers_seen_in_its_own_frame():
    look, batch = make([2])
    batch = with_masks(batch)
    moved = batch.boxes[0][1] + torch.tensor([0.0, 0, 2, 1])
    far = torch.tensor([0.0, 0, 1, 1])
    regions = replace(look.regions, boxes=torch.stack([moved, far]))
    logits = true_mask_logits(regions, batch, 28)
    assert_close(logits[0, 0].sigmoid(), crop(batch.masks[0][1:], moved[None], 28)[0], atol=1e-6, rtol=0)
    assert logits[1].sigmoid().max() < 1e-6


def test_coarse_true_masks_are_the_same_in_all_cells_of_a_block():
    look, batch = make([2])
    batch = with_masks(batch)
    seen = TrueMaskDetector(FixedDetector(look), cells=7).look(batch, "sgcls").regions.mask_logits[:, 0].sigmoid()
    blocks = crop(batch.masks[0], batch.boxes[0], 7)
    for row, column in ((0, 0), (13, 6), (27, 27)):
        assert_close(seen[:, row, column], blocks[:, row // 4, column // 4], atol=1e-6, rtol=0)


def test_an_oracle_without_true_masks_is_a_clear_error():
    look, batch = make([2])
    with pytest.raises(ValueError, match="only a drawn world has"):
        TrueMaskDetector(FixedDetector(look)).look(batch, "sgcls")
