"""Trees over the regions of each image, and tree LSTMs that run through them. VCTree, sections 3.2 and 3.3.

`grow` and `binary_form` make maximum spanning trees and their binary form, in NumPy on the host: a step depends on the
one before. A `Forest` is the binary trees of a batch level by level, as index tensors. `climb` and `descend` are tree
LSTMs with highway outputs over all trees of a batch, one level at a time. Whatever does not depend on other regions is
projected before, in one multiplication for the whole batch. Gates are blocks of `width` columns: input, output, forget
(two of them upwards), highway, update, and last the projection that the highway gate lets past. The children of a level
are all in the next: only one level's state is kept."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

NONE = -1
"""In place of a region: no parent, no child, no sibling."""


def grow(
    scores: Float[np.ndarray, "images n n"], counts: Int[np.ndarray, "images"]
) -> tuple[Int[np.ndarray, "images n"], Int[np.ndarray, "images n"]]:
    """Parent of each region, and the turn in which the region joined its tree. VCTree, section 3.2.

    `scores[k, i, j]` is what region j is worth below parent i; image k has the first `counts[k]` of the n places.
    The root is the region with the largest row mean. Then again and again the best pair of a parent in the tree
    and a region outside joins; of equal ones that with the parent that joined first, then with the lowest region.
    Prim's algorithm with the best parent of each waiting region kept: O(n²), all images at once.
    """
    images, places = np.arange(len(scores)), np.arange(scores.shape[1])
    waiting = places < counts[:, None]
    parents, turns = np.full(waiting.shape, NONE), np.full(waiting.shape, len(places))
    if waiting.size == 0:
        return parents, turns
    sums = (scores.astype(np.float64) * waiting[:, None, :]).sum(axis=2)
    newest = np.where(waiting, sums, -np.inf).argmax(axis=1)
    best = np.full(waiting.shape, -np.inf)
    for turn in places:
        joins = images[turn < counts]
        turns[joins, newest[joins]], waiting[joins, newest[joins]] = turn, False
        offered = scores[images, newest]
        better = waiting & ((offered > best) | (parents == NONE))
        best, parents = np.where(better, offered, best), np.where(better, newest[:, None], parents)
        newest = _next(best, waiting, turns[images[:, None], parents])
    return parents, turns


def _next(best: np.ndarray, waiting: np.ndarray, parent_turns: np.ndarray) -> Int[np.ndarray, "images"]:
    """The waiting region of each image with the best offer, by the tie rule of `grow`."""
    offers = np.where(waiting, best, -np.inf)
    tied = waiting & (offers == offers.max(axis=1, keepdims=True))
    return np.where(tied, parent_turns, waiting.shape[1]).argmin(axis=1)


def binary_form(
    parents: Int[np.ndarray, "images n"], turns: Int[np.ndarray, "images n"]
) -> tuple[Int[np.ndarray, "images n"], Int[np.ndarray, "images n"]]:
    """First child and next sibling of each region, NONE where there is none: left and right of the binary tree.

    Children and siblings are in the order in which they joined.
    """
    first, following = np.full_like(parents, NONE), np.full_like(parents, NONE)
    order = np.lexsort((turns, parents), axis=1)
    parent = np.take_along_axis(parents, order, axis=1)
    image, place = (parent != NONE).nonzero()
    child, above = order[image, place], parent[image, place]
    # The root, which has no parent, is sorted to the front: no child stands at place 0.
    continues = parent[image, place - 1] == above
    first[image[~continues], above[~continues]] = child[~continues]
    following[image[continues], order[image, place - 1][continues]] = child[continues]
    return first, following


@dataclass(frozen=True)
class Forest:
    """One binary tree per image; level 0 holds all roots, and every child is one level below its parent.

    Of each level: `levels` are its regions, `parents` the places of their parents in the level above (0 for roots),
    `left` and `right` the places of their children in the level below; a missing child has the place after the last.
    `inverse` undoes the concatenation of all levels.
    """

    levels: list[Int[Tensor, "_"]]
    parents: list[Int[Tensor, "_"]]
    left: list[Int[Tensor, "_"]]
    right: list[Int[Tensor, "_"]]
    inverse: Int[Tensor, "regions"]

    @classmethod
    def grown(cls, scores: Float[Tensor, "images n n"], counts: Int[Tensor, "images"]) -> "Forest":
        """Trees from scores as in `trees.grow`; regions are numbered through the images, padding left out."""
        sizes = counts.cpu().numpy()
        parents, turns = grow(scores.detach().float().cpu().numpy(), sizes)
        inside = np.arange(parents.shape[1]) < sizes[:, None]
        start = (sizes.cumsum() - sizes)[:, None]
        left, right = (np.where(child == NONE, NONE, child + start)[inside] for child in binary_form(parents, turns))
        return cls.of(left, right, np.flatnonzero(parents[inside] == NONE), scores.device)

    @classmethod
    def of(cls, left: np.ndarray, right: np.ndarray, roots: np.ndarray, device: torch.device | str) -> "Forest":
        """Levels from the children of each region, NONE where there is none, and the roots. One copy to `device`."""
        rows, level, parents = [], roots, np.zeros_like(roots)
        while len(level):
            children = np.stack([left[level], right[level]])
            exists = children != NONE
            places = np.where(exists, exists.cumsum().reshape(2, -1) - 1, exists.sum())
            rows.append(np.stack([level, parents, *places]))
            level, parents = children[exists], exists.nonzero()[1]
        table = torch.from_numpy(np.concatenate([np.zeros((4, 0), dtype=np.int64), *rows], axis=1)).to(device)
        sizes = [row.shape[1] for row in rows]
        return cls(*(list(row.split(sizes)) if sizes else [] for row in table), table[0].argsort())


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
    """Tree LSTM from leaves to roots: state (h, c) of regions from that of both children.

    c = i ⊙ u + f_l ⊙ c_l + f_r ⊙ c_r, with l the left child and r the right one.
    """
    width = x.shape[1] // (UP_GATES + 1)
    gates = x[:, : UP_GATES * width] + torch.cat(hidden, dim=1) @ weight.T
    i, o, left, right, carry = gates[:, : 5 * width].sigmoid().chunk(5, dim=1)
    c = i * gates[:, 5 * width :].tanh() + left * memory[0] + right * memory[1]
    return highway(c, o, carry, x[:, UP_GATES * width :]), c


def down(
    x: Float[Tensor, "n blocks"], hidden: Tensor, memory: Tensor, weight: Tensor
) -> tuple[Float[Tensor, "n width"], Float[Tensor, "n width"]]:
    """Tree LSTM from roots to leaves: state (h, c) of regions from the state of their parents, c = i ⊙ u + f ⊙ c_p."""
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
