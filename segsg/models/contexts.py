"""Scene graph models by name. A new one is a function here: grounding, tests and a table row come with it."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.models.frequency import Frequency, FrequencyBias
from segsg.models.labels import GivenLabels, GreedyDecoder, Labels, RegionEmbedding, SoftLabels
from segsg.models.motifs import Motifs
from segsg.models.pair_head import PairHead


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


def motifs(facts: Facts) -> Motifs:
    """Neural Motifs."""
    embedding = RegionEmbedding(facts.node_width, facts.vectors.shape[1], facts.position)
    return Motifs(
        SoftLabels(facts.vectors),
        embedding,
        decoder(facts, embedding.width + facts.hidden),
        Labels(facts.vectors),
        PairHead(facts.hidden, facts.pooling, facts.predicates),
        FrequencyBias(facts.counts),
        facts.hidden,
        facts.dropout,
    )


def decoder(facts: Facts, width: int) -> nn.Module:
    """How regions get their names in the task at hand."""
    if facts.labels_given:
        return GivenLabels(facts.classes)
    return GreedyDecoder(width, facts.vectors, facts.hidden, facts.dropout)


def frequency(facts: Facts) -> Frequency:
    """The frequency table alone."""
    return Frequency(FrequencyBias(facts.counts))


CONTEXTS: dict[str, Callable[[Facts], nn.Module]] = {"motifs": motifs, "frequency": frequency}
