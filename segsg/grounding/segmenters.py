"""What may stand where the paper has transferred masks: controls that take the pixels away, and the oracle.

Each is called as `Segmenter` is and fills the same channels, so that the networks behind it keep their size.
"""

from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.detection.detector import Domain
from segsg.kernels.masks import crop
from segsg.models.extractor import MASK_SIDE
from segsg.models.sampling import true_rows
from segsg.structures import Batch, Look, Regions, Task

CERTAIN = 20.0
"""Mask logit of a cell that is known; its sigmoid is 1 in half precision too."""


class ConstantMasks(nn.Module):
    """The same in every cell of every box, whatever the picture shows. Background has an empty mask.

    With `value` 1 a mask says where its box is and no more (layout without pixels); with 0 it says nothing.
    """

    def __init__(self, classes: int, value: float):
        super().__init__()
        self.classes, self.value = classes, value

    def forward(self, regions: Regions) -> Float[Tensor, "regions classes side side"]:
        masks = regions.boxes.new_full((len(regions), self.classes, MASK_SIDE, MASK_SIDE), self.value)
        masks[:, 0] = 0
        return masks


def cycles(image: Int[Tensor, "regions"]) -> Int[Tensor, "regions"]:
    """For each region another one of its image: one random cycle through each image, the same for equal sizes.

    A region that is alone in its image keeps itself.
    """
    others, first = torch.arange(len(image), device=image.device), 0
    for count in torch.bincount(image).tolist():
        order = first + torch.randperm(count, generator=torch.Generator().manual_seed(count)).to(image.device)
        others[order] = order.roll(1)
        first += count
    return others


class ShuffledMasks(nn.Module):
    """Real masks in wrong places: every region has the masks of another region of its image."""

    def __init__(self, segmenter: nn.Module):
        super().__init__()
        self.segmenter = segmenter

    def forward(self, regions: Regions) -> Float[Tensor, "regions classes side side"]:
        return self.segmenter(regions)[cycles(regions.image)]


def true_mask_logits(regions: Regions, batch: Batch) -> Float[Tensor, "regions 1 28 28"]:
    """The true mask of each region as certain logits; empty where a detection matches no true box (IoU < 0.5)."""
    logits = regions.boxes.new_full((len(regions), 1, MASK_SIDE, MASK_SIDE), -CERTAIN)
    for image, (true_boxes, masks) in enumerate(zip(batch.boxes, batch.masks, strict=True)):
        inside = (regions.image == image).nonzero()[:, 0]
        rows = true_rows(regions.boxes[inside], true_boxes)
        known, boxes = inside[rows >= 0], regions.boxes[inside[rows >= 0]]
        logits[known, 0] = CERTAIN * (2 * crop(masks[rows[rows >= 0]], boxes, MASK_SIDE) - 1)
    return logits


class TrueMaskDetector(nn.Module):
    """A frozen detector whose mask head is never wrong: one channel of true masks, for whatever class.

    Batches must bring masks. Everything else is `detector`'s.
    """

    def __init__(self, detector: nn.Module):
        super().__init__()
        self.detector = detector
        self.record = detector.record

    def look(self, batch: Batch, task: Task, domain: Domain = "graph") -> Look:
        """As `Detector.look`. ValueError if the batch has no masks."""
        if batch.masks is None:
            raise ValueError("an oracle needs true masks, which only a drawn world has (data.scene_graphs.true_masks)")
        look = self.detector.look(batch, task, domain)
        return replace(look, regions=replace(look.regions, mask_logits=true_mask_logits(look.regions, batch)))

    def region_crops(self, look: Look, side: int) -> Float[Tensor, "regions channels side side"]:
        """As `Detector.region_crops`."""
        return self.detector.region_crops(look, side)

    def union_crops(self, look: Look, boxes: Tensor, image: Tensor, side: int) -> Tensor:
        """As `Detector.union_crops`."""
        return self.detector.union_crops(look, boxes, image, side)
