"""Order of the candidates, ties included, and the first covering prediction of each true row."""

import numpy as np
import pytest

from segsg.evaluation.matching import (
    MISSED,
    Ranking,
    agreement,
    best_probability,
    first_covering,
    largest,
    overlap,
    rank,
)
from segsg.evaluation.protocol import DEFAULT, Protocol
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


BOXES = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [0, 0, 10, 8]], dtype=np.float32)


def found(boxes, labels):
    boxes = np.array(boxes, dtype=np.float32)
    none = np.zeros((0, 2), dtype=int)
    return Prediction(boxes, np.array(labels), np.ones(len(boxes)), none, np.zeros((0, 5)))


def moved(region):
    return np.where(np.arange(3)[:, None] == region, BOXES + 50, BOXES)


def ranking(*relations):
    relations = np.array(relations, dtype=int).reshape(-1, 3)
    return Ranking(relations[:, :2], relations[:, 2])


def ranks(make, relations, guess, ranked, protocol=DEFAULT):
    truth = make.truth(BOXES, [1, 2, 1], relations)
    return first_covering(truth.relations, agreement(truth, guess, protocol), ranked).tolist()


SAME = found(BOXES, [1, 2, 1])


def test_all_three_labels_and_both_boxes_must_agree(make):
    right = ranking((0, 1, 3))
    assert ranks(make, [[0, 1, 3]], SAME, right) == [0]
    assert ranks(make, [[0, 1, 3]], SAME, ranking((0, 1, 4))) == [MISSED]
    assert ranks(make, [[0, 1, 3]], SAME, ranking((1, 0, 3))) == [MISSED]
    assert ranks(make, [[0, 1, 3]], found(BOXES, [2, 2, 1]), right) == [MISSED]
    assert ranks(make, [[0, 1, 3]], found(BOXES, [1, 1, 1]), right) == [MISSED]
    assert ranks(make, [[0, 1, 3]], found(moved(0), [1, 2, 1]), right) == [MISSED]
    assert ranks(make, [[0, 1, 3]], found(moved(1), [1, 2, 1]), right) == [MISSED]


def test_duplicate_rows_are_covered_together(make):
    assert ranks(make, [[0, 1, 3], [0, 1, 3], [1, 0, 3]], SAME, ranking((1, 0, 2), (0, 1, 3))) == [1, 1, MISSED]


def test_one_prediction_covers_rows_of_overlapping_regions(make):
    # Regions 0 and 2 have one label and IoU 0.8, so a relation of one is also a relation of the other.
    assert ranks(make, [[0, 1, 3], [2, 1, 3]], SAME, ranking((2, 1, 3))) == [0, 0]


def test_the_first_of_several_covering_predictions_counts(make):
    assert ranks(make, [[0, 1, 3]], SAME, ranking((1, 0, 3), (2, 1, 3), (0, 1, 3))) == [1]


def test_nothing_predicted_and_nothing_true(make):
    assert ranks(make, [[0, 1, 3]], SAME, ranking()) == [MISSED]
    assert ranks(make, np.zeros((0, 3)), SAME, ranking((0, 1, 3))) == []
    assert ranks(make, [[0, 1, 3]], found(np.zeros((0, 4)), np.zeros(0, dtype=int)), ranking()) == [MISSED]


@pytest.mark.parametrize(
    ("box", "protocol", "hit"),
    [
        ([0, 0, 10, 5], Protocol(), True),  # exactly one half
        ([0, 0, 10, 4.99], Protocol(), False),
        ([0, 0, 10, 4.99], Protocol(iou=0.4), True),
        ([0, 0, 10, 4.5], Protocol(pixel=1.0), True),  # 5.5 / 11
        ([0, 0, 10, 4.5], Protocol(), False),
    ],
)
def test_threshold_and_pixel(box, protocol, hit, make):
    guess = found([box, BOXES[1]], [1, 2])
    assert ranks(make, [[0, 1, 3]], guess, ranking((0, 1, 3)), protocol) == [0 if hit else MISSED]


def test_overlap_of_boxes_without_area():
    point, line = [[3, 3, 3, 3]], [[3, 3, 9, 3]]
    first, second = np.array(point + line, dtype=np.float32), np.array(point + line + [[0, 0, 5, 5]], dtype=np.float32)
    assert overlap(first, second).tolist() == [[1, 0, 0], [0, 1, 0]]
