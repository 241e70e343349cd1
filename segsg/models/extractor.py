"""Vectors of regions and of pairs from a look: the seam where grounding attaches."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.kernels.boxes import union_boxes
from segsg.kernels.masks import coverage
from segsg.structures import MASK_SIDE, Look

LAYOUT_CHANNELS = 2
"""rectangles of subject and object in the frame of their union box, as in Neural Motifs; cells hold coverage"""
CHUNK_BYTES = 2**28
"""memory for the masks of the pairs that are encoded together; it changes no result"""


@dataclass(frozen=True)
class PairChunk:
    """Pairs that are encoded together: rows (subject, object), and the unordered pairs that they are directions of.

    A union box, a crop and most masks have no direction, so they are made once for `unordered`; `row[k]` is the place
    of pair k there. In its frames a pair sees masks as `side` x `side` cells.
    """

    pairs: Int[Tensor, "pairs 2"]
    unordered: Int[Tensor, "unordered 2"]
    row: Int[Tensor, "pairs"]
    side: int


ChunkMasks = Callable[[PairChunk], Float[Tensor, "pairs channels side side"]]
"""mask channels of each pair of a chunk in the frame of its union box, or in a frame of their own"""


@dataclass(frozen=True)
class Encoded:
    """z_j and z_jj' of eq. 1, or ẑ_j and ẑ_jj' of eq. 2, and the masks that were seen on the way (None without any)."""

    nodes: Float[Tensor, "regions node_width"]
    edges: Float[Tensor, "pairs pooling"]
    masks: Float[Tensor, "regions classes side side"] | None = None


class Extractor(nn.Module):
    """Vectors of regions and pairs: called with a look and pairs, it returns `Encoded`.

    Its other methods show masks to pictures. Here they have none to show; `GroundedExtractor` has.
    """

    sees_masks = False
    """whether it reads the mask logits of a look"""

    def meeting(self, look: Look, pairs: Int[Tensor, "pairs 2"]) -> Float[Tensor, "pairs 28 28"] | None:
        """Where the masks of each pair meet (eq. 6), in the frame of its union box; None if pairs see no such masks."""
        return None

    def class_kernels(self) -> Float[Tensor, "classes side side"] | None:
        """The Gaussian of a region that certainly is of a class (eq. 6), class by class; None if there are none."""
        return None

    def weights(self, label: int) -> Float[Tensor, "mask_classes"] | None:
        """How much of each mask logit the mask of a class takes (eq. 3); None if masks do not come about so."""
        return None

    def steps(self, look: Look, pair: Int[Tensor, "1 2"]) -> dict[str, Float[Tensor, "1 1 28 28"]]:
        """Eq. 6 step by step for one pair and the masks that the detector expects; empty if pairs see no masks."""
        return {}


class NoFeatures(Extractor):
    """Extractor of models that look at classes only."""

    def forward(self, look: Look, pairs: Int[Tensor, "pairs 2"]) -> Encoded:
        """Vectors of width zero."""
        boxes = look.regions.boxes
        return Encoded(boxes.new_zeros(len(boxes), 0), boxes.new_zeros(len(pairs), 0))


def fold(masks: Float[Tensor, "n channels cells cells"], side: int) -> Float[Tensor, "n folded side side"]:
    """Each block of mask cells as channels of one cell; PyTorch's own pixel_unshuffle refuses an empty batch."""
    block = masks.shape[-1] // side
    blocks = masks.unflatten(3, (side, block)).unflatten(2, (side, block))
    return blocks.permute(0, 1, 3, 5, 2, 4).flatten(1, 3)


