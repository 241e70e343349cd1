"""Masks of regions that are computed once for each image, and kept for every further step that sees it.

The pixel refiner and the true masks say the same of an image at every visit, as long as the detector's look does. Kept
mask logits are rounded to the steps of stored looks, for training and for prediction alike.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from jaxtyping import Int8
from torch import Tensor, nn

from segsg.detection.looks import from_steps, to_steps
from segsg.structures import Batch, Domain, FrozenDetector, Look, Task

MasksOf = Callable[[int], Tensor]
"""id of an image -> mask logits of its regions in steps, int8 [regions, 1, 28, 28]"""


@torch.no_grad()
def masks_by_image(
    source: FrozenDetector, batches: Iterable[Batch], task: Task
) -> dict[int, Int8[Tensor, "_ channels 28 28"]]:
    """Mask logits of all regions of each image as `source` gives them, in steps, on the processor.

    An image's masks depend on nothing else where it is alone in its batch. They are computed in full precision, also
    in the midst of a training step of less.
    """
    found: dict[int, Tensor] = {}
    for batch in batches:
        with torch.autocast(batch.images.device.type, enabled=False):
            regions = source.look(batch, task).regions
        found |= zip(batch.image_ids, to_steps(regions.mask_logits).cpu().split(regions.counts()), strict=True)
    return found


class KeptMasks(nn.Module):
    """A frozen detector whose masks in scene-graph images are those of `masks_of`; all else is `detector`'s."""

    def __init__(self, detector: nn.Module, masks_of: MasksOf):
        super().__init__()
        self.detector, self.channels, self.masks_of = detector, detector.channels, masks_of

    def look(self, batch: Batch, task: Task, domain: Domain = "graph", *, masks: bool = True) -> Look:
        """The frozen detector's look with kept masks as logits. ValueError where they are of other regions."""
        if not masks or domain == "mask":
            return self.detector.look(batch, task, domain, masks=masks)
        look, kept = self.detector.look(batch, task, masks=False), [self.masks_of(each) for each in batch.image_ids]
        if [len(of_image) for of_image in kept] != look.regions.counts():
            raise ValueError(f"masks of images {batch.image_ids} were kept for other regions; keep them for this task")
        logits = from_steps(torch.cat(kept).to(batch.images.device))
        return replace(look, regions=replace(look.regions, mask_logits=logits))
