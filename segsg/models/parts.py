"""Parts that scene graph models share: labels, the frequency bias, the head for pairs, and two passes of context."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from segsg.kernels.boxes import position_code
from segsg.structures import Context, Regions

Layers = Callable[[int], nn.Module]
"""width of the input -> a module over an arrangement of regions"""
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


class Labels(nn.Module):
    """A trainable vector for each class, started from word vectors where they have the same width."""

    def __init__(self, vectors: Float[Tensor, "classes words"]):
        super().__init__()
        self.width = vectors.shape[1]
        self.table = nn.Parameter(vectors.clone())

    def forward(self, labels: Int[Tensor, "regions"]) -> Float[Tensor, "regions words"]:
        return self.table[labels]


class SoftLabels(Labels):
    """A label vector for each region: the mean of the class vectors, weighted by the detector's probabilities."""

    def forward(self, probabilities: Float[Tensor, "regions classes"]) -> Float[Tensor, "regions words"]:
        return probabilities @ self.table


class RegionEmbedding(nn.Module):
    """Node vector, label vector and position code of each region, side by side: the input of every context model."""

    def __init__(self, node_width: int, words: int, position: int):
        super().__init__()
        self.node_width = node_width
        self.width = node_width + words + position
        self.position = nn.Sequential(nn.Linear(9, 32), nn.LayerNorm(32), nn.Linear(32, position), nn.ReLU())

    def forward(self, nodes: Tensor, words: Tensor, regions: Regions) -> Float[Tensor, "regions width"]:
        code = position_code(regions.boxes, regions.sizes, regions.image)
        return torch.cat([nodes, words, self.position(code)], dim=1)


def known_or_best(
    logits: Float[Tensor, "regions classes"], truth: Int[Tensor, "regions"], training: bool
) -> Int[Tensor, "regions"]:
    """Names that later steps rely on: in training the true ones where known, otherwise the best, never background."""
    guess = logits[:, 1:].argmax(dim=1) + 1
    return torch.where(truth > 0, truth, guess) if training else guess


class GivenLabels(nn.Module):
    """Decoder for PredCls: it returns the labels that are given, as certain logits."""

    def __init__(self, classes: int):
        super().__init__()
        self.classes = classes

    def forward(self, features: Tensor, regions: Regions, arrangement=None) -> tuple[Tensor, Tensor]:
        return given(regions.labels, self.classes), regions.labels


class Classifier(nn.Module):
    """Decoder for SGCls and SGDet: names each region for itself, from features that already hold its context."""

    def __init__(self, width: int, classes: int):
        super().__init__()
        self.out = nn.Linear(width, classes)

    def forward(self, features: Tensor, regions: Regions, arrangement=None) -> tuple[Tensor, Tensor]:
        """Object logits `[regions, classes]` and labels `[regions]` (never background)."""
        logits = self.out(features)
        return logits, known_or_best(logits, regions.labels, self.training)


@dataclass(frozen=True)
class Padded:
    """Region k stands in row `row[k]` at place `column[k]`; row i has `counts[i]` regions.

    An image without regions has no row: a row of nothing but padding has no softmax.
    """

    row: Int[Tensor, "regions"]
    column: Int[Tensor, "regions"]
    counts: Int[Tensor, "images"]

    @classmethod
    def of(cls, image: Int[Tensor, "regions"]) -> "Padded":
        """The rows for regions whose `image` indices never decrease."""
        _, row, counts = image.unique_consecutive(return_inverse=True, return_counts=True)
        start = counts.cumsum(0) - counts
        return cls(row, torch.arange(len(image), device=image.device) - start[row], counts)

    @property
    def inside(self) -> Bool[Tensor, "images n"]:
        """Mask of the padded array: true at regions, false at padding."""
        longest = int(self.counts.max()) if len(self.counts) else 0
        return torch.arange(longest, device=self.counts.device) < self.counts[:, None]

    def pad(self, x: Float[Tensor, "regions width"]) -> Float[Tensor, "images n width"]:
        """Vectors of regions as padded rows; padding is zero."""
        padded = x.new_zeros(*self.inside.shape, x.shape[1])
        padded[self.row, self.column] = x
        return padded

    def unpad(self, padded: Float[Tensor, "images n width"]) -> Float[Tensor, "regions width"]:
        return padded[self.row, self.column]


