"""How the masks of two regions become the mask of their pair: eq. 6 and the variants of the paper's table 4.

Each is called with the masks of all regions once (`prepare`), then with pairs; a region's own work is never
repeated for its pairs, nor that of a pair for its other direction, unless its kernel depends on the other region
(`JointSmoothing`). Results are in the frame of the union box, or cell by cell in two unrelated boxes (`OwnFrames`, the
released code's reading).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.kernels.boxes import union_boxes
from segsg.kernels.masks import bounded, gaussian_kernels, grown, resample, smooth
from segsg.models.extractor import PairChunk, no_masks
from segsg.structures import Regions

Masks = Float[Tensor, "regions channels h w"]
OfPairs = Float[Tensor, "pairs channels h w"]


@dataclass(frozen=True)
class Framed:
    """Mask crops and the boxes that they fill, which may be larger than the regions' own."""

    masks: Float[Tensor, "regions channels h w"]
    boxes: Float[Tensor, "regions 4"]

    def of(self, pairs: Int[Tensor, "pairs 2"]) -> tuple["Framed", "Framed"]:
        """Mask crops of the subjects of `pairs`, and of their objects."""
        return tuple(Framed(self.masks.index_select(0, role), self.boxes[role]) for role in pairs.unbind(1))


Roles = Callable[[Int[Tensor, "pairs 2"]], tuple[Framed, Framed]]
"""pairs -> smoothed masks of their subjects and of their objects, a row for each pair"""


class UnionFrame:
    """Both masks of a pair resampled into its union box, where their cells mean the same pixels."""

    is_in_photo = True
    """whether a cell of the result is a place in the photo"""

    def __call__(self, roles: tuple[Framed, Framed], pairs: Tensor, boxes: Float[Tensor, "regions 4"], side: int):
        unions = union_boxes(boxes[pairs[:, 0]], boxes[pairs[:, 1]])
        return tuple(resample(framed.masks, framed.boxes, unions, side) for framed in roles)


class OwnFrames:
    """Each mask in the frame of its own box, as in the released code: cells of a pair meet by index, not by place."""

    is_in_photo = False

    def __call__(self, roles: tuple[Framed, Framed], pairs: Tensor, boxes: Float[Tensor, "regions 4"], side: int):
        own = boxes[pairs].unbind(1)
        return tuple(resample(framed.masks, framed.boxes, box, side) for framed, box in zip(roles, own, strict=True))


def start_kernels(layer: nn.Linear) -> nn.Linear:
    """Kernels that differ a little from class to class, around the Gaussian that zero maps to."""
    nn.init.normal_(layer.weight, std=0.1)
    nn.init.zeros_(layer.bias)
    return layer


class Smoothing(nn.Module):
    """Smooths the masks of regions. Called with masks and regions, it returns their `Roles`.

    `is_symmetric`: a region has the same smoothed mask in every pair and in either role.
    """

    is_symmetric = True

    def class_kernels(self) -> Float[Tensor, "classes side side"] | None:
        """The kernel of a region that certainly is of a class, class by class; None without kernels of regions."""
        return None


