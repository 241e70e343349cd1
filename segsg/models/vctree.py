"""VCTree (Tang et al. 2019): trees of the most related regions of an image, and tree LSTMs over them."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.kernels.boxes import all_pairs, overlap_code, position_code
from segsg.kernels.trees import DOWN_GATES, UP_GATES, Forest, climb, descend
from segsg.models.decoder import DOWN_FORGET, HighwayDecoder, block_orthogonal, start_inputs
from segsg.models.parts import Materials, ObjectsThenEdges, Padded, objects_then_edges
from segsg.structures import Regions


def related_log_odds(counts: Int[Tensor, "classes classes predicates"]) -> Float[Tensor, "classes classes"]:
    """log((related + 1) / (unrelated + 1)) of pairs of two classes, in either direction.

    `counts[s, o, 0]` are the ordered pairs of these classes, related or not; an unordered pair is two of them.
    """
    both = counts.double() + counts.double().transpose(0, 1)
    related, seen = both[:, :, 1:].sum(dim=2), both[:, :, 0] / 2
    return ((related + 1) / ((seen - related).clamp(min=0) + 1)).log().float()


def both(a: Tensor, b: Tensor) -> Tensor:
    """Logit of the product of two probabilities, from their logits: σ(a)σ(b) = σ(-log(e^-a + e^-b + e^-(a+b)))."""
    return -torch.logaddexp(torch.logaddexp(-a, -b), -a - b)


class LookOfRegions(nn.Module):
    """A vector of each region from which pairs are scored: its node and label vector, position and crowdedness."""

    def __init__(self, node_width: int, words: int, hidden: int):
        super().__init__()
        part = hidden // 4
        self.node, self.label = nn.Linear(node_width, part), nn.Linear(words, part)
        self.position, self.overlap = (
            nn.Sequential(nn.Linear(width, part), nn.LayerNorm(part), nn.ReLU()) for width in (9, 6)
        )
        self.out = nn.Sequential(nn.Linear(4 * part, hidden), nn.ReLU())

    def forward(self, nodes: Tensor, words: Tensor, regions: Regions) -> Float[Tensor, "regions hidden"]:
        where = (regions.boxes, regions.sizes, regions.image)
        position, overlap = self.position(position_code(*where)), self.overlap(overlap_code(*where))
        return self.out(torch.cat([self.node(nodes), self.label(words), position, overlap], dim=1))


class PairScores(nn.Module):
    """P(related) = σ(visual) σ(prior): both the looks of two regions and their classes must agree.

    visual = w · [p_i ⊙ c_j; p_i; c_j] + b from a region's two roles, parent and child; prior = l_iᵀ W l_j with class
    probabilities l and W from the training split's counts. Both are matrix products: nothing is made per pair.
    """

    def __init__(self, look: LookOfRegions, counts: Int[Tensor, "classes classes predicates"], hidden: int):
        super().__init__()
        self.look = look
        self.parent, self.child = (nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU()) for _ in range(2))
        self.together = nn.Parameter(torch.empty(hidden).uniform_(-1, 1) / hidden**0.5)
        self.parent_alone, self.child_alone = nn.Linear(hidden, 1, bias=False), nn.Linear(hidden, 1)
        self.prior = nn.Parameter(related_log_odds(counts))

    def forward(self, nodes: Tensor, words: Tensor, regions: Regions, rows: Padded) -> Float[Tensor, "images n n"]:
        """Logits; entry [k, i, j] is about parent i and child j of image k."""
        look = self.look(nodes, words, regions)
        parents, children = self.parent(look), self.child(look)
        visual = _products(rows, parents * self.together, children) + rows.pad(self.parent_alone(parents))
        visual = visual + rows.pad(self.child_alone(children)).transpose(1, 2)
        classes = regions.class_probabilities
        return both(visual, _products(rows, classes @ self.prior, classes))


def _products(rows: Padded, a: Tensor, b: Tensor) -> Float[Tensor, "images n n"]:
    return rows.pad(a) @ rows.pad(b).transpose(1, 2)


class LearnedTrees(nn.Module):
    """Trees of the most related regions by `scores`, a `PairScores`.

    They pass no gradient: scores learn from `Context.relatedness` alone.
    """

    def __init__(self, scores: nn.Module):
        super().__init__()
        self.scores = scores

    def forward(self, nodes: Tensor, words: Tensor, regions: Regions) -> tuple[Forest, Float[Tensor, "pairs"]]:
        rows = Padded.of(regions.image)
        # In half precision many scores are equal, and trees would follow the numbering of the regions.
        with torch.autocast(nodes.device.type, enabled=False):
            logits = self.scores(nodes.detach().float(), words.detach().float(), regions, rows)
        pairs = all_pairs(regions.image)
        image, places = rows.row[pairs[:, 0]], rows.column[pairs]
        apart = 1 - torch.eye(logits.shape[1], device=logits.device)
        return Forest.grown(logits.sigmoid() * apart, rows.counts), logits[image, places[:, 0], places[:, 1]]


UP_FORGET = slice(2, 4)
"""Blocks of `climb` whose bias starts at one."""


class TreeContext(nn.Module):
    """One tree LSTM from the leaves to the root and one back, half of `hidden` each."""

    def __init__(self, width: int, hidden: int, dropout: float):
        super().__init__()
        if hidden % 2:
            raise ValueError(f"hidden width {hidden} cannot be shared between two directions; make it even")
        half = hidden // 2
        self.sizes = [half * (UP_GATES + 1), half * (DOWN_GATES + 1)]
        self.dropout = nn.Dropout(dropout)
        self.inputs = nn.Linear(width, sum(self.sizes))
        weights, biases = self.inputs.weight.split(self.sizes), self.inputs.bias.split(self.sizes)
        for weight, bias, forget in zip(weights, biases, (UP_FORGET, DOWN_FORGET), strict=True):
            start_inputs(weight, bias, half, forget)
        self.up, self.down = block_orthogonal(half, UP_GATES, 2), block_orthogonal(half, DOWN_GATES, 1)

    def forward(self, x: Float[Tensor, "regions width"], forest: Forest) -> Float[Tensor, "regions hidden"]:
        upwards, downwards = self.inputs(self.dropout(x)).split(self.sizes, dim=1)
        return torch.cat([climb(upwards, self.up, forest), descend(downwards, self.down, forest)], dim=1)


def context(given: Materials) -> ObjectsThenEdges:
    """VCTree."""

    def layer(width: int) -> TreeContext:
        return TreeContext(width, given.hidden, given.input_dropout)

    def decoder(width: int) -> HighwayDecoder:
        return HighwayDecoder(width, given.vectors, hidden=given.hidden, dropout=given.dropout)

    look = LookOfRegions(given.node_width, given.vectors.shape[1], given.hidden)
    trees = LearnedTrees(PairScores(look, given.counts, given.hidden))
    return objects_then_edges(given, arrange=trees, objects=layer, decoder=decoder, edges=layer, activation=torch.relu)
