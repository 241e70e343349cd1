"""The paper's addition in one place: the same call as `BoxExtractor`, with masks in nodes (eq. 5) and edges (eq. 7)."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.models.extractor import BoxExtractor
from segsg.structures import Look


class GroundedExtractor(nn.Module):
    """Segments regions, then lets nodes and edges see the masks beside the boxes.

    `segmenter(regions)` gives masks per class, `channels(masks, regions)` those that are used, `pair_masks` combines
    those of two regions. Controls and oracles are other objects in these slots.
    """

    def __init__(self, boxes: BoxExtractor, segmenter: nn.Module, channels: nn.Module, pair_masks: nn.Module):
        super().__init__()
        self.boxes, self.segmenter, self.channels, self.pair_masks = boxes, segmenter, channels, pair_masks

    def forward(
        self, look: Look, pairs: Int[Tensor, "pairs 2"]
    ) -> tuple[Float[Tensor, "regions node_width"], Float[Tensor, "pairs pooling"]]:
        """ẑ_j and ẑ_jj' of eq. 5 and 7."""
        masks = self.masks(look)
        prepared = self.pair_masks.prepare(masks, look.regions)
        return self.boxes.encode_nodes(look, masks), self.boxes.encode_edges(look, pairs, prepared)

    def masks(self, look: Look) -> Float[Tensor, "regions mask_channels 28 28"]:
        """The mask channels that nodes and edges see."""
        return self.channels(self.segmenter(look.regions), look.regions)

    def nodes(self, look: Look) -> Float[Tensor, "regions node_width"]:
        """ẑ_j alone."""
        return self.boxes.encode_nodes(look, self.masks(look))
