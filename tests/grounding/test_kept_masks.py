"""Masks that are computed once for each image: those of their source, rounded, in any company."""

from dataclasses import replace

import pytest
import torch
from scenes import FixedDetector, make

from segsg.grounding.kept_masks import KeptMasks, masks_by_image
from segsg.grounding.segmenter import TrueMaskDetector


def rounded(logits):
    """Slow and obvious: the nearest whole eighth that a byte can say, ties to even."""
    steps = [max(-128, min(127, round(value * 8))) for value in logits.flatten().tolist()]
    return torch.tensor([step / 8 for step in steps]).view(logits.shape)


def known():
    look, batch = make([2, 0, 3])
    kept = masks_by_image(FixedDetector(look), [batch], "sgcls")
    return look, batch, kept


def test_a_look_has_the_masks_of_the_source_in_eighths():
    look, batch, kept = known()
    seen = KeptMasks(FixedDetector(look), kept.__getitem__).look(batch, "sgcls")
    assert torch.equal(seen.regions.mask_logits, rounded(look.regions.mask_logits))
    assert seen.features is look.features and torch.equal(seen.regions.boxes, look.regions.boxes)
    assert [of.dtype for of in kept.values()] == [torch.int8] * 3 and len(kept[1]) == 0


def test_certain_masks_stay_certain():
    look, batch = make([2])
    masks = [torch.ones(2, 64, 64, dtype=torch.bool)]
    kept = masks_by_image(TrueMaskDetector(FixedDetector(look)), [replace(batch, masks=masks)], "predcls")
    seen = KeptMasks(FixedDetector(look), kept.__getitem__).look(batch, "predcls").regions.mask_logits
    assert seen.shape == (2, 1, 28, 28) and (seen.sigmoid() > 1 - 1e-6).all()


def test_reduced_precision_around_a_pass_changes_nothing():
    class Product(FixedDetector):
        """Its masks come out of a matrix product, which autocast would round."""

        def look(self, batch, task, domain="graph", *, masks=True):
            look = super().look(batch, task, domain, masks=masks)
            return replace(look, regions=replace(look.regions, mask_logits=look.regions.mask_logits @ torch.eye(28)))

    look, batch, kept = known()
    with torch.autocast("cpu", torch.bfloat16):
        again = masks_by_image(Product(look), [batch], "sgcls")
    assert all(torch.equal(again[image], kept[image]) for image in kept)


def test_masks_are_asked_for_only_where_they_are_seen():
    look, batch, _ = known()
    detector = KeptMasks(FixedDetector(look, look), {}.__getitem__)
    assert detector.look(batch, "sgcls", masks=False).regions.mask_logits is None
    assert detector.look(batch, "sgcls", "mask") is look


def test_masks_of_other_regions_are_refused():
    look, batch, kept = known()
    with pytest.raises(ValueError, match=r"images \[0, 1, 2\] were kept for other regions"):
        KeptMasks(FixedDetector(look), {**kept, 2: kept[2][:2]}.__getitem__).look(batch, "sgcls")
