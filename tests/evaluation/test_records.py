"""Wrong input is refused with the image and the rule, not evaluated."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from segsg.evaluation.ranks import Recall
from segsg.evaluation.records import Truth, check_graph, check_truth

BOXES = [[0, 0, 10, 10], [5, 5, 20, 20], [8, 0, 30, 9]]


@pytest.fixture
def truth(make):
    return make.truth(BOXES, [1, 2, 3], [[0, 1, 2], [2, 0, 4]])


@pytest.fixture
def graph(make):
    return make.graph(7, BOXES, [1, 2, 3], [0.9, 0.8, 0.7], [[0, 1], [1, 2]], [[0.2] * 5, [0.2] * 5])


def add(truth, graph, task="sgdet"):
    Recall(task, predicates=5).add(truth, graph)


def test_right_input_is_taken(truth, graph):
    add(truth, graph)
    add(replace(truth, image_id=7), graph)


WRONG_GRAPHS = {
    "object scores": {"scores": torch.tensor([0.9, float("nan"), 0.1])},
    "predicate probabilities": {"predicate_probabilities": torch.tensor([[0.2] * 5, [0.2] * 4 + [float("nan")]])},
    "logits": {"predicate_probabilities": torch.tensor([[0.2] * 5, [0.0, 3.0, 0.0, 0.0, 0.0]])},
    "found -1..": {"predicate_probabilities": torch.tensor([[0.2] * 5, [0.0, -1.0, 0.0, 0.0, 0.0]])},
    "itself": {"pairs": torch.tensor([[0, 1], [2, 2]])},
    "listed twice": {"pairs": torch.tensor([[0, 1], [0, 1]])},
    "0..3": {"pairs": torch.tensor([[0, 1], [1, 3]])},
    "-1..1": {"pairs": torch.tensor([[0, 1], [1, -1]])},
    "x1 <= x2": {"boxes_original": torch.tensor([[0.0, 0, 10, 10], [30, 5, 20, 20], [8, 0, 30, 9]])},
    "no NaN": {"boxes_original": torch.tensor([[0.0, 0, 10, 10], [0, float("nan"), 20, 20], [8, 0, 30, 9]])},
    "4 predicate columns where 5": {"predicate_probabilities": torch.full((2, 4), 0.25)},
    "6 predicate columns where 5": {"predicate_probabilities": torch.full((2, 6), 0.1)},
}


@pytest.mark.parametrize(("rule", "change"), WRONG_GRAPHS.items(), ids=list(WRONG_GRAPHS))
def test_wrong_graph(rule, change, truth, graph):
    with pytest.raises(ValueError, match="image 7") as error:
        add(truth, replace(graph, **change))
    assert rule in str(error.value)


WRONG_TRUTHS = {
    "x1 <= x2": {"boxes": np.array([[0, 0, 10, 10], [5, 5, 2, 20], [8, 0, 30, 9]], dtype=np.float32)},
    "0..3": {"relations": np.array([[0, 3, 1]])},
    "predicates must be 1..4": {"relations": np.array([[0, 1, 5]])},
    "0 is background": {"relations": np.array([[0, 1, 0]])},
    "labels must count from 1": {"labels": np.array([0, 1, 2])},
    "truth is of image 8": {"image_id": 8},
}


@pytest.mark.parametrize(("rule", "change"), WRONG_TRUTHS.items(), ids=list(WRONG_TRUTHS))
def test_wrong_truth(rule, change, truth, graph):
    with pytest.raises(ValueError, match="image 7") as error:
        add(replace(truth, **change), graph)
    assert rule in str(error.value)


@pytest.mark.parametrize("task", ["predcls", "sgcls"])
def test_tasks_that_give_boxes_need_all_of_them(task, make, truth):
    graph = make.graph(7, BOXES[:2], [1, 2], [1, 1], [[0, 1]], [[0.2] * 5])
    with pytest.raises(ValueError, match=f"image 7: {task} needs the 3 true regions"):
        add(truth, graph, task)


def test_what_a_task_gives_away(truth, graph):
    wrong = replace(graph, boxes_original=graph.boxes_original + 50, labels=graph.labels * 0 + 1)
    checked = check_truth(truth, 7, 5)
    predcls, sgcls, sgdet = (check_graph(wrong, checked, task, 5) for task in ("predcls", "sgcls", "sgdet"))
    assert predcls.scores.tolist() == [1, 1, 1]
    assert predcls.labels.tolist() == [1, 2, 3]
    assert sgcls.labels.tolist() == sgdet.labels.tolist() == [1, 1, 1]
    assert np.array_equal(predcls.boxes, truth.boxes)
    assert np.array_equal(sgcls.boxes, truth.boxes)
    assert not np.array_equal(sgdet.boxes, truth.boxes)


def test_tensors_and_arrays_are_the_same_truth(truth, graph):
    tensors = Truth(*(torch.from_numpy(values) for values in (truth.boxes, truth.labels, truth.relations)))
    results = []
    for one in (truth, tensors):
        recall = Recall("sgdet", 5)
        recall.add(one, graph)
        results.append(recall.ranks())
    assert np.array_equal(results[0].constrained, results[1].constrained)
    assert np.array_equal(results[0].triplets, results[1].triplets)
