"""The frequency table as a model of its own: what the classes of a pair alone say about its predicate."""

from jaxtyping import Int
from torch import Tensor, nn

from segsg.models.parts import FrequencyBias, Materials
from segsg.structures import Context, Regions


class Frequency(nn.Module):
    """The frequency table as a scene graph model of its own: it sees no pixel, and is the floor of every table."""

    def __init__(self, bias: FrequencyBias):
        super().__init__()
        self.bias = bias

    def forward(self, nodes: Tensor, edges: Tensor, pairs: Int[Tensor, "pairs 2"], regions: Regions) -> Context:
        probabilities = regions.class_probabilities
        labels = probabilities[:, 1:].argmax(dim=1) + 1
        return Context(probabilities.clamp(min=1e-12).log(), self.bias(labels, pairs))


def context(given: Materials) -> Frequency:
    """The frequency table alone."""
    return Frequency(FrequencyBias(given.counts))
