"""Regions as the three tasks define them."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from segsg.kernels.boxes import box_iou
from segsg.structures import Batch

MATCH_IOU = 0.5


def image_index(counts: list[int], device: torch.device) -> Int[Tensor, "regions"]:
    """[2, 0, 1] -> [0, 0, 2]: the image of each region, from the number of regions of each image."""
    return torch.arange(len(counts), device=device).repeat_interleave(torch.tensor(counts, device=device))


def given_regions(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """(boxes, image, labels) of the true regions of a batch."""
    boxes = torch.cat(batch.boxes)
    return boxes, image_index([len(part) for part in batch.boxes], boxes.device), torch.cat(batch.labels)


def one_hot(labels: Int[Tensor, "regions"], classes: int) -> Float[Tensor, "regions classes"]:
    """Certainty of each label, as class probabilities."""
    return F.one_hot(labels, classes).float()


def matched_labels(
    boxes: Float[Tensor, "regions 4"], true_boxes: Float[Tensor, "truths 4"], true_labels: Int[Tensor, "truths"]
) -> Int[Tensor, "regions"]:
    """Label of the true box with the highest IoU with each box, 0 where that is below 0.5 or there is none."""
    if len(true_boxes) == 0 or len(boxes) == 0:
        return torch.zeros(len(boxes), dtype=torch.long, device=boxes.device)
    overlap, best = box_iou(boxes, true_boxes).max(1)
    return torch.where(overlap >= MATCH_IOU, true_labels[best], 0)
