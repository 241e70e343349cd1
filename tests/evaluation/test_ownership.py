"""Who owns the cells where two regions meet, by masks drawn by hand."""

import pytest
import torch

from segsg.evaluation.ownership import ownership


def pair(subject, object_):
    return torch.tensor([subject, object_]).float()[None]


LEFT, RIGHT = [[1, 0], [1, 0]], [[0, 1], [0, 1]]
ALL, NONE, CORNER = [[1, 1], [1, 1]], [[0, 0], [0, 0]], [[1, 0], [0, 0]]


@pytest.mark.parametrize(
    "given, share",
    [
        ((LEFT, RIGHT), 1.0),
        ((RIGHT, LEFT), 0.0),
        ((ALL, ALL), 0.0),
        ((NONE, NONE), 0.0),
        ((ALL, RIGHT), 0.5),
        ((CORNER, RIGHT), 0.75),
        ((CORNER, ALL), 0.5),
    ],
)
def test_a_cell_is_right_where_both_masks_are(given, share):
    assert ownership([(pair(LEFT, RIGHT), pair(*given))]) == share


def test_cells_of_neither_and_of_both_have_an_owner_too():
    true = pair([[1, 1], [0, 0]], LEFT)
    assert ownership([(true, true)]) == 1.0
    assert ownership([(true, pair(ALL, LEFT))]) == 0.5


def test_a_mask_holds_a_cell_above_one_half():
    true, given = pair(LEFT, RIGHT), torch.tensor([[[0.6, 0.5], [0.51, 0.0]], [[0.5, 0.51], [0.4, 0.9]]])[None]
    assert ownership([(true, given)]) == 1.0


def test_pairs_whose_true_masks_do_not_reach_the_frame_are_left_out():
    empty, seen = pair(NONE, NONE), pair(NONE, LEFT)
    assert ownership([(empty, empty)]) is None
    assert ownership([]) is None
    assert ownership([(torch.zeros(0, 2, 2, 2), torch.zeros(0, 2, 2, 2))]) is None
    both = torch.cat([empty, seen]), torch.cat([pair(ALL, ALL), pair(NONE, ALL)])
    assert ownership([both]) == 0.5


def test_every_cell_counts_alike_in_whatever_image():
    one, three = pair(LEFT, RIGHT), torch.cat([pair(LEFT, RIGHT)] * 3)
    assert ownership([(one, pair(RIGHT, LEFT)), (three, three)]) == 0.75
