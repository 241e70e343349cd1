"""First covering prediction of each true row."""

import numpy as np
import pytest

from segsg.evaluation.matching import MISSED, Ranking, agreement, first_covering, overlap
from segsg.evaluation.protocol import DEFAULT, Protocol
from segsg.evaluation.records import Prediction

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
