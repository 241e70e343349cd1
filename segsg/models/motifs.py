"""Neural Motifs (Zellers et al. 2018): bidirectional LSTMs over the regions of an image, from right to left."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.models.frequency import FrequencyBias
from segsg.models.labels import Labels, RegionEmbedding, SoftLabels
from segsg.models.pair_head import PairHead
from segsg.models.sequences import Sequences
from segsg.structures import Context, Regions


class BidirectionalContext(nn.Module):
    """One bidirectional LSTM layer over each image's regions, brought back to one width."""

    def __init__(self, width: int, hidden: int, dropout: float):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(width, hidden, bidirectional=True)
        self.out = nn.Linear(2 * hidden, hidden)

    def forward(self, x: Float[Tensor, "regions width"], order: Sequences) -> Float[Tensor, "regions hidden"]:
        if len(x) == 0:
            return x.new_zeros(0, self.out.out_features)
        packed, _ = self.lstm(order.pack(self.dropout(x)))
        return self.out(order.unpack(packed))


def right_to_left(boxes: Float[Tensor, "regions 4"]) -> Float[Tensor, "regions"]:
    """Sorting key of the paper's Motifs: descending centre along x."""
    return -(boxes[:, 0] + boxes[:, 2])


class Motifs(nn.Module):
    """Object context, label decoder, edge context, pair head. See Neural Motifs, sections 4.1-4.3.

    `decoder(features, labels, order) -> (logits, labels)` names the regions from node vectors and object context:
    `GivenLabels` in PredCls, `GreedyDecoder` otherwise.
    """

    def __init__(
        self,
        soft_labels: SoftLabels,
        embedding: RegionEmbedding,
        decoder: nn.Module,
        hard_labels: Labels,
        head: PairHead,
        bias: FrequencyBias,
        hidden: int,
        dropout: float,
        key: Callable[[Tensor], Tensor] = right_to_left,
    ):
        super().__init__()
        self.soft_labels, self.embedding, self.decoder = soft_labels, embedding, decoder
        self.hard_labels, self.head, self.bias, self.key = hard_labels, head, bias, key
        self.objects = BidirectionalContext(embedding.width, hidden, dropout)
        self.edges = BidirectionalContext(hard_labels.width + embedding.node_width + hidden, hidden, dropout)

    def forward(
        self,
        nodes: Float[Tensor, "regions node_width"],
        edges: Float[Tensor, "pairs pooling"],
        pairs: Int[Tensor, "pairs 2"],
        regions: Regions,
    ) -> Context:
        order = Sequences.of(regions.image, self.key(regions.boxes))
        embedded = self.embedding(nodes, self.soft_labels(regions.class_probabilities), regions)
        objects = self.objects(embedded, order)
        logits, labels = self.decoder(torch.cat([embedded, objects], dim=1), regions, order)
        hidden = self.edges(torch.cat([self.hard_labels(labels), nodes, objects], dim=1), order)
        return Context(logits, self.head(hidden, edges, pairs) + self.bias(labels, pairs), objects)
