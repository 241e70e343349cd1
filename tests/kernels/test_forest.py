"""Levels of the binary trees of a batch."""

from itertools import chain

import pytest
import torch
from forests import children, forest

from segsg.kernels.trees import NONE, Forest


@pytest.mark.parametrize("counts", [[], [0], [1], [2], [5, 0, 3, 1], [40, 12]])
def test_every_region_stands_once_below_its_parent_and_above_its_children(counts):
    left, right, roots = children(counts)
    trees = forest(counts)
    levels = [level.tolist() for level in trees.levels]
    assert sorted(chain(*levels)) == list(range(sum(counts)))
    assert list(chain(*levels[:1])) == roots.tolist()
    for depth, level in enumerate(levels):
        below = [*chain(*levels[depth + 1 : depth + 2]), NONE]
        assert [below[place] for place in trees.left[depth]] == [left[region] for region in level]
        assert [below[place] for place in trees.right[depth]] == [right[region] for region in level]
        for region, place in zip(level if depth else [], trees.parents[depth], strict=False):
            parent = levels[depth - 1][place]
            assert region in (left[parent], right[parent])


def test_inverse_puts_levels_back():
    trees = forest([6, 3])
    assert torch.cat(trees.levels)[trees.inverse].tolist() == list(range(9))


def test_equal_scores_give_a_star_which_is_a_chain_in_binary_form():
    trees = Forest.grown(torch.zeros(1, 4, 4), torch.tensor([4]))
    assert [level.tolist() for level in trees.levels] == [[0], [1], [2], [3]]


def test_scores_of_a_batch_number_regions_through_its_images():
    scores = torch.tensor([[[0.0, 1, 9], [1, 0, 9], [9, 9, 9]], [[0, 3, 1], [2, 0, 5], [1, 1, 0]]])
    trees = Forest.grown(scores, torch.tensor([2, 3]))
    assert [level.tolist() for level in trees.levels] == [[0, 3], [1, 4], [2]]
