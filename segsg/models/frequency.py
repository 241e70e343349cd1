"""What the classes of a pair alone say about its predicate."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.structures import Context, Regions

EPSILON = 1e-3
CERTAIN = 1e3
"""Logit of a class that is given; so large that its softmax is exactly one-hot."""


def log_frequencies(counts: Int[Tensor, "classes classes predicates"]) -> Float[Tensor, "classes classes predicates"]:
    """log(share of a predicate among the pairs of two classes + 0.001), the bias of Neural Motifs.

    `counts[s, o, 0]` are pairs of these classes whether or not they have a relation; one is added to it, so that
    classes never seen together say "no relation".
    """
    counts = counts.double()
    counts[:, :, 0] += 1
    return (counts / counts.sum(dim=2, keepdim=True) + EPSILON).log().float()


def given(labels: Int[Tensor, "regions"], classes: int) -> Float[Tensor, "regions classes"]:
    """Object logits of known labels, as in PredCls."""
    return CERTAIN * nn.functional.one_hot(labels, classes).float()


class FrequencyBias(nn.Module):
    """A trainable table of predicate logits, one row for each ordered pair of classes."""

    def __init__(self, counts: Int[Tensor, "classes classes predicates"]):
        super().__init__()
        self.table = nn.Parameter(log_frequencies(counts))

    def forward(self, labels: Int[Tensor, "regions"], pairs: Int[Tensor, "pairs 2"]) -> Tensor:
        return self.table[labels[pairs[:, 0]], labels[pairs[:, 1]]]


class Frequency(nn.Module):
    """The frequency table as a scene graph model of its own: it sees no pixel, and is the floor of every table."""

    def __init__(self, bias: FrequencyBias):
        super().__init__()
        self.bias = bias

    def forward(self, nodes: Tensor, edges: Tensor, pairs: Int[Tensor, "pairs 2"], regions: Regions) -> Context:
        probabilities = regions.class_probabilities
        labels = probabilities[:, 1:].argmax(dim=1) + 1
        return Context(probabilities.clamp(min=1e-12).log(), self.bias(labels, pairs))


class NoFeatures(nn.Module):
    """Extractor of models that look at classes only."""

    def forward(self, look, pairs: Int[Tensor, "pairs 2"]) -> tuple[Tensor, Tensor]:
        boxes = look.regions.boxes
        return boxes.new_zeros(len(boxes), 0), boxes.new_zeros(len(pairs), 0)
