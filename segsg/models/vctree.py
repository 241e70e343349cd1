"""VCTree (Tang et al. 2019): trees of the most related regions of an image, and tree LSTMs over them."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.kernels.boxes import all_pairs, overlap_code, position_code
from segsg.kernels.trees import DOWN_GATES, UP_GATES, Forest, climb, descend, down
from segsg.models.parts import (
    Labels,
    Materials,
    ObjectsThenEdges,
    Padded,
    known_or_best,
    objects_then_edges,
)
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


UP_FORGET, DOWN_FORGET = slice(2, 4), slice(2, 3)
"""Blocks whose bias starts at one: a new tree LSTM remembers."""


def block_orthogonal(width: int, rows: int, columns: int) -> nn.Parameter:
    """Weights of `rows` times `columns` blocks, each an orthogonal matrix of side `width`."""
    blocks = torch.empty(rows, columns, width, width)
    for block in blocks.flatten(0, 1):
        nn.init.orthogonal_(block)
    return nn.Parameter(blocks.transpose(1, 2).reshape(rows * width, columns * width))


def start_inputs(weight: Tensor, bias: Tensor, width: int, forget: slice) -> None:
    """Orthonormal rows in each block of a projection of the input; biases zero, of forget gates one."""
    with torch.no_grad():
        for block in weight.split(width):
            nn.init.orthogonal_(block)
        bias.zero_().unflatten(0, (-1, width))[forget] = 1


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


class TreeDecoder(nn.Module):
    """Names regions from the root down with a tree LSTM that sees the name of the binary parent (SGCls, SGDet).

    While training, the name handed down is the true one as in Neural Motifs (the released code samples one), or the
    best guess where a detection matches nothing; it is also what the edge context and the frequency bias see.
    """

    def __init__(self, width: int, vectors: Float[Tensor, "classes words"], *, hidden: int, dropout: float):
        super().__init__()
        classes, words = vectors.shape
        self.names = Labels(torch.cat([vectors, vectors.new_zeros(1, words)]))
        self.start = classes
        self.inputs = nn.Linear(width, (DOWN_GATES + 1) * hidden)
        start_inputs(self.inputs.weight, self.inputs.bias, hidden, DOWN_FORGET)
        self.name_inputs = nn.Linear(words, (DOWN_GATES + 1) * hidden, bias=False)
        self.state = block_orthogonal(hidden, DOWN_GATES, 1)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, classes)

    def forward(self, features: Tensor, regions: Regions, forest: Forest) -> tuple[Tensor, Tensor]:
        """Object logits `[regions, classes]` and labels `[regions]` (never background)."""
        inputs, names = self.inputs(features), self.name_inputs(self.names.table)
        hidden = memory = inputs.new_zeros(1, self.out.in_features)
        keep = self.dropout(inputs.new_ones(len(regions.sizes), self.out.in_features))
        handed = torch.full((1,), self.start, device=features.device)
        logits, labels = [self.out(hidden)[:0]], [handed[:0]]
        for level, parents in zip(forest.levels, forest.parents, strict=True):
            x = inputs[level] + names[handed[parents]]
            hidden, memory = down(x, hidden[parents], memory[parents], self.state)
            hidden = hidden * keep[regions.image[level]]
            logits.append(self.out(hidden))
            handed = known_or_best(logits[-1], regions.labels[level], self.training)
            labels.append(handed)
        return torch.cat(logits)[forest.inverse], torch.cat(labels)[forest.inverse]


def context(given: Materials) -> ObjectsThenEdges:
    """VCTree."""

    def layer(width: int) -> TreeContext:
        return TreeContext(width, given.hidden, given.dropout)

    def decoder(width: int) -> TreeDecoder:
        return TreeDecoder(width, given.vectors, hidden=given.hidden, dropout=given.dropout)

    look = LookOfRegions(given.node_width, given.vectors.shape[1], given.hidden)
    trees = LearnedTrees(PairScores(look, given.counts, given.hidden))
    return objects_then_edges(given, arrange=trees, objects=layer, decoder=decoder, edges=layer, activation=torch.relu)
