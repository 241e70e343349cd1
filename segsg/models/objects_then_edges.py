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
        arrangement, relatedness = self.arrange(nodes, words, regions)
        embedded = self.embedding(nodes, words, regions)
        objects = self.objects(embedded, arrangement)
        logits, labels = self.decoder(torch.cat([embedded, objects], dim=1), regions, arrangement)
        hidden = self.edges(torch.cat([self.hard_labels(labels), nodes, objects], dim=1), arrangement)
        return Context(logits, self.head(hidden, edges, pairs) + self.bias(labels, pairs), objects, relatedness)
