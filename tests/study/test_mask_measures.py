"""Which mask of a region is judged, under which name, in which frame."""

from dataclasses import replace

import pytest
import torch
from pycocotools import mask as rle
from scenes import MASK_CLASSES, SIDE, make, mask_set_look
from torch.nn import functional

from segsg.evaluation.detection import mask_ious
from segsg.grounding.segmenter import ConstantMasks, Segmenter, true_mask_logits
from segsg.kernels.masks import paste
from segsg.study import borrowed, measurements


def mask_scene(scale=1.0):
    look, batch = mask_set_look(*make([2, 0, 3]))
    sizes = [(int(SIDE / scale), int(SIDE / scale))] * 3
    return look, replace(batch, scales=[scale] * 3, photo_sizes=sizes)


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_region_is_judged_by_the_mask_of_the_class_that_the_detector_names(scale):
    look, batch = mask_scene(scale)
    images = list(measurements.named_masks(look, batch))
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
    images = list(measurements.named_masks(given, batch))
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
    seen = replace(regions, mask_logits=true_mask_logits(regions, batch))
    perfect = mask_ious(borrowed.true_and_borrowed(batch, seen, right), 6)
    boxes = mask_ious(borrowed.true_and_borrowed(batch, seen, ConstantMasks(6, 1.0)), 6)
    assert perfect["mIoU"] > 0.85 and 0.4 < boxes["mIoU"] < 0.6
    counts = torch.bincount(regions.labels, minlength=6)[1:]
    assert perfect["regions"] == counts.tolist()
