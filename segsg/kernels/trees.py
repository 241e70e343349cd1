"""Maximum spanning trees of images and their binary form. NumPy, on the host: a step depends on the one before."""

import numpy as np
from jaxtyping import Float, Int

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
