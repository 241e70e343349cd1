"""Order of the candidates, ties included."""

import numpy as np
import pytest

from segsg.evaluation.matching import best_probability, largest, rank
from segsg.evaluation.records import Prediction


def prediction(scores, pairs, probabilities, columns=3):
    return Prediction(
        np.zeros((len(scores), 4)), np.ones(len(scores), dtype=int), np.array(scores, dtype=np.float32),
        np.array(pairs, dtype=int).reshape(-1, 2), np.array(probabilities, dtype=np.float32).reshape(-1, columns),
    )  # fmt: skip


def rows(ranking):
    return [(*pair, predicate) for pair, predicate in zip(ranking.pairs.tolist(), ranking.predicates, strict=True)]


def test_by_hand():
    # Pair (0, 1): 1 * .5 * {.8, .6}; pair (1, 0): the same objects, {.1, .9}; background never competes.
    constrained, free = rank(prediction([1, 0.5], [[0, 1], [1, 0]], [[0.9, 0.8, 0.6], [0.9, 0.1, 0.9]]), depth=3)
    assert rows(constrained) == [(1, 0, 2), (0, 1, 1)]
    assert rows(free) == [(1, 0, 2), (0, 1, 1), (0, 1, 2)]


def test_scores_of_both_objects_count():
    constrained, _ = rank(prediction([1, 0.5, 0.1], [[0, 2], [0, 1]], [[0, 1, 0], [0, 0.3, 0]]), depth=5)
    assert rows(constrained) == [(0, 1, 1), (0, 2, 1)]


def test_ties_go_to_the_earlier_pair_then_to_the_lower_predicate():
    constrained, free = rank(prediction([1, 1], [[1, 0], [0, 1]], [[0, 0.5, 0.5], [0, 0.5, 0.5]]), depth=3)
    assert rows(constrained) == [(1, 0, 1), (0, 1, 1)]
    assert rows(free) == [(1, 0, 1), (1, 0, 2), (0, 1, 1)]


@pytest.mark.parametrize("pairs", [0, 1])
def test_no_pair_and_one_pair(pairs):
    constrained, free = rank(prediction([1, 1], [[0, 1]] * pairs, [[0.1, 0.2, 0.7]] * pairs), depth=100)
    assert (len(constrained), len(free)) == (pairs, 2 * pairs)


@pytest.mark.parametrize("depth", [1, 5, 20, 500])
@pytest.mark.parametrize("levels", [2, 5, 10**6])
def test_same_as_sorting_everything(depth, levels):
    random = np.random.default_rng(depth + levels)
    pairs = np.array([(s, o) for s in range(9) for o in range(9) if s != o])
    given = prediction(
        random.integers(0, levels, 9) / levels, pairs, random.integers(0, levels, (len(pairs), 6)) / levels, columns=6
    )
    scores = given.scores.astype(float)
    cells = [
        (-scores[s] * scores[o] * float(given.predicate_probabilities[i, k]), i, int(s), int(o), k)
        for i, (s, o) in enumerate(pairs)
        for k in range(1, 6)
    ]
    best = [min(cells[i : i + 5], key=lambda cell: (cell[0], cell[4])) for i in range(0, len(cells), 5)]
    if levels == 10**6:  # at a score of exactly 0 the best predicate of a pair is decided by probability
        assert rows(rank(given, depth)[0]) == [cell[2:] for cell in sorted(best)[:depth]]
    assert rows(rank(given, depth)[1]) == [cell[2:] for cell in sorted(cells)[:depth]]


def test_largest_is_a_stable_sort():
    scores = np.random.default_rng(0).integers(0, 4, 300) / 4
    assert np.array_equal(largest(scores, 50), np.argsort(-scores, kind="stable")[:50])


def test_best_probability_looks_at_the_foreground_of_its_own_row():
    probabilities = np.random.default_rng(0).random((40, 7)).astype(np.float32)
    probabilities[:, 0] = 2.0
    assert np.array_equal(best_probability(probabilities), probabilities[:, 1:].max(axis=1))
    strided = np.asfortranarray(probabilities)
    assert np.array_equal(best_probability(strided), probabilities[:, 1:].max(axis=1))
