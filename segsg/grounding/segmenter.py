"""Masks of regions for scene-graph classes: transfer (eq. 4) and the channels that nodes and edges see."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from segsg.structures import Regions


class Segmenter(nn.Module):
    """Masks of every scene-graph class as T · mask logits, then sigmoid (eq. 4). Background has an empty mask.

    `transfer` is `[classes, mask_classes]` without background. A class without any partner (a zero row) has no
    mask either: sigmoid(0) would call every cell half covered.
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
        masks = logits.sigmoid() * self.known[:, None]
        return masks.unflatten(2, regions.mask_logits.shape[2:])


class AllClasses(nn.Module):
    """One channel per class, as in the paper."""

    def __init__(self, classes: int):
        super().__init__()
        self.channels = classes

    def forward(self, masks: Float[Tensor, "regions classes side side"], regions: Regions) -> Tensor:
        return masks

    def expected(self, seen: Float[Tensor, "rows channels side side"]) -> Float[Tensor, "rows side side"]:
        """One mask for a picture: the largest of a cell's channels."""
        return seen.amax(dim=1)


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
