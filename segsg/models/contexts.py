"""Scene graph models by name. A new one is a function here: grounding, tests and a table row come with it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.models.frequency import Frequency, FrequencyBias
from segsg.models.imp import Imp
from segsg.models.labels import Classifier, GivenLabels, Labels, RegionEmbedding, SoftLabels
from segsg.models.motifs import BidirectionalContext, GreedyDecoder, RightToLeft
from segsg.models.objects_then_edges import ObjectsThenEdges
from segsg.models.pair_head import PairHead, unchanged
from segsg.models.transformer import EDGE_LAYERS, OBJECT_LAYERS, AttentionContext, Together
from segsg.models.tree_scores import LearnedTrees, LookOfRegions, PairScores
from segsg.models.vctree import TreeContext, TreeDecoder


@dataclass(frozen=True)
class Facts:
    """What every context model is made from.

    Word vectors and counts include background as class 0; `counts` also counts pairs without predicate as 0.
    `labels_given` is true in PredCls, where regions are not to be named.
    """

    vectors: Float[Tensor, "classes words"]
    counts: Int[Tensor, "classes classes predicates"]
    labels_given: bool
    node_width: int
    hidden: int
    pooling: int
    position: int
    dropout: float

    @property
    def classes(self) -> int:
        return len(self.vectors)

    @property
    def predicates(self) -> int:
        return self.counts.shape[2]


Layers = Callable[[int], nn.Module]
"""Width of the input -> a module over an arrangement of regions."""


def objects_then_edges(
    facts: Facts,
    arrange: nn.Module,
    objects: Layers,
    decoder: Layers,
    edges: Layers,
    activation: Callable[[Tensor], Tensor] = unchanged,
) -> ObjectsThenEdges:
    """The parts that Neural Motifs, VCTree and the Transformer share, around those that they do not."""
    words = facts.vectors.shape[1]
    embedding = RegionEmbedding(facts.node_width, words, facts.position)
    return ObjectsThenEdges(
        arrange,
        SoftLabels(facts.vectors),
        embedding,
        objects(embedding.width),
        named(facts, decoder, embedding.width + facts.hidden),
        Labels(facts.vectors),
        edges(words + facts.node_width + facts.hidden),
        PairHead(facts.hidden, facts.pooling, facts.predicates, activation),
        FrequencyBias(facts.counts),
    )


def named(facts: Facts, decoder: Layers, width: int) -> nn.Module:
    """How regions get their names in the task at hand."""
    return GivenLabels(facts.classes) if facts.labels_given else decoder(width)


def motifs(facts: Facts) -> ObjectsThenEdges:
    """Neural Motifs."""

    def layer(width: int) -> BidirectionalContext:
        return BidirectionalContext(width, facts.hidden, facts.dropout)

    def decoder(width: int) -> GreedyDecoder:
        return GreedyDecoder(width, facts.vectors, facts.hidden, facts.dropout)

    return objects_then_edges(facts, RightToLeft(), layer, decoder, layer)


def vctree(facts: Facts) -> ObjectsThenEdges:
    """VCTree."""

    def layer(width: int) -> TreeContext:
        return TreeContext(width, facts.hidden, facts.dropout)

    def decoder(width: int) -> TreeDecoder:
        return TreeDecoder(width, facts.vectors, facts.hidden, facts.dropout)

    look = LookOfRegions(facts.node_width, facts.vectors.shape[1], facts.hidden)
    trees = LearnedTrees(PairScores(look, facts.counts, facts.hidden))
    return objects_then_edges(facts, trees, layer, decoder, layer, torch.relu)


def transformer(facts: Facts) -> ObjectsThenEdges:
    """Self-attention in the place of recurrence."""

    def layers(number: int) -> Layers:
        return lambda width: AttentionContext(width, facts.hidden, facts.dropout, number)

    def decoder(width: int) -> Classifier:
        return Classifier(width, facts.classes)

    return objects_then_edges(facts, Together(), layers(OBJECT_LAYERS), decoder, layers(EDGE_LAYERS))


def imp(facts: Facts) -> Imp:
    """Iterative message passing."""
    return Imp(
        facts.node_width,
        facts.pooling,
        facts.hidden,
        named(facts, lambda width: Classifier(width, facts.classes), facts.hidden),
        nn.Linear(facts.hidden, facts.predicates),
        FrequencyBias(facts.counts),
    )


def frequency(facts: Facts) -> Frequency:
    """The frequency table alone."""
    return Frequency(FrequencyBias(facts.counts))


CONTEXTS: dict[str, Callable[[Facts], nn.Module]] = {
    "imp": imp,
    "motifs": motifs,
    "vctree": vctree,
    "transformer": transformer,
    "frequency": frequency,
}
