"""Crowdedness of regions, by hand."""

import torch
from torch.testing import assert_close

from segsg.kernels.boxes import overlap_code

BOXES = torch.tensor([[0.0, 0, 4, 4], [2, 2, 6, 6], [6, 6, 10, 8], [0, 0, 4, 4]])


def test_by_hand():
    code = overlap_code(BOXES, [(10, 20), (8, 8)], torch.tensor([0, 0, 0, 1]))
    shared, iou = 4 / 200, 4 / 28
    expected = torch.tensor(
        [
            [2 / 3, 0.08 + shared, 1 + iou, (0.08 + shared) / 2, (1 + iou) / 2, 0.08],
            [2 / 3, 0.08 + shared, 1 + iou, (0.08 + shared) / 2, (1 + iou) / 2, 0.08],
            [1 / 3, 0.04, 1, 0.04, 1, 0.04],
            [1, 0.25, 1, 0.25, 1, 0.25],
        ]
    )
    assert_close(code, expected)


def test_a_box_without_area_and_no_box_at_all_have_finite_codes():
    code = overlap_code(torch.tensor([[3.0, 3, 3, 5]]), [(10, 10)], torch.tensor([0]))
    assert code.nan_to_num(nan=-1).min() >= 0
    assert overlap_code(torch.zeros(0, 4), [(10, 10)], torch.zeros(0, dtype=torch.long)).shape == (0, 6)
