"""The geometry of pairs of boxes, against one pair written out by hand, and where boxes are hardly boxes."""

import math

import pytest
import torch
from torch.testing import assert_close

from segsg.kernels.geometry import BOUND, GEOMETRY, pair_geometry

SUBJECT, OBJECT = [0.0, 0.0, 4.0, 2.0], [3.0, 1.0, 5.0, 9.0]
PAIRS = {
    "apart": ([0, 0, 1, 1], [50, 80, 60, 90]),
    "touching": ([0, 0, 4, 4], [4, 0, 8, 4]),
    "equal": ([2, 3, 5, 9], [2, 3, 5, 9]),
    "inside": ([0, 0, 10, 10], [4, 4, 5, 5]),
    "a point inside": ([0, 0, 10, 10], [4, 4, 4, 4]),
    "two lines": ([0, 0, 10, 0], [5, 0, 5, 8]),
    "one point": ([7, 7, 7, 7], [7, 7, 7, 7]),
}
every_pair = pytest.mark.parametrize("subject, object_", PAIRS.values(), ids=PAIRS)


def of(subject, object_):
    return pair_geometry(*(torch.tensor([box], dtype=torch.float32) for box in (subject, object_)))[0]


def test_one_pair_by_hand():
    """Sides 4 x 2 and 2 x 8, union 5 x 9, centres (2, 1) and (4, 5), intersection 1 x 1."""
    both, log = math.sqrt(math.sqrt(8 * 16)), math.log
    wanted = [2 / 4, 4 / 2, 2 / 2, 4 / 8, 2 / both, 4 / both, 2 / 5, 4 / 9]
    wanted += [log(2 / 4), log(8 / 2), log(4 / 5), log(2 / 9), log(2 / 5), log(8 / 9)]
    wanted += [1 / both, 1 / both, 1 / 2, 1 / 2, 3 / both, 1 / both, 1 / both, 7 / both]
    wanted += [log(4 / 2), log(2 / 8), 1 / 8, 1 / 16, 1 / 23, (2 - 1) / 8, (9 - 0) / 2]
    assert len(wanted) == GEOMETRY
    assert_close(of(SUBJECT, OBJECT), torch.tensor(wanted))


@every_pair
@pytest.mark.parametrize("scale", [0.25, 8.0])
def test_neither_size_nor_place_of_the_pair_changes_anything(subject, object_, scale):
    moved = [(torch.tensor(box) * scale + torch.tensor([64, -32, 64, -32])).tolist() for box in (subject, object_)]
    assert_close(of(*moved), of(subject, object_), atol=1e-4, rtol=1e-4)


@every_pair
def test_numbers_are_finite_and_bounded(subject, object_):
    for numbers in (of(subject, object_), of(object_, subject)):
        assert numbers.isfinite().all() and numbers.abs().max() <= BOUND


@every_pair
def test_gradients_are_finite(subject, object_):
    boxes = [torch.tensor([box], dtype=torch.float32, requires_grad=True) for box in (subject, object_)]
    pair_geometry(*boxes).sum().backward()
    assert all(box.grad.isfinite().all() for box in boxes)


def test_no_pair():
    assert pair_geometry(torch.zeros(0, 4), torch.zeros(0, 4)).shape == (0, GEOMETRY)
