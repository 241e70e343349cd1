"""Greedy trees against the slow double loop and against trees of the original code."""

from pathlib import Path

import numpy as np
import pytest
from slow_trees import grow_slowly

from segsg.kernels.trees import NONE, binary_form, grow

GOLDEN = Path(__file__).resolve().parents[2] / "../shared/golden/vctree-trees.npz"


def alone(scores):
    parents, turns = grow(scores[None], np.array([len(scores)]))
    return parents[0], turns[0]


def matrices(kind, sizes, seed=0):
    generator = np.random.default_rng(seed)
    make = {
        "distinct": lambda n: generator.random((n, n)),
        "few values": lambda n: generator.integers(0, 3, (n, n)) / 4,
        "all equal": lambda n: np.full((n, n), 0.5),
        "all zero": lambda n: np.zeros((n, n)),
        "negative": lambda n: -generator.random((n, n)) - 1,
    }[kind]
    return [make(n) for n in sizes]


@pytest.mark.parametrize("kind", ["distinct", "few values", "all equal", "all zero", "negative"])
@pytest.mark.parametrize("n", [1, 2, 3, 7, 20])
def test_a_tree_is_that_of_the_slow_search(kind, n):
    for seed in range(3):
        (scores,) = matrices(kind, [n], seed)
        parents, turns = alone(scores)
        slow_parents, joined = grow_slowly(scores)
        assert parents.tolist() == slow_parents
        assert turns.argsort().tolist() == joined


@pytest.mark.parametrize("kind", ["distinct", "few values", "all zero"])
def test_images_of_a_batch_do_not_see_each_other_nor_their_padding(kind):
    sizes = [4, 1, 0, 9, 2]
    scores = matrices(kind, sizes)
    padded = np.full((len(sizes), 9, 9), 1e6)
    for image, matrix in enumerate(scores):
        padded[image, : len(matrix), : len(matrix)] = matrix
    parents, turns = grow(padded, np.array(sizes))
    for image, (matrix, n) in enumerate(zip(scores, sizes, strict=True)):
        assert (parents[image, n:] == NONE).all()
        if n:
            expected = alone(matrix)
            assert np.array_equal(parents[image, :n], expected[0])
            assert np.array_equal(turns[image, :n], expected[1])


def test_no_region_has_no_tree():
    parents, turns = grow(np.zeros((2, 0, 0)), np.array([0, 0]))
    assert parents.shape == turns.shape == (2, 0)
    assert [form.shape for form in binary_form(parents, turns)] == [(2, 0), (2, 0)]


def test_children_become_a_first_child_and_its_siblings_in_the_order_of_joining():
    parents = np.array([[2, 2, NONE, 0, 2], [NONE, NONE, NONE, NONE, NONE]])
    turns = np.array([[3, 1, 0, 4, 2], [0, 5, 5, 5, 5]])
    first, following = binary_form(parents, turns)
    assert first.tolist() == [[3, NONE, 1, NONE, NONE], [NONE] * 5]
    assert following.tolist() == [[NONE, 4, NONE, NONE, 0], [NONE] * 5]


@pytest.mark.skipif(not GOLDEN.exists(), reason="trees of the original code are not beside this checkout")
@pytest.mark.parametrize("k", range(10))
def test_trees_of_the_original_code(k):
    golden = np.load(GOLDEN)
    parents, turns = alone(golden[f"scores_{k}"])
    first, following = binary_form(parents[None], turns[None])
    assert np.array_equal(parents, golden[f"parent_{k}"])
    assert np.array_equal(first[0], golden[f"binary_left_{k}"])
    assert np.array_equal(following[0], golden[f"binary_right_{k}"])
