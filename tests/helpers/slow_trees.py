"""Greedy trees by trying every pair: the slow twin of `segsg.kernels.trees.grow`."""

from segsg.kernels.trees import NONE


def grow_slowly(scores):
    """(parents, regions in the order of joining): of every region inside, as joined, and one outside the first best."""
    inside, parents = [int(scores.mean(axis=1).argmax())], [NONE] * len(scores)
    while len(inside) < len(scores):
        outside = [j for j in range(len(scores)) if j not in inside]
        parent, child = max(((i, j) for i in inside for j in outside), key=lambda pair: scores[pair])
        parents[child] = parent
        inside.append(child)
    return parents, inside
