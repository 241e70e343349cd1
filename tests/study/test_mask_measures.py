"""Which mask of a region is judged, under which name, in which frame."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from pycocotools import mask as rle
from scenes import MASK_CLASSES, SIDE, make, mask_set_look
from torch.nn import functional

from segsg.evaluation.detection import mask_ious
from segsg.evaluation.ownership import ownership
from segsg.grounding.segmenter import ConstantMasks, Segmenter, true_mask_logits
from segsg.kernels.masks import paste
from segsg.study import borrowed, named_masks
from segsg.study.params import Params, read_section
from segsg.study.profile import resolve

MINI = read_section(Params, resolve("mini"), "test")


def mask_scene(scale=1.0):
    look, batch = mask_set_look(*make([2, 0, 3]))
    sizes = [(int(SIDE / scale), int(SIDE / scale))] * 3
    return look, replace(batch, scales=[scale] * 3, photo_sizes=sizes)


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_region_is_judged_by_the_mask_of_the_class_that_the_detector_names(scale):
    look, batch = mask_scene(scale)
    images = list(named_masks.named_masks(look, batch))
    assert [len(image["labels"]) for image in images] == [2, 0, 3]
    first = images[2]
    probabilities = look.regions.class_probabilities[2:]
    assert torch.equal(first["labels"], probabilities[:, 1:].argmax(1) + 1)
    assert torch.equal(first["scores"], probabilities[:, 1:].max(1).values)
    boxes = look.regions.boxes[2:] / scale
    logits = torch.stack([look.regions.mask_logits[2 + i, label - 1] for i, label in enumerate(first["labels"])])
    expected = paste(logits.sigmoid(), boxes, batch.photo_sizes[2])
    assert torch.equal(torch.from_numpy(rle.decode(first["masks"])).permute(2, 0, 1).bool(), expected)
    assert torch.equal(first["boxes_original"], boxes)


def test_given_classes_have_score_one():
    look, batch = mask_scene()
    certain = functional.one_hot(look.regions.labels, MASK_CLASSES + 1).float()
    given = replace(look, regions=replace(look.regions, class_probabilities=certain))
    images = list(named_masks.named_masks(given, batch))
    assert torch.equal(torch.cat([image["labels"] for image in images]), look.regions.labels)
    assert all((image["scores"] == 1).all() for image in images)


def test_borrowed_masks_are_compared_with_true_ones_of_the_same_region():
    look, batch = make([2, 0, 3])
    masks = [torch.zeros(len(boxes), SIDE, SIDE, dtype=torch.bool) for boxes in batch.boxes]
    for of_image, boxes in zip(masks, batch.boxes, strict=True):
        for mask, (x1, y1, x2, y2) in zip(of_image, boxes.round().int().tolist(), strict=True):
            mask[y1:y2, x1 : (x1 + x2) // 2] = True
    batch = replace(batch, masks=masks)
    regions = look.regions
    right = Segmenter(torch.ones(5, 1))
    seen = replace(regions, mask_logits=true_mask_logits(regions, batch, 28))
    perfect = mask_ious(borrowed.true_and_borrowed(batch, seen, right), 6)
    boxes = mask_ious(borrowed.true_and_borrowed(batch, seen, ConstantMasks(6, 1.0)), 6)
    assert perfect["mIoU"] > 0.85 and 0.4 < boxes["mIoU"] < 0.6
    counts = torch.bincount(regions.labels, minlength=6)[1:]
    assert perfect["regions"] == counts.tolist()


def contact_scene(relations):
    """Two boxes of one image that share the columns 26 to 30, of which each mask takes two, and a third far away."""
    boxes = torch.tensor([[2.0, 2, 30, 30], [26.0, 2, 54, 30], [2.0, 50, 20, 62]])
    masks = torch.zeros(3, SIDE, SIDE, dtype=torch.bool)
    masks[0, 2:30, 2:28] = masks[1, 2:30, 28:54] = masks[2, 50:62, 2:20] = True
    look, batch = make([3])
    regions = replace(look.regions, boxes=boxes)
    relations = torch.tensor(relations, dtype=torch.long).reshape(-1, 3)
    return replace(batch, boxes=[boxes], masks=[masks], relations=[relations]), regions


def test_ownership_of_rectangles_in_a_contact_frame_by_hand():
    batch, regions = contact_scene([[0, 1, 2]])
    rectangles = ConstantMasks(6, 1.0)
    ((true, given),) = borrowed.contacts([(batch, regions)], rectangles)
    # The frame has columns 24 to 32 and rows 0 to 32. The middle half of the columns lies in both boxes, and the first
    # and the last two rows in neither.
    columns = torch.arange(28) * 8 / 28 + 24 + 4 / 28
    rows = torch.arange(28) * 32 / 28 + 16 / 28
    inside = ((rows >= 2) & (rows < 30)).float()[:, None]
    assert torch.equal(true[0, 0] > 0.5, (columns < 28) * (inside > 0))
    assert torch.equal(true[0, 1] > 0.5, (columns >= 28) * (inside > 0))
    assert torch.equal(given[0, 0] > 0.5, (columns < 30) * (inside > 0))
    assert torch.equal(given[0, 1] > 0.5, (columns >= 26) * (inside > 0))
    share = ownership([(true, given)])
    assert share == pytest.approx(1 - float(inside.mean()) / 2)


def test_true_masks_own_all_cells_and_rectangles_do_not():
    batch, regions = contact_scene([[0, 1, 2]])
    seen = [(batch, replace(regions, mask_logits=true_mask_logits(regions, batch, 28)))]
    true, boxes = (
        ownership(borrowed.contacts(seen, way)) for way in (Segmenter(torch.ones(5, 1)), ConstantMasks(6, 1.0))
    )
    assert true == 1.0 and boxes < 0.6


def test_a_pair_counts_once_and_only_if_it_is_related_and_its_masks_meet_the_frame():
    def pairs(relations):
        seen = borrowed.contacts([contact_scene(relations)], ConstantMasks(6, 1.0))
        return sum(int(true.flatten(1).any(dim=1).sum()) for true, _ in seen)

    assert pairs([[0, 1, 2], [1, 0, 3], [0, 1, 4]]) == 1
    assert pairs([[0, 2, 1], [2, 1, 1]]) == 0
    assert pairs([]) == 0


def test_ownership_looks_at_the_regions_of_the_pair_s_own_image():
    batch, regions = contact_scene([[0, 1, 2]])
    twice = replace(
        batch,
        masks=batch.masks * 2,
        relations=[batch.relations[0][:0], batch.relations[0]],
        sizes=batch.sizes * 2,
    )
    shifted = torch.cat([regions.boxes + 7, regions.boxes])
    two = replace(
        regions,
        boxes=shifted,
        image=torch.tensor([0, 0, 0, 1, 1, 1]),
        labels=regions.labels.repeat(2),
        class_probabilities=regions.class_probabilities.repeat(2, 1),
        mask_logits=None,
        sizes=batch.sizes * 2,
    )
    way = ConstantMasks(6, 1.0)
    alone = list(borrowed.contacts([(batch, regions)], way))[-1]
    found = list(borrowed.contacts([(twice, two)], way))
    assert len(found) == 2 and len(found[0][0]) == 0
    assert all(torch.equal(one, other) for one, other in zip(found[1], alone, strict=True))


class Corrected(torch.nn.Module):
    """A pixel refiner that knows the true masks, if it starts from the masks that it should."""

    def __init__(self, batch, start):
        super().__init__()
        self.batch, self.start = batch, start

    def forward(self, logits, look, photos):
        assert torch.equal(logits, self.start) and photos is self.batch.images
        return true_mask_logits(look.regions, self.batch, 28)[:, 0]


def mask_photo(monkeypatch):
    """One photo with a region of each of two classes, whose masks are the left halves of their boxes.

    The detector names both rightly and takes the first class's box for its mask, and nothing for the second's.
    """
    look, batch = make([2])
    boxes, labels = torch.tensor([[4.0, 4, 32, 32], [20.0, 34, 48, 62]]), torch.tensor([3, 1])
    masks = torch.zeros(2, SIDE, SIDE, dtype=torch.bool)
    masks[0, 4:32, 4:18] = masks[1, 34:62, 20:34] = True
    logits = torch.zeros(2, MASK_CLASSES, 28, 28)
    logits[0, 2], logits[1, 0] = 5.0, -5.0
    belief = functional.one_hot(labels, MASK_CLASSES + 1) * 0.9
    regions = replace(look.regions, boxes=boxes, labels=labels, class_probabilities=belief, mask_logits=logits)
    batch = replace(batch, boxes=[boxes], labels=[labels], masks=[masks])
    photos = SimpleNamespace(vocabulary=SimpleNamespace(classes=("a", "b", "c")))
    truth = [{"boxes_original": boxes, "labels": labels, "masks": masks}]
    monkeypatch.setattr(named_masks.sets, "judged_mask_set", lambda params: photos)
    monkeypatch.setattr(named_masks.sets, "all_batches", lambda params, dataset: [batch])
    monkeypatch.setattr(named_masks, "mask_truths", lambda dataset: truth)
    return replace(look, regions=regions), batch


def test_precision_before_and_after_the_pixel_refiner_by_hand(monkeypatch):
    look, batch = mask_photo(monkeypatch)
    refiner = Corrected(batch, torch.stack([look.regions.mask_logits[0, 2], look.regions.mask_logits[1, 0]]))

    def looks(batch):
        return {"masks": look, "pixel_masks": named_masks.by_pixels(look, refiner, batch.images)}

    measured = named_masks.precisions(MINI, looks)
    # A whole box overlaps its left half by 0.5, the lowest of ten thresholds; an empty mask overlaps nothing.
    assert measured["masks"]["per_class"] == [0.0, None, pytest.approx(0.1)]
    assert measured["masks"]["AP"] == pytest.approx(0.05)
    assert measured["pixel_masks"]["AP"] == pytest.approx(1.0)


class Twice(torch.nn.Module):
    """A pixel refiner that doubles logits."""

    def forward(self, logits, look, photos):
        return 2 * logits


@pytest.mark.parametrize("counts", [[2, 0, 3], [0, 0]])
def test_pixel_refined_masks_are_those_of_the_named_class_whatever_channel_is_asked(counts):
    look, batch = mask_set_look(*make(counts))
    after = named_masks.by_pixels(look, Twice(), batch.images).regions
    assert after.mask_logits.shape == look.regions.mask_logits.shape
    for region, probabilities in enumerate(look.regions.class_probabilities):
        expected = 2 * look.regions.mask_logits[region, int(probabilities[1:].argmax())]
        assert all(torch.equal(channel, expected) for channel in after.mask_logits[region])
    assert torch.equal(after.class_probabilities, look.regions.class_probabilities)
