"""Vectors of regions and of pairs from the detector's feature maps: the seam where grounding attaches."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.kernels.boxes import union_boxes
from segsg.kernels.masks import resample
from segsg.structures import Look

MASK_SIDE = 28
LAYOUT_CHANNELS = 2
PAIRS_AT_ONCE = 1024
"""Pairs encoded together; bounds memory on images with many regions and changes no result."""

Crop = Callable[[Look, Tensor, Tensor, int], Tensor]
"""(look, boxes [n, 4], their images [n], side) -> crops [n, channels, side, side]; `Detector.union_crops`."""


def fold(masks: Float[Tensor, "n channels 28 28"], side: int) -> Float[Tensor, "n folded side side"]:
    """Each block of mask cells as channels of one cell; PyTorch's own pixel_unshuffle refuses an empty batch."""
    block = MASK_SIDE // side
    blocks = masks.unflatten(3, (side, block)).unflatten(2, (side, block))
    return blocks.permute(0, 1, 3, 5, 2, 4).flatten(1, 3)


class Fusion(nn.Module):
    """One convolution over a crop of the feature map and the mask channels of the same frame, then a rectifier.

    A convolution of concatenated channels is the sum of two convolutions, so crop and masks may have different
    resolutions: each block of mask cells becomes the channels of one crop cell, and no mask cell is
    averaged away. With `side` 28 this is the paper's concatenation, letter by letter.
    """

    def __init__(self, channels: int, mask_channels: int, side: int, width: int):
        super().__init__()
        if MASK_SIDE % side:
            raise ValueError(f"region_side {side} does not divide the {MASK_SIDE} cells of a mask; use 7, 14 or 28")
        self.side = side
        self.crop = nn.Conv2d(channels, width, 3, padding=1)
        folded = mask_channels * (MASK_SIDE // side) ** 2
        self.masks = nn.Conv2d(folded, width, 3, padding=1, bias=False) if mask_channels else None

    def forward(
        self,
        crops: Float[Tensor, "n channels side side"],
        rows: Int[Tensor, "m"],
        masks: Float[Tensor, "m mask_channels 28 28"] | None,
    ) -> Float[Tensor, "m width side side"]:
        """Row m uses crop `rows[m]`: pairs that share a union box share the convolution of its crop."""
        fused = self.crop(crops)[rows]
        if self.masks is not None:
            fused = fused + self.masks(fold(masks, self.side))
        return fused.relu()


class CropEncoder(nn.Module):
    """f_N of eq. 5 and f_E of eq. 7: a crop and the masks in it, fused and brought to one vector."""

    def __init__(self, channels: int, mask_channels: int, side: int, width: int, dense: int, out: int):
        super().__init__()
        self.side = side
        self.fusion = Fusion(channels, mask_channels, side, width)
        self.dense = nn.Sequential(
            nn.Flatten(), nn.Linear(width * side**2, dense), nn.ReLU(), nn.Linear(dense, out), nn.ReLU()
        )

    def forward(
        self,
        crops: Float[Tensor, "n channels side side"],
        rows: Int[Tensor, "m"],
        masks: Float[Tensor, "m mask_channels 28 28"] | None,
    ) -> Float[Tensor, "m out"]:
        """Vector m of crop `rows[m]` and masks m."""
        return self.dense(self.fusion(crops, rows, masks))


def shared_boxes(pairs: Int[Tensor, "pairs 2"]) -> tuple[Int[Tensor, "unordered 2"], Int[Tensor, "pairs"]]:
    """The distinct unordered pairs, and for each ordered pair the row of its own: a union box has no direction."""
    return torch.unique(pairs.sort(dim=1).values, dim=0, return_inverse=True)


def layout(
    subjects: Float[Tensor, "pairs 4"], objects: Float[Tensor, "pairs 4"], unions: Float[Tensor, "pairs 4"]
) -> Float[Tensor, "pairs 2 28 28"]:
    """Rectangles of subject and object in the frame of their union box, as in Neural Motifs; cells hold coverage."""
    full = subjects.new_ones(len(subjects), 1, MASK_SIDE, MASK_SIDE)
    frames = [resample(full, boxes, unions, MASK_SIDE) for boxes in (subjects, objects)]
    return torch.cat(frames, dim=1)


class BoxExtractor(nn.Module):
    """Regions and pairs from their boxes alone: what every scene graph model did before the paper."""

    def __init__(self, crop: Crop, nodes: CropEncoder, edges: CropEncoder):
        super().__init__()
        self.crop, self.nodes, self.edges = crop, nodes, edges

    def forward(
        self, look: Look, pairs: Int[Tensor, "pairs 2"]
    ) -> tuple[Float[Tensor, "regions node_width"], Float[Tensor, "pairs pooling"]]:
        """Node and edge vectors of eq. 1, without masks."""
        return self.encode_nodes(look, None), self.encode_edges(look, pairs, lambda part: [])

    def encode_nodes(self, look: Look, masks: Float[Tensor, "regions mask_channels 28 28"] | None) -> Tensor:
        """z_j from the region's box and, with masks, ẑ_j of eq. 5."""
        return self.nodes_by(self.nodes.fusion, look, masks)

    def nodes_by(
        self, fusion: Fusion, look: Look, masks: Float[Tensor, "regions mask_channels 28 28"] | None
    ) -> Float[Tensor, "regions node_width"]:
        """The same behind another `fusion`: for looks whose masks have channels of their own."""
        regions = look.regions
        crops = self.crop(look, regions.boxes, regions.image, self.nodes.side)
        return self.nodes.dense(fusion(crops, torch.arange(len(regions), device=crops.device), masks))

    def encode_edges(
        self, look: Look, pairs: Int[Tensor, "pairs 2"], pair_masks: Callable[[Tensor], list[Tensor]]
    ) -> Tensor:
        """z_jj' from the union box; `pair_masks(part of pairs)` adds mask channels in its frame for eq. 7."""
        parts = pairs.split(PAIRS_AT_ONCE) if len(pairs) else [pairs]
        return torch.cat([self._encode_part(look, part, pair_masks(part)) for part in parts])

    def _encode_part(self, look: Look, pairs: Tensor, masks: list[Tensor]) -> Tensor:
        boxes, image = look.regions.boxes, look.regions.image
        subjects, objects = boxes[pairs[:, 0]], boxes[pairs[:, 1]]
        unordered, rows = shared_boxes(pairs)
        unions = union_boxes(boxes[unordered[:, 0]], boxes[unordered[:, 1]])
        crops = self.crop(look, unions, image[unordered[:, 0]], self.edges.side)
        channels = [layout(subjects, objects, unions[rows]), *masks]
        return self.edges(crops, rows, torch.cat(channels, dim=1))
