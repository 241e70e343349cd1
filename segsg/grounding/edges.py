"""How the masks of two regions become the mask of their pair: eq. 6 and the variants of the paper's table 4.

Each is called with the masks of all regions once (`prepare`), then with pairs; a region's own work is never
repeated for its pairs. Results are in the frame of the union box, or cell by cell in two unrelated boxes
(`OwnFrames`, the released code's reading).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.kernels.boxes import union_boxes
from segsg.kernels.gaussian import bounded, gaussian_kernels, grown, smooth
from segsg.kernels.masks import resample
from segsg.structures import Regions

Masks = Float[Tensor, "regions channels h w"]


@dataclass(frozen=True)
class Framed:
    """Mask crops and the boxes that they fill, which may be larger than the regions' own."""

    masks: Float[Tensor, "regions channels h w"]
    boxes: Float[Tensor, "regions 4"]


class UnionFrame:
    """Both masks of a pair resampled into its union box, where their cells mean the same pixels."""

    def __call__(self, framed: Framed, pairs: Int[Tensor, "pairs 2"], boxes: Float[Tensor, "regions 4"], side: int):
        unions = union_boxes(boxes[pairs[:, 0]], boxes[pairs[:, 1]])
        return tuple(resample(framed.masks[role], framed.boxes[role], unions, side) for role in pairs.unbind(1))


class OwnFrames:
    """Each mask in the frame of its own box, as in the released code: cells of a pair meet by index, not by place."""

    def __call__(self, framed: Framed, pairs: Int[Tensor, "pairs 2"], boxes: Float[Tensor, "regions 4"], side: int):
        own = resample(framed.masks, framed.boxes, boxes, side)
        return own[pairs[:, 0]], own[pairs[:, 1]]


class GaussianSmoothing(nn.Module):
    """K_j ⊗ m_j of eq. 6: the kernel's two variances and correlation are read off the region's class belief."""

    def __init__(self, classes: int, side: int):
        super().__init__()
        self.side = side
        self.parameters_of = nn.Linear(classes, 3)
        nn.init.normal_(self.parameters_of.weight, std=0.1)
        nn.init.zeros_(self.parameters_of.bias)

    def kernels(self, class_probabilities: Float[Tensor, "regions classes"]) -> Float[Tensor, "regions side side"]:
        """Kernels of regions; of classes, when given one-hot rows."""
        return gaussian_kernels(*bounded(self.parameters_of(class_probabilities).float()), self.side)

    def forward(self, masks: Masks, regions: Regions) -> Framed:
        smoothed = smooth(masks, self.kernels(regions.class_probabilities))
        return Framed(smoothed, grown(regions.boxes, masks.shape[-1], self.side // 2))


class NoSmoothing(nn.Module):
    """Masks as they are: for the average and the union of table 4."""

    def forward(self, masks: Masks, regions: Regions) -> Framed:
        return Framed(masks, regions.boxes)


def product(a: Tensor, b: Tensor) -> Tensor:
    """Where both are: ⊙ of eq. 6."""
    return a * b


def average(a: Tensor, b: Tensor) -> Tensor:
    """EG_avg of table 4."""
    return (a + b) / 2


def soft_or(a: Tensor, b: Tensor) -> Tensor:
    """EG_union of table 4: where either is."""
    return 1 - (1 - a) * (1 - b)


class PairMasks(nn.Module):
    """m_jj': smooth each region's masks, bring two of them into one frame, combine them."""

    def __init__(self, smoothing: nn.Module, frame, combine, squash: bool):
        super().__init__()
        self.smoothing, self.frame, self.combine = smoothing, frame, combine
        self.squash = torch.sigmoid if squash else nn.Identity()

    def prepare(self, masks: Masks, regions: Regions):
        """A function of pairs that returns their masks `[pairs, channels, side, side]`, as a list of one."""
        framed, side = self.smoothing(masks, regions), masks.shape[-1]
        return lambda pairs: [self.squash(self.combine(*self.frame(framed, pairs, regions.boxes, side)))]


class NoPairMasks(nn.Module):
    """Edges without masks: the row +OG of table 4."""

    def prepare(self, masks: Masks, regions: Regions):
        return lambda pairs: []


FRAMES = {"union": UnionFrame, "box": OwnFrames}
COMBINATIONS = {"gaussian": product, "average": average, "union": soft_or}
