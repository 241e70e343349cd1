import numpy as np

from segsg.evaluation.matching import Ranking
from segsg.evaluation.protocol import DEFAULT
from segsg.evaluation.records import Prediction, Truth
from segsg.figures.seen import answers

BOXES = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [0, 20, 10, 30]], dtype=np.float32)
LABELS = np.array([1, 2, 3])
TRUTH = Truth(BOXES, LABELS, np.array([[0, 1, 1], [1, 2, 2]]))


def found(pairs, predicates, labels=LABELS, boxes=BOXES):
    prediction = Prediction(boxes, labels, np.ones(3), np.array(pairs), np.zeros((len(pairs), 3)))
    ranking = Ranking(np.array(pairs), np.array(predicates))
    return answers(TRUTH, prediction, ranking, zero_shot=np.array([[2, 2, 3], [1, 2, 2]]), protocol=DEFAULT)


def test_a_relation_is_true_if_predicate_direction_and_both_regions_are():
    result = found([[0, 1], [1, 0], [1, 2], [0, 1]], [1, 1, 2, 2])
    assert result.true.tolist() == [True, False, True, False]


def test_only_true_relations_are_zero_shot():
    assert found([[0, 1], [1, 2], [0, 1]], [1, 2, 2]).zero_shot.tolist() == [False, True, False]


def test_wrong_names_and_boxes_answer_nothing():
    assert not found([[0, 1]], [1], labels=np.array([1, 1, 3])).true.any()
    assert not found([[0, 1]], [1], boxes=BOXES + np.float32(7)).true.any()


def test_true_relations_are_shown_first_then_the_surest():
    result = found([[2, 1], [1, 0], [0, 1], [1, 2]], [1, 1, 1, 2])
    assert result.best(3).tolist() == [0, 2, 3]
    assert result.best(9).tolist() == [0, 1, 2, 3]