class GaussianSmoothing(Smoothing):
    """K_j ⊗ m_j of eq. 6: the kernel's two variances and correlation are read off the region's class belief."""

    def __init__(self, classes: int, side: int):
        super().__init__()
        self.side = side
        self.parameters_of = start_kernels(nn.Linear(classes, 3))

    def kernels(self, class_probabilities: Float[Tensor, "regions classes"]) -> Float[Tensor, "regions side side"]:
        """Kernels of regions; of classes, when given one-hot rows."""
        return gaussian_kernels(*bounded(self.parameters_of(class_probabilities).float()), self.side)

    @torch.no_grad()
    def class_kernels(self) -> Float[Tensor, "classes side side"]:
        """The kernel of a region that certainly is of a class, class by class without background."""
        weight = self.parameters_of.weight
        return self.kernels(torch.eye(weight.shape[1], device=weight.device))[1:]

    def forward(self, masks: Masks, regions: Regions) -> Roles:
        smoothed = smooth(masks, self.kernels(regions.class_probabilities))
        return Framed(smoothed, grown(regions.boxes, masks.shape[-1], self.side // 2)).of


class JointSmoothing(Smoothing):
    """Eq. 6 as the released code has it: both kernels of a pair are read off the class beliefs of both regions.

    A region is then smoothed anew for every pair, which costs as many convolutions as there are pairs.
    """

    is_symmetric = False

    def __init__(self, classes: int, side: int):
        super().__init__()
        self.side = side
        self.parameters_of = start_kernels(nn.Linear(2 * classes, 6))

    def kernels(
        self, subjects: Float[Tensor, "pairs classes"], objects: Float[Tensor, "pairs classes"]
    ) -> tuple[Float[Tensor, "pairs side side"], Float[Tensor, "pairs side side"]]:
        """Kernels of the subjects and of the objects."""
        raw = self.parameters_of(torch.cat([subjects, objects], dim=1)).float()
        return tuple(gaussian_kernels(*bounded(part), self.side) for part in raw.chunk(2, dim=1))

    def forward(self, masks: Masks, regions: Regions) -> Roles:
        wide = grown(regions.boxes, masks.shape[-1], self.side // 2)

        def of(pairs: Int[Tensor, "pairs 2"]) -> tuple[Framed, Framed]:
            kernels = self.kernels(*regions.class_probabilities[pairs].unbind(1))
            roles = zip(pairs.unbind(1), kernels, strict=True)
            return tuple(Framed(smooth(masks[role], kernel), wide[role]) for role, kernel in roles)

        return of


class NoSmoothing(Smoothing):
    """Masks as they are: for the average and the union of table 4."""

    def forward(self, masks: Masks, regions: Regions) -> Roles:
        return Framed(masks, regions.boxes).of


def product(a: Tensor, b: Tensor) -> Tensor:
    """Product of two masks: high where both masks are (⊙ of eq. 6)."""
    return a * b


def average(a: Tensor, b: Tensor) -> Tensor:
    """Mean of two masks: EG_avg of the paper's table 4."""
    return (a + b) / 2


def soft_or(a: Tensor, b: Tensor) -> Tensor:
    """Union of two masks: high where either mask is (EG_union of the paper's table 4)."""
    return 1 - (1 - a) * (1 - b)


class PairMasks(nn.Module):
    """m_jj' of eq. 6: smooth each region's masks, bring two of them into one frame, combine them."""

    def __init__(self, smoothing: Smoothing, frame, combine, squash: bool):
        super().__init__()
        self.smoothing, self.frame, self.combine = smoothing, frame, combine
        self.squash = torch.sigmoid if squash else nn.Identity()

    def prepare(self, masks: Masks, regions: Regions) -> Callable[[PairChunk], Float[Tensor, "pairs channels h w"]]:
        """A function of a chunk of pairs that returns their masks."""
        roles = self.smoothing(masks, regions)

        def of_chunk(chunk: PairChunk) -> Tensor:
            if not self.smoothing.is_symmetric:
                return self._combined(roles(chunk.pairs), chunk.pairs, regions, chunk.side)
            return self._combined(roles(chunk.unordered), chunk.unordered, regions, chunk.side).index_select(
                0, chunk.row
            )

        return of_chunk

    def meeting(self, masks: Masks, regions: Regions, pairs: Int[Tensor, "pairs 2"]) -> OfPairs | None:
        """The masks of a few pairs in the frames of their union boxes; None if they lie elsewhere."""
        if not self.frame.is_in_photo:
            return None
        return self._combined(self.smoothing(masks, regions)(pairs), pairs, regions, masks.shape[-1])

    def steps(self, masks: Masks, regions: Regions, pair: Int[Tensor, "1 2"]) -> dict[str, Tensor]:
        """Eq. 6 step by step for one pair: both masks as they are, both smoothed, and their combination."""
        named, side = {}, masks.shape[-1]
        for how, smoothing in (("mask", NoSmoothing()), ("smoothed", self.smoothing)):
            roles = self.frame(smoothing(masks, regions)(pair), pair, regions.boxes, side)
            named |= {f"{role}, {how}": framed for role, framed in zip(("subject", "object"), roles, strict=True)}
        return named | {"pair": self._combined(self.smoothing(masks, regions)(pair), pair, regions, side)}

    def class_kernels(self) -> Float[Tensor, "classes side side"] | None:
        """The kernel of a region that certainly is of a class, class by class; None without kernels of regions."""
        return self.smoothing.class_kernels()

    def _combined(
        self, roles: tuple[Framed, Framed], pairs: Int[Tensor, "pairs 2"], regions: Regions, side: int
    ) -> OfPairs:
        return self.squash(self.combine(*self.frame(roles, pairs, regions.boxes, side)))


class NoPairMasks(nn.Module):
    """Edges without masks: the row +OG of table 4."""

    def prepare(self, masks: Masks, regions: Regions) -> Callable[[PairChunk], Float[Tensor, "pairs 0 h w"]]:
        """A function of a chunk of pairs that returns masks without a channel."""
        return no_masks

    def meeting(self, masks: Masks, regions: Regions, pairs: Int[Tensor, "pairs 2"]) -> None:
        """No masks meet, so None."""

    def steps(self, masks: Masks, regions: Regions, pair: Int[Tensor, "1 2"]) -> dict[str, Tensor]:
        """No masks come about, so there is no step."""
        return {}

    def class_kernels(self) -> None:
        """Nothing is smoothed, so None."""


KERNELS = {"own": GaussianSmoothing, "joint": JointSmoothing}
FRAMES = {"union": UnionFrame, "box": OwnFrames}
COMBINATIONS = {"gaussian": product, "average": average, "union": soft_or}
