"""The decoder of Neural Motifs (section 4.2) and VCTree: it names regions one after the other (SGCls, SGDet)."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.kernels.trees import DOWN_GATES, down
from segsg.models.parts import Labels, known_or_best
from segsg.structures import Regions

DOWN_FORGET = slice(2, 3)
"""The block of `down` whose bias starts at one: a new cell remembers."""


@runtime_checkable
class Order(Protocol):
    """Which region hears from which: `levels` and `parents` as in `segsg.kernels.trees.Forest`.

    A sequence is a tree in which every region has one child.
    """

    levels: list[Int[Tensor, "_"]]
    parents: list[Int[Tensor, "_"]]
    inverse: Int[Tensor, "regions"]


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


class HighwayDecoder(nn.Module):
    """Names regions in an order with a highway LSTM whose input is a region's features and the name before it.

    Gates i, o, f, r and update u are W x + U h' + b, with the input x = [features; vector of the name before] and
    the state h' of the region before; σ on the gates, tanh on u. Then c = i ⊙ u + f ⊙ c' and
    h = r ⊙ o ⊙ tanh(c) + (1 - r) ⊙ p, with the projection p = W_p x + b_p. W and W_p are made of `inputs` for the
    features and `name_inputs` for the name, so both are applied once, before the first step. Where no name comes
    before, a vector of its own stands in its place. Dropout takes the same entries of h from all regions of an image.

    While training, the name handed on is the true one, or the best guess where a detection matches nothing; it is also
    what the edge context and the frequency bias see.
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

    def forward(self, features: Tensor, regions: Regions, order: Order) -> tuple[Tensor, Tensor]:
        """Object logits `[regions, classes]` and labels `[regions]` (never background)."""
        inputs, names = self.inputs(features), self.name_inputs(self.names.table)
        hidden = memory = inputs.new_zeros(1, self.out.in_features)
        keep = self.dropout(inputs.new_ones(len(regions.sizes), self.out.in_features))
        handed = torch.full((1,), self.start, device=features.device)
        logits, labels = [self.out(hidden)[:0]], [handed[:0]]
        for level, parents in zip(order.levels, order.parents, strict=True):
            x = inputs[level] + names[handed[parents]]
            hidden, memory = down(x, hidden[parents], memory[parents], self.state)
            hidden = hidden * keep[regions.image[level]]
            logits.append(self.out(hidden))
            handed = known_or_best(logits[-1], regions.labels[level], self.training)
            labels.append(handed)
        return torch.cat(logits)[order.inverse], torch.cat(labels)[order.inverse]
