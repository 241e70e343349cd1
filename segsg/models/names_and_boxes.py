"""Names and boxes: what the class vectors of a pair and the geometry of its boxes say about its predicate."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.kernels.geometry import GEOMETRY, pair_geometry
from segsg.models.parts import FrequencyBias, Labels, Materials
from segsg.structures import Context, Regions


class PairNetwork(nn.Module):
    """Predicate logits of pairs from the vectors of both names and their geometry: no pixel, and no list of names.

    Both vectors become one hidden vector, the geometry another, and their sum passes through one more hidden layer.
    """

    def __init__(self, *, words: int, hidden: int, predicates: int, dropout: float):
        super().__init__()
        self.names = nn.Linear(2 * words, hidden)
        self.geometry = nn.Sequential(
            nn.Linear(GEOMETRY, hidden), nn.ReLU(), nn.Dropout(dropout / 2), nn.Linear(hidden, hidden)
        )
        self.out = nn.Sequential(
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, 2 * hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(2 * hidden, predicates),
        )

    def forward(
        self,
        subjects: Float[Tensor, "pairs words"],
        objects: Float[Tensor, "pairs words"],
        geometry: Float[Tensor, "pairs geometry"],
    ) -> Float[Tensor, "pairs predicates"]:
        """Logits, background at 0; `geometry` is that of `pair_geometry`."""
        return self.out(self.names(torch.cat([subjects, objects], dim=1)) + self.geometry(geometry))


class NamesAndBoxes(nn.Module):
    """A context model without pixels: the surest class of each region, the boxes, and the frequency bias of all models.

    It is a floor above the frequency table: what other models say beyond it, they have from pixels.
    """

    def __init__(self, vectors: Labels, network: PairNetwork, bias: FrequencyBias):
        super().__init__()
        self.vectors, self.network, self.bias = vectors, network, bias

    def forward(self, nodes: Tensor, edges: Tensor, pairs: Int[Tensor, "pairs 2"], regions: Regions) -> Context:
        probabilities = regions.class_probabilities
        labels = probabilities[:, 1:].argmax(dim=1) + 1
        vectors, boxes = self.vectors(labels), regions.boxes
        subjects, objects = pairs.unbind(1)
        said = self.network(vectors[subjects], vectors[objects], pair_geometry(boxes[subjects], boxes[objects]))
        return Context(probabilities.clamp(min=1e-12).log(), said + self.bias(labels, pairs))


def context(given: Materials) -> NamesAndBoxes:
    """Names and boxes, with word vectors that are trained further."""
    network = PairNetwork(
        words=given.vectors.shape[1], hidden=given.hidden, predicates=given.predicates, dropout=given.dropout
    )
    return NamesAndBoxes(Labels(given.vectors), network, FrequencyBias(given.counts))