def folded(side: int, mask_side: int) -> int:
    """Channels that one mask channel becomes when it is folded. ValueError if its cells do not fill those of a crop."""
    if mask_side % side:
        raise ValueError(f"masks of {mask_side} x {mask_side} cells cannot be folded into crops of {side} x {side}")
    return (mask_side // side) ** 2


class Fusion(nn.Module):
    """One convolution over a crop of the feature map and the mask channels of the same frame, then a rectifier.

    A convolution of concatenated channels is the sum of two convolutions, so crop and masks may have different
    resolutions: each block of mask cells becomes the channels of one crop cell, and no mask cell is
    averaged away. With `side` 28 this is the paper's concatenation. The released code has no rectifier behind it.
    """

    def __init__(self, *, channels: int, mask_channels: int, side: int, mask_side: int, width: int):
        super().__init__()
        self.side = side
        self.crop = nn.Conv2d(channels, width, 3, padding=1)
        seen = mask_channels * folded(side, mask_side)
        self.masks = nn.Conv2d(seen, width, 3, padding=1, bias=False) if mask_channels else None

    def forward(
        self,
        crops: Float[Tensor, "n channels side side"],
        rows: Int[Tensor, "m"],
        masks: Float[Tensor, "m mask_channels mask_side mask_side"],
    ) -> Float[Tensor, "m width side side"]:
        """Row m uses crop `rows[m]`: pairs that share a union box share the convolution of its crop.

        Masks are not looked at where there is no room for any (`mask_channels` 0).
        """
        fused = self.crop(crops).index_select(0, rows)
        if self.masks is not None:
            fused += self.masks(fold(masks, self.side))
        return fused.relu_()


class CropEncoder(nn.Module):
    """f_N of eq. 5 and f_E of eq. 7: a crop and the masks in it, fused and brought to one vector.

    `channels` of `side` x `side` cells and `mask_channels` of `mask_side` x `mask_side` come in, `width` channels are
    left when they are fused on the coarser cells, and two dense layers of width `dense` and `out` follow.
    """

    def __init__(
        self, *, channels: int, mask_channels: int, side: int, mask_side: int, width: int, dense: int, out: int
    ):
        super().__init__()
        self.side, self.mask_side, self.mask_channels = side, mask_side, mask_channels
        self.fusion = Fusion(
            channels=channels, mask_channels=mask_channels, side=side, mask_side=mask_side, width=width
        )
        self.dense = nn.Sequential(
            nn.Flatten(), nn.Linear(width * side**2, dense), nn.ReLU(), nn.Linear(dense, out), nn.ReLU()
        )

    def forward(
        self,
        crops: Float[Tensor, "n channels side side"],
        rows: Int[Tensor, "m"],
        masks: Float[Tensor, "m mask_channels mask_side mask_side"],
    ) -> Float[Tensor, "m out"]:
        """Vector k from crop `rows[k]` and the mask channels `masks[k]`."""
        return self.dense(self.fusion(crops, rows, masks))


class BoxExtractor(Extractor):
    """Vectors of regions and pairs from their boxes alone, as in scene graph models before the paper (eq. 1).

    Its encoders may have room for mask channels, which `GroundedExtractor` fills.
    """

    def __init__(self, nodes: CropEncoder, edges: CropEncoder):
        super().__init__()
        self.nodes, self.edges = nodes, edges

    def forward(self, look: Look, pairs: Int[Tensor, "pairs 2"]) -> Encoded:
        """Node and edge vectors without masks."""
        boxes = look.regions.boxes
        nodes = self.node_vectors(look, boxes.new_zeros(len(boxes), 0, MASK_SIDE, MASK_SIDE), self.nodes.fusion)
        return Encoded(nodes, self.edge_vectors(look, pairs, no_masks))

    def node_vectors(
        self, look: Look, masks: Float[Tensor, "regions mask_channels 28 28"], fusion: Fusion
    ) -> Float[Tensor, "regions node_width"]:
        """A vector of each region from its crop and mask channels in it, brought together by `fusion`."""
        crops = look.region_crops(self.nodes.side)
        return self.nodes.dense(fusion(crops, torch.arange(len(crops), device=crops.device), masks))

    def edge_vectors(
        self, look: Look, pairs: Int[Tensor, "pairs 2"], masks: ChunkMasks
    ) -> Float[Tensor, "pairs pooling"]:
        """A vector of each pair from the crop of its union box, the rectangles of both boxes in it, and `masks`."""
        unordered, row = torch.unique(pairs.sort(dim=1).values, dim=0, return_inverse=True)
        together, side = max(1, CHUNK_BYTES // self._bytes()), self.edges.mask_side
        if len(unordered) <= together:
            return self._encode(look, PairChunk(pairs, unordered, row, side), masks)
        places, vectors = [], []
        for start in range(0, len(unordered), together):
            place = ((row >= start) & (row < start + together)).nonzero()[:, 0]
            chunk = PairChunk(pairs[place], unordered[start : start + together], row[place] - start, side)
            places.append(place)
            vectors.append(self._encode(look, chunk, masks))
        return torch.cat(vectors)[torch.cat(places).argsort()]

    def _encode(self, look: Look, chunk: PairChunk, masks: ChunkMasks) -> Tensor:
        boxes, image = look.regions.boxes, look.regions.image
        first, second = chunk.unordered.unbind(1)
        unions = union_boxes(boxes[first], boxes[second])
        crops = look.crop(unions, image[first], self.edges.side)
        layout = coverage(boxes[chunk.pairs], unions[chunk.row], chunk.side)
        return self.edges(crops, chunk.row, torch.cat([layout, masks(chunk)], dim=1))

    def _bytes(self) -> int:
        """Memory that an unordered pair needs: both masks in its frame, their combination, and for each direction all
        channels side by side and folded."""
        masks = self.edges.mask_channels - LAYOUT_CHANNELS
        return 4 * self.edges.mask_side**2 * (3 * masks + 4 * self.edges.mask_channels)


def no_masks(chunk: PairChunk) -> Float[Tensor, "pairs 0 side side"]:
    """Pairs that see no masks."""
    return torch.zeros(len(chunk.pairs), 0, chunk.side, chunk.side, device=chunk.pairs.device)