def unchanged(x: Tensor) -> Tensor:
    """The identity: Neural Motifs has no activation after the roles."""
    return x


class PairHead(nn.Module):
    """Each region takes a subject's and an object's role; both roles gate the edge vector. Neural Motifs, eq. 6.

    VCTree has an `activation` after the roles.
    """

    def __init__(self, hidden: int, pooling: int, predicates: int, activation: Callable[[Tensor], Tensor] = unchanged):
        super().__init__()
        self.activation = activation
        self.roles = nn.Linear(hidden, 2 * hidden)
        self.together = nn.Linear(2 * hidden, pooling)
        self.out = nn.Linear(pooling, predicates)
        nn.init.normal_(self.roles.weight, std=10 * math.sqrt(1 / hidden))
        nn.init.zeros_(self.roles.bias)
        nn.init.xavier_normal_(self.together.weight)
        nn.init.xavier_normal_(self.out.weight)

    def forward(
        self,
        hidden: Float[Tensor, "regions hidden"],
        edges: Float[Tensor, "pairs pooling"],
        pairs: Int[Tensor, "pairs 2"],
    ) -> Float[Tensor, "pairs predicates"]:
        subjects, objects = self.activation(self.roles(hidden)).chunk(2, dim=1)
        together = self.together(torch.cat([subjects[pairs[:, 0]], objects[pairs[:, 1]]], dim=1))
        return self.out(together * edges)


class ObjectsThenEdges(nn.Module):
    """Two passes over the regions of an image, the first to name them, the second to relate them.

    `arrange(nodes, words, regions) -> (arrangement, relatedness)`: the order in which regions hear from each other
    (a `Sequences`, a `Forest`, a `Padded`), and what `Context.relatedness` says, or None.
    `objects` and `edges`, each `(x, arrangement) -> hidden`, are one layer or more over that arrangement.
    `decoder(features, regions, arrangement) -> (logits, labels)` names regions: `GivenLabels` in PredCls.
    """

    def __init__(
        self,
        *,
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
        """Label vectors for another vocabulary, as `describe` takes them in `words`."""
        return SoftLabels(vectors)

    def _describe(self, nodes: Tensor, words: Tensor, regions: Regions):
        arrangement, relatedness = self.arrange(nodes, words, regions)
        embedded = self.embedding(nodes, words, regions)
        return torch.cat([embedded, self.objects(embedded, arrangement)], dim=1), arrangement, relatedness


@dataclass(frozen=True)
class Materials:
    """The input from which every context model is made: the function `context` of each model file takes it.

    Word vectors and counts include background as class 0; `counts` also counts pairs without predicate as 0.
    `labels_given` is true in PredCls, where regions are not to be named. `dropout` is of what is
    recurrent or attends, `input_dropout` of the inputs of context LSTMs. The rest are widths.
    """

    vectors: Float[Tensor, "classes words"]
    counts: Int[Tensor, "classes classes predicates"]
    labels_given: bool
    node_width: int
    hidden: int
    pooling: int
    position: int
    dropout: float
    input_dropout: float

    @property
    def classes(self) -> int:
        """Number of classes, with background."""
        return len(self.vectors)

    @property
    def predicates(self) -> int:
        """Number of predicates, with background."""
        return self.counts.shape[2]


def named(given: Materials, decoder: Layers, width: int) -> nn.Module:
    """How regions get their names in the task at hand."""
    return GivenLabels(given.classes) if given.labels_given else decoder(width)


def objects_then_edges(
    given: Materials,
    *,
    arrange: nn.Module,
    objects: Layers,
    decoder: Layers,
    edges: Layers,
    activation: Callable[[Tensor], Tensor] = unchanged,
) -> ObjectsThenEdges:
    """The parts that Neural Motifs, VCTree and the Transformer share, around those that they do not."""
    words = given.vectors.shape[1]
    embedding = RegionEmbedding(given.node_width, words, given.position)
    return ObjectsThenEdges(
        arrange=arrange,
        soft_labels=SoftLabels(given.vectors),
        embedding=embedding,
        objects=objects(embedding.width),
        decoder=named(given, decoder, embedding.width + given.hidden),
        hard_labels=Labels(given.vectors),
        edges=edges(words + given.node_width + given.hidden),
        head=PairHead(given.hidden, given.pooling, given.predicates, activation),
        bias=FrequencyBias(given.counts),
    )
