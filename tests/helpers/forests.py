"""Random binary trees as plain children lists, and the forest of a batch made from them."""

import numpy as np

from segsg.kernels.trees import NONE, Forest


def children(counts, seed=0):
    """(left, right, roots): each region of an image hangs below a random earlier one that still has room."""
    generator = np.random.default_rng(seed)
    left, right = (np.full(sum(counts), NONE) for _ in range(2))
    start = np.cumsum(counts) - counts if len(counts) else []
    for first, count in zip(start, counts, strict=True):
        free = [(left, first), (right, first)]
        for region in range(first + 1, first + count):
            side, parent = free.pop(generator.integers(len(free)))
            side[parent] = region
            free += [(left, region), (right, region)]
    roots = np.array([first for first, count in zip(start, counts, strict=True) if count], dtype=np.int64)
    return left, right, roots


def forest(counts, seed=0):
    return Forest.of(*children(counts, seed), "cpu")
