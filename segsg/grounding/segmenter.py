"""Masks of regions for scene-graph classes (eq. 4), what may stand in their place, and the channels that networks see.

Controls take the pixels away, the oracle brings the true ones; each is called as `Segmenter` is and fills the same
channels, so that the networks behind it keep their size."""

from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.kernels.masks import crop
from segsg.models.scene_graph import true_rows
from segsg.structures import MASK_SIDE, Batch, Domain, Look, Regions, Task


class Segmenter(nn.Module):
    """Masks of every scene-graph class as S · mask logits, then sigmoid (eq. 4). Background has an empty mask.

    `transfer` is the S of eq. 3, `[classes, mask_classes]` without background. A class without any partner (a zero
    row) has no mask either: sigmoid(0) would call every cell half covered.
    """

    def __init__(self, transfer: Float[Tensor, "classes mask_classes"]):
        super().__init__()
        self.register_buffer("transfer", nn.functional.pad(transfer, (0, 0, 1, 0)))
        self.register_buffer("known", self.transfer.abs().sum(dim=1) > 0)

    def forward(self, regions: Regions) -> Float[Tensor, "regions classes side side"]:
        """Probability that a cell of a region's box belongs to it, if it were of a class."""
        if regions.mask_logits is None:
            raise ValueError("this detector has no mask head; train it jointly (joint: true) to ground a scene graph")
        logits = self.transfer @ regions.mask_logits.float().flatten(2)
        masks = logits.masked_fill_(~self.known[:, None], -torch.inf).sigmoid_()  # in place: they are many
        return masks.unflatten(2, regions.mask_logits.shape[2:])

    def weights(self, label: int) -> Float[Tensor, "mask_classes"]:
        """Row of S (eq. 3) of a class: the weight of each mask class in its mask."""
        return self.transfer[label]


class AllClasses(nn.Module):
    """One channel per class, as in the paper. Background has none: its mask is always empty."""

    def __init__(self, classes: int):
        super().__init__()
        self.channels = classes - 1

    def forward(
        self, masks: Float[Tensor, "regions classes side side"], regions: Regions
    ) -> Float[Tensor, "regions channels side side"]:
        return masks[:, 1:]

    def expected(self, seen: Float[Tensor, "rows channels side side"]) -> Float[Tensor, "rows side side"]:
        """One mask for a picture: the largest of a cell's channels."""
        return seen.amax(dim=1)

    def believed(
        self, seen: Float[Tensor, "regions channels side side"], regions: Regions
    ) -> Float[Tensor, "regions 1 side side"]:
        """The mask of each region that the detector expects: the mean over classes under its belief l_j."""
        belief = regions.class_probabilities[:, 1:].to(seen.dtype)
        return torch.einsum("rc,rchw->rhw", belief, seen)[:, None]


class MixedClasses(nn.Module):
    """A few channels instead of one per class, so that nothing class-sized is ever computed for a pair.

    The first is the mask that the detector expects, the mean over classes under its belief l_j. The others are
    learned convex mixtures of the class masks, so every channel stays a probability.
    """

    def __init__(self, classes: int, channels: int):
        super().__init__()
        self.channels = channels
        self.mixture = nn.Parameter(torch.randn(channels - 1, classes))

    def forward(
        self, masks: Float[Tensor, "regions classes side side"], regions: Regions
    ) -> Float[Tensor, "regions channels side side"]:
        belief = regions.class_probabilities.to(masks.dtype)[:, None]
        learned = self.mixture.softmax(dim=1).to(masks.dtype).expand(len(masks), -1, -1)
        return torch.einsum("rkg,rghw->rkhw", torch.cat([belief, learned], dim=1), masks)

    def expected(self, seen: Float[Tensor, "rows channels side side"]) -> Float[Tensor, "rows side side"]:
        """One mask for a picture: the channel that the detector's belief expects."""
        return seen[:, 0]

    def believed(
        self, seen: Float[Tensor, "regions channels side side"], regions: Regions
    ) -> Float[Tensor, "regions 1 side side"]:
        """The mask of each region that the detector expects, which is the first channel."""
        return seen[:, :1]


CERTAIN = 20.0
"""Mask logit of a cell that is known; its sigmoid is 1 in half precision too."""


class ConstantMasks(nn.Module):
    """Masks with one value in every cell of every box, whatever the picture shows. Background has an empty mask.

    With `value` 1 a mask says where its box is and no more (layout without pixels); with 0 it says nothing.
    """

    def __init__(self, classes: int, value: float):
        super().__init__()
        self.classes, self.value = classes, value

    def forward(self, regions: Regions) -> Float[Tensor, "regions classes side side"]:
        masks = regions.boxes.new_full((len(regions), self.classes, MASK_SIDE, MASK_SIDE), self.value)
        masks[:, 0] = 0
        return masks

    def weights(self, label: int) -> None:
        """None: these masks are constant and borrow from no mask class."""


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
    """A control: every region gets the masks of another region of its image."""

    def __init__(self, segmenter: nn.Module):
        super().__init__()
        self.segmenter = segmenter

    def forward(self, regions: Regions) -> Float[Tensor, "regions classes side side"]:
        return self.segmenter(regions)[cycles(regions.image)]

    def weights(self, label: int) -> None:
        """None: a region's mask comes from another region, not from mask classes of its own class."""


def true_mask_logits(regions: Regions, batch: Batch, cells: int) -> Float[Tensor, "regions 1 28 28"]:
    """The true mask of each region in `cells` x `cells` cells, as certain logits.

    It is empty where a detection matches no true box (IoU < 0.5).
    """
    logits = regions.boxes.new_full((len(regions), 1, MASK_SIDE, MASK_SIDE), -CERTAIN)
    for image, (true_boxes, masks) in enumerate(zip(batch.boxes, batch.masks, strict=True)):
        inside = (regions.image == image).nonzero()[:, 0]
        rows = true_rows(regions.boxes[inside], true_boxes)
        known, boxes = inside[rows >= 0], regions.boxes[inside[rows >= 0]]
        truth, block = crop(masks[rows[rows >= 0]], boxes, cells), MASK_SIDE // cells
        logits[known, 0] = CERTAIN * (2 * truth.repeat_interleave(block, 1).repeat_interleave(block, 2) - 1)
    return logits


class TrueMaskDetector(nn.Module):
    """A frozen detector whose mask head is never wrong: one channel of true masks, for whatever class.

    Batches must bring masks. Everything else is `detector`'s. With fewer `cells` along a side, a divisor of a mask's,
    true masks lose their edges: what would masks be worth that are nearly right?
    """

    def __init__(self, detector: nn.Module, cells: int = MASK_SIDE):
        super().__init__()
        self.detector, self.channels, self.cells = detector, detector.channels, cells

    def look(self, batch: Batch, task: Task, domain: Domain = "graph", *, masks: bool = True) -> Look:
        """The frozen detector's look with true masks as logits. ValueError if the batch has no masks."""
        if batch.masks is None:
            raise ValueError("an oracle needs true masks, which only a drawn world has (data.scene_graphs.true_masks)")
        look = self.detector.look(batch, task, domain, masks=False)
        logits = true_mask_logits(look.regions, batch, self.cells) if masks else None
        return replace(look, regions=replace(look.regions, mask_logits=logits))
