"""VCTree (Tang et al. 2019): tree LSTMs over a tree of each image's regions. The trees come from `tree_scores`."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from segsg.kernels.forest import Forest
from segsg.kernels.tree_lstm import DOWN_GATES, UP_GATES, climb, descend, down
from segsg.models.labels import Labels, known_or_best
from segsg.structures import Regions

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
    """SGCls, SGDet: a tree LSTM names regions from the root down, each knowing the name of its binary parent.

    While training, the name handed down is the true one as in Neural Motifs (the released code samples one), or the
    best guess where a detection matches nothing; it is also what the edge context and the frequency bias see.
    """

    def __init__(self, width: int, vectors: Float[Tensor, "classes words"], hidden: int, dropout: float):
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
