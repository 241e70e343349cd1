import pytest
import torch

from segsg.kernels.boxes import box_iou
from segsg.kernels.suppression import above, without_doubles


def one_by_one(boxes, scores, labels, within, across):
    """From the best down: first among boxes of a class, then among all that are left."""
    order = sorted(range(len(boxes)), key=lambda i: -scores[i])
    iou = box_iou(boxes, boxes)
    left = []
    for i in order:
        if all(labels[i] != labels[j] or iou[i, j] <= within for j in left):
            left.append(i)
    kept = []
    for i in left:
        if all(iou[i, j] <= across for j in kept):
            kept.append(i)
    return kept


@pytest.mark.parametrize("seed", range(5))
def test_equals_a_loop_over_boxes(seed):
    g = torch.Generator().manual_seed(seed)
    start = 10 * torch.rand(40, 2, generator=g)
    boxes = torch.cat([start, start + 5 + 10 * torch.rand(40, 2, generator=g)], 1)
    scores, labels = torch.rand(40, generator=g), torch.randint(1, 4, (40,), generator=g)
    found = without_doubles(boxes, scores, labels, within=0.4, across=0.6)
    assert found.tolist() == one_by_one(boxes, scores, labels, 0.4, 0.6)
    assert 0 < len(found) < 40


def test_one_region_has_one_name():
    """A box of two classes keeps the surer name; a box of another class that only overlaps stays."""
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 7], [0, 0, 10, 8]])
    scores, labels = torch.tensor([0.6, 0.7, 0.5, 0.4]), torch.tensor([1, 2, 3, 3])
    assert without_doubles(boxes, scores, labels, within=0.6, across=0.9).tolist() == [1, 2]


def test_what_a_class_has_lost_suppresses_nothing():
    """The second box goes for the first, of its class; the third, of another class, would go for the second alone."""
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 7], [0, 0, 10, 6]])
    found = without_doubles(boxes, torch.tensor([0.9, 0.8, 0.7]), torch.tensor([1, 1, 2]), within=0.6, across=0.8)
    assert found.tolist() == [0, 2]


def test_no_boxes():
    none = torch.zeros(0, dtype=torch.long)
    assert len(without_doubles(torch.zeros(0, 4), torch.zeros(0), none, within=0.5, across=0.5)) == 0


def test_scores_above_a_threshold():
    scores = torch.tensor([[0.1, 0.5], [0.7, 0.3], [0.5, 0.0]])
    box, label = above(scores, 0.5, most=9)
    assert list(zip(box.tolist(), label.tolist(), strict=True)) == [(0, 1), (1, 0), (2, 0)]
    box, label = above(scores, 0.3, most=1)
    assert (box.tolist(), label.tolist()) == ([1], [0])
    assert len(above(scores[:0], 0.3, most=1)[0]) == len(above(scores, 0.9, most=1)[0]) == 0
