"""Masks of scene-graph classes from logits of mask classes (eq. 4)."""

from dataclasses import replace

import pytest
import torch
from scenes import CLASSES, MASK_CLASSES, make
from torch.testing import assert_close

from segsg.grounding.segmenter import AllClasses, MixedClasses, Segmenter


def matrix():
    transfer = torch.rand(CLASSES - 1, MASK_CLASSES)
    transfer[2] = 0
    return transfer


def test_masks_are_combined_before_the_sigmoid():
    transfer, regions = matrix(), make([3])[0].regions
    masks = Segmenter(transfer)(regions)
    for region in range(3):
        for label in (1, 2, 4, 5):
            logits = sum(transfer[label - 1, m] * regions.mask_logits[region, m] for m in range(MASK_CLASSES))
            assert_close(masks[region, label], logits.sigmoid())


def test_background_and_classes_without_partner_have_no_mask():
    masks = Segmenter(matrix())(make([3])[0].regions)
    assert (masks[:, 0] == 0).all() and (masks[:, 3] == 0).all()


def test_gradients_pass_known_classes_and_no_others():
    regions = make([2])[0].regions
    logits = regions.mask_logits.clone().requires_grad_()
    transfer, segmenter = matrix(), Segmenter(matrix())
    segmenter.transfer[1:] = transfer
    weight = torch.rand(2, CLASSES, *logits.shape[2:])
    (segmenter(replace(regions, mask_logits=logits)) * weight).sum().backward()
    masks = torch.einsum("cm,rmhw->rchw", transfer, logits.detach()).sigmoid()
    slopes = masks * (1 - masks) * weight[:, 1:]
    slopes[:, 2] = 0
    assert_close(logits.grad, torch.einsum("cm,rchw->rmhw", transfer, slopes))


def test_a_detector_without_masks_is_a_clear_error():
    regions = replace(make([2])[0].regions, mask_logits=None)
    with pytest.raises(ValueError, match="joint: true"):
        Segmenter(matrix())(regions)


def test_first_mixed_channel_is_the_expected_mask():
    regions = make([4])[0].regions
    masks = torch.rand(4, CLASSES, 28, 28)
    mixed = MixedClasses(CLASSES, 3)(masks, regions)
    expected = torch.stack(
        [sum(regions.class_probabilities[r, c] * masks[r, c] for c in range(CLASSES)) for r in range(4)]
    )
    assert mixed.shape == (4, 3, 28, 28)
    assert_close(mixed[:, 0], expected)
    assert mixed.min() >= 0 and mixed.max() <= 1


def test_every_class_but_background_may_be_its_own_channel():
    masks, channels = torch.rand(2, CLASSES, 28, 28), AllClasses(CLASSES)
    seen = channels(masks, make([2])[0].regions)
    assert torch.equal(seen, masks[:, 1:])
    assert channels.channels == seen.shape[1] == CLASSES - 1


@pytest.mark.parametrize("channels", [AllClasses(CLASSES), MixedClasses(CLASSES, 2)])
def test_no_region(channels):
    regions = make([0])[0].regions
    assert channels(Segmenter(matrix())(regions), regions).shape == (0, channels.channels, 28, 28)


def test_one_mask_for_a_picture():
    regions = make([4])[0].regions
    masks = Segmenter(matrix())(regions)
    assert_close(AllClasses(CLASSES).expected(masks), masks.max(dim=1).values)
    belief = (regions.class_probabilities[:, :, None, None] * masks).sum(dim=1)
    mixed = MixedClasses(CLASSES, 3)
    assert_close(mixed.expected(mixed(masks, regions)), belief)
