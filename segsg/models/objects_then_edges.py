"""What Neural Motifs, VCTree and the Transformer have in common: context of objects, names, context of edges."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.models.frequency import FrequencyBias
from segsg.models.labels import Labels, RegionEmbedding, SoftLabels
from segsg.models.pair_head import PairHead
from segsg.structures import Context, Regions


class ObjectsThenEdges(nn.Module):
    """Two passes over the regions of an image, the first to name them, the second to relate them.

    `arrange(nodes, words, regions) -> (arrangement, relatedness)`: the order in which regions hear from each other
    (a `Sequences`, a `Forest`, a `Padded`), and what `Context.relatedness` says, or None.
    `objects` and `edges`, each `(x, arrangement) -> hidden`, are one layer or more over that arrangement.
    `decoder(features, regions, arrangement) -> (logits, labels)` names regions: `GivenLabels` in PredCls.
    """

    def __init__(
        self,
        arrange: nn.Module,
        soft_labels: SoftLabels,
        embedding: RegionEmbedding,
        objects: nn.Module,
        decoder: nn.Module,
        hard_labels: Labels,
        edges: nn.Module,
        head: PairHead,
        bias: FrequencyBias,
    ):
        super().__init__()
        self.arrange, self.soft_labels, self.embedding = arrange, soft_labels, embedding
        self.objects, self.decoder, self.hard_labels = objects, decoder, hard_labels
        self.edges, self.head, self.bias = edges, head, bias

    def forward(
        self,
        nodes: Float[Tensor, "regions node_width"],
        edges: Float[Tensor, "pairs pooling"],
        pairs: Int[Tensor, "pairs 2"],
        regions: Regions,
    ) -> Context:
        words = self.soft_labels(regions.class_probabilities)
        described, arrangement, relatedness = self._describe(nodes, words, regions)
        objects = described[:, self.embedding.width :]
        logits, labels = self.decoder(described, regions, arrangement)
        hidden = self.edges(torch.cat([self.hard_labels(labels), nodes, objects], dim=1), arrangement)
        return Context(logits, self.head(hidden, edges, pairs) + self.bias(labels, pairs), relatedness)

    @property
    def described(self) -> int:
        """Width of `describe`."""
        return self.embedding.width + self.head.roles.in_features

    def describe(
        self, nodes: Float[Tensor, "regions node_width"], words: Float[Tensor, "regions words"], regions: Regions
    ) -> Float[Tensor, "regions described"]:
        """Node, label, position and object context of each region, side by side; refinement reads it (eq. 8)."""
        return self._describe(nodes, words, regions)[0]

    def labels_of(self, vectors: Float[Tensor, "classes words"]) -> SoftLabels:
        """The `words` of `describe` for another vocabulary."""
        return SoftLabels(vectors)

    def _describe(self, nodes: Tensor, words: Tensor, regions: Regions):
        arrangement, relatedness = self.arrange(nodes, words, regions)
        embedded = self.embedding(nodes, words, regions)
        return torch.cat([embedded, self.objects(embedded, arrangement)], dim=1), arrangement, relatedness
