"""Iterative message passing (Xu et al. 2017): regions and pairs take turns in telling each other what they saw."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.models.parts import Classifier, FrequencyBias, Materials, named
from segsg.structures import Context, Regions

ROUNDS = 3


class NoWords(nn.Module):
    """Label vectors of width zero."""

    def forward(self, probabilities: Float[Tensor, "regions classes"]) -> Float[Tensor, "regions 0"]:
        return probabilities[:, :0]


class Imp(nn.Module):
    """Two recurrent cells, one for regions and one for pairs, whose inputs are gated states of each other.

    Messages run along the pairs that it is asked about; a region without pairs hears nothing. A region hears the mean
    of its messages, not their sum as in the paper: training asks about a sample of the pairs that prediction asks
    about, and a sum would be several times larger there than anything it learned from.
    `decoder(states, regions) -> (logits, labels)` names regions; predicates have the frequency bias as in all models.
    """

    def __init__(
        self,
        *,
        node_width: int,
        pooling: int,
        hidden: int,
        decoder: nn.Module,
        out: nn.Linear,
        bias: FrequencyBias,
    ):
        super().__init__()
        self.node_width = node_width
        # Untrained encoders answer on another scale for each backbone. Models with label vectors train through that;
        # this one sees nothing else, and on a VGG it never got beyond guessing the most frequent class.
        self.node_inputs = nn.Sequential(nn.LayerNorm(node_width), nn.Linear(node_width, hidden))
        self.edge_inputs = nn.Sequential(nn.LayerNorm(pooling), nn.Linear(pooling, hidden), nn.ReLU())
        self.node_cell, self.edge_cell = nn.GRUCell(hidden, hidden), nn.GRUCell(hidden, hidden)
        self.node_gates, self.edge_gates = nn.Linear(hidden, 4), nn.Linear(hidden, 4, bias=False)
        self.decoder, self.out, self.bias = decoder, out, bias
        self.soft_labels = NoWords()

    def forward(
        self,
        nodes: Float[Tensor, "regions node_width"],
        edges: Float[Tensor, "pairs pooling"],
        pairs: Int[Tensor, "pairs 2"],
        regions: Regions,
    ) -> Context:
        node_states = self.node_cell(self.node_inputs(nodes))
        edge_states = self.edge_cell(self.edge_inputs(edges))
        for _ in range(ROUNDS):
            node_states, edge_states = self._round(node_states, edge_states, pairs)
        logits, labels = self.decoder(node_states, regions)
        return Context(logits, self.out(edge_states) + self.bias(labels, pairs))

    @property
    def described(self) -> int:
        """Width of `describe`."""
        return self.node_width + self.node_cell.hidden_size

    def describe(self, nodes: Float[Tensor, "regions node_width"], words: Tensor, regions: Regions) -> Tensor:
        """Node and first state of each region, before any message: messages come from pairs, and these from masks."""
        return torch.cat([nodes, self.node_cell(self.node_inputs(nodes))], dim=1)

    def labels_of(self, vectors: Float[Tensor, "classes words"]) -> NoWords:
        """This model reads no labels in any vocabulary."""
        return NoWords()

    def _round(self, nodes: Tensor, edges: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """States of regions and of pairs after one exchange of messages; both come from the states before it."""
        subjects, objects = pairs.unbind(1)
        in_subject, in_object, out_subject, out_object = self._gates(nodes, edges, pairs).split(1, dim=1)
        to_edges = in_subject * nodes[subjects] + in_object * nodes[objects]
        to_nodes = torch.zeros_like(nodes).index_add(0, subjects, out_subject * edges)
        to_nodes = to_nodes.index_add(0, objects, out_object * edges)
        heard = torch.bincount(pairs.flatten(), minlength=len(nodes)).clamp(min=1)
        return self.node_cell(to_nodes / heard[:, None], nodes), self.edge_cell(to_edges, edges)

    def _gates(self, nodes: Tensor, edges: Tensor, pairs: Tensor) -> Float[Tensor, "pairs 4"]:
        """σ(w · [region's state; pair's state]): what a pair takes in from its subject and from its object, and what
        it gives out to each. The region's share of the sum is computed once per region."""
        subjects, objects = self.node_gates(nodes)[pairs].unbind(1)
        of_regions = torch.stack([subjects[:, 0], objects[:, 1], subjects[:, 2], objects[:, 3]], dim=1)
        return (of_regions + self.edge_gates(edges)).sigmoid()


def context(given: Materials) -> Imp:
    """Iterative message passing."""
    return Imp(
        node_width=given.node_width,
        pooling=given.pooling,
        hidden=given.hidden,
        decoder=named(given, lambda width: Classifier(width, given.classes), given.hidden),
        out=nn.Linear(given.hidden, given.predicates),
        bias=FrequencyBias(given.counts),
    )
