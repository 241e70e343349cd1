"""The paper's addition in one place: vectors of regions and pairs that see masks, eq. 5 and 7."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.grounding.segmenter import MixedClasses
from segsg.models.extractor import BoxExtractor, Encoded, Extractor
from segsg.structures import Look


class GroundedExtractor(Extractor):
    """Segments regions, then lets nodes and edges see the masks beside the boxes.

    ẑ_j = f_N([z_j, m̂_j]) (eq. 5) and ẑ_jj' = f_E([z_jj', m̂_jj']) (eq. 7), where z are crops of the feature maps.
    `segmenter(regions)` gives a mask for each class (eq. 4), `channels(masks, regions)` those that are used,
    `pair_masks` combines those of two regions (eq. 6), and `boxes` holds f_N and f_E. Controls and oracles are other
    objects in these slots.
    """

    sees_masks = True

    def __init__(self, boxes: BoxExtractor, segmenter: nn.Module, channels: nn.Module, pair_masks: nn.Module):
        super().__init__()
        self.boxes, self.segmenter, self.channels, self.pair_masks = boxes, segmenter, channels, pair_masks

    def forward(self, look: Look, pairs: Int[Tensor, "pairs 2"]) -> Encoded:
        """ẑ_j of every region (eq. 5) and ẑ_jj' of `pairs` (eq. 7), with the masks of all classes."""
        classes = self.segmenter(look.regions)
        masks = self.channels(classes, look.regions)
        nodes = self.boxes.node_vectors(look, masks, self.boxes.nodes.fusion)
        edges = self.boxes.edge_vectors(look, pairs, self.pair_masks.prepare(masks, look.regions))
        return Encoded(nodes, edges, classes)

    def nodes(self, look: Look) -> Float[Tensor, "regions node_width"]:
        """Node vectors ẑ_j of all regions, without pairs (eq. 5)."""
        return self.boxes.node_vectors(look, self.masks(look), self.boxes.nodes.fusion)

    def masks(self, look: Look) -> Float[Tensor, "regions mask_channels 28 28"]:
        """The mask channels that nodes and edges see."""
        return self.channels(self.segmenter(look.regions), look.regions)

    def meeting(self, look: Look, pairs: Int[Tensor, "pairs 2"]) -> Float[Tensor, "pairs 28 28"] | None:
        """Where the masks of each pair meet (eq. 6) in its union box, in one channel for a picture."""
        masks = self.pair_masks.meeting(self.masks(look), look.regions, pairs)
        return None if masks is None else self.channels.expected(masks)

    def class_kernels(self) -> Float[Tensor, "classes side side"] | None:
        """The Gaussian of a region that certainly is of a class (eq. 6), class by class; None if there are none."""
        return self.pair_masks.class_kernels()

    def weights(self, label: int) -> Float[Tensor, "mask_classes"] | None:
        """How much of each mask logit the mask of a class takes (eq. 3); None for a control."""
        return self.segmenter.weights(label)

    def steps(self, look: Look, pair: Int[Tensor, "1 2"]) -> dict[str, Float[Tensor, "1 1 28 28"]]:
        """Eq. 6 step by step for one pair and the masks that the detector expects; empty if pairs see no masks."""
        regions = look.regions
        expected = MixedClasses(regions.class_probabilities.shape[1], 1).to(regions.boxes.device)
        return self.pair_masks.steps(expected(self.segmenter(regions), regions), regions, pair)
