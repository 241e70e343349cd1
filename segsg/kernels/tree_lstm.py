"""Tree LSTMs with highway outputs over all trees of a batch, one level at a time. VCTree, section 3.3.

Whatever does not depend on other regions is projected before, in one multiplication for the whole batch. Gates are
blocks of `width` columns: input, output, forget (two of them upwards), highway, update, and last the projection
that the highway gate lets past. The children of a level are all in the next: only one level's state is kept.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from segsg.kernels.forest import Forest

UP_GATES, DOWN_GATES = 6, 5
"""Blocks that depend on the state; the projected input has one more, the highway's."""


def highway(
    memory: Float[Tensor, "n width"], output: Tensor, carry: Tensor, projection: Tensor
) -> Float[Tensor, "n width"]:
    """h = r ⊙ o ⊙ tanh(c) + (1 - r) ⊙ p."""
    return carry * output * memory.tanh() + (1 - carry) * projection


def up(
    x: Float[Tensor, "n blocks"], hidden: tuple[Tensor, Tensor], memory: tuple[Tensor, Tensor], weight: Tensor
) -> tuple[Float[Tensor, "n width"], Float[Tensor, "n width"]]:
    """State (h, c) of regions from those of their left and right children: c = i ⊙ u + f_l ⊙ c_l + f_r ⊙ c_r."""
    width = x.shape[1] // (UP_GATES + 1)
    gates = x[:, : UP_GATES * width] + torch.cat(hidden, dim=1) @ weight.T
    i, o, left, right, carry = gates[:, : 5 * width].sigmoid().chunk(5, dim=1)
    c = i * gates[:, 5 * width :].tanh() + left * memory[0] + right * memory[1]
    return highway(c, o, carry, x[:, UP_GATES * width :]), c


def down(
    x: Float[Tensor, "n blocks"], hidden: Tensor, memory: Tensor, weight: Tensor
) -> tuple[Float[Tensor, "n width"], Float[Tensor, "n width"]]:
    """State (h, c) of regions from those of their parents: c = i ⊙ u + f ⊙ c_p."""
    width = x.shape[1] // (DOWN_GATES + 1)
    gates = x[:, : DOWN_GATES * width] + hidden @ weight.T
    i, o, forget, carry = gates[:, : 4 * width].sigmoid().chunk(4, dim=1)
    c = i * gates[:, 4 * width :].tanh() + forget * memory
    return highway(c, o, carry, x[:, DOWN_GATES * width :]), c


def climb(x: Float[Tensor, "regions blocks"], weight: Tensor, forest: Forest) -> Float[Tensor, "regions width"]:
    """Hidden states from the leaves to the roots; `weight` is [6 width, 2 width], left child's columns first.

    A missing child has state zero.
    """
    hidden = memory = x.new_zeros(0, weight.shape[1] // 2)
    states = [hidden]
    rows = (forest.levels, forest.left, forest.right)
    for level, left, right in zip(*map(reversed, rows), strict=True):
        hidden, memory = (pad(state, (0, 0, 0, 1)) for state in (hidden, memory))
        hidden, memory = up(x[level], (hidden[left], hidden[right]), (memory[left], memory[right]), weight)
        states.insert(0, hidden)
    return torch.cat(states)[forest.inverse]


def descend(x: Float[Tensor, "regions blocks"], weight: Tensor, forest: Forest) -> Float[Tensor, "regions width"]:
    """Hidden states from the roots to the leaves of the binary trees; `weight` is [5 width, width].

    The parent of a root has state zero.
    """
    hidden = memory = x.new_zeros(1, weight.shape[1])
    states = [hidden[:0]]
    for level, parents in zip(forest.levels, forest.parents, strict=True):
        hidden, memory = down(x[level], hidden[parents], memory[parents], weight)
        states.append(hidden)
    return torch.cat(states)[forest.inverse]
