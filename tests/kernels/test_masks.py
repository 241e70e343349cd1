import pytest
import torch
from torch.autograd import gradcheck
from torch.testing import assert_close

from segsg.kernels.masks import coverage, crop, paste, resample

BOXES = torch.tensor([[2.0, 3.0, 14.0, 11.0], [0, 0, 16, 12], [-4, 5, 9.5, 20], [6.2, 6.4, 7.1, 9.0]]).double()
OTHERS = torch.tensor([[0.0, 1.0, 16.0, 12.0], [3, 3, 6, 6], [-4, -2, 12, 20], [20, 20, 30, 30]]).double()


@pytest.fixture
def masks() -> torch.Tensor:
    return torch.rand(4, 12, 16, generator=torch.Generator().manual_seed(1)) > 0.5


@pytest.fixture
def crops() -> torch.Tensor:
    return torch.rand(4, 2, 5, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def overlap(a, b, n):
    """Length of [a, b] in [n, n + 1]."""
    return max(0.0, min(b, n + 1) - max(a, n))


def mean_over(plane, x1, y1, x2, y2):
    total = 0.0
    for row in range(plane.shape[0]):
        for column in range(plane.shape[1]):
            total += float(plane[row, column]) * overlap(y1, y2, row) * overlap(x1, x2, column)
    return total / ((x2 - x1) * (y2 - y1))


def cell(box, row, column, side):
    x1, y1, x2, y2 = box
    w, h = (x2 - x1) / side, (y2 - y1) / side
    return x1 + column * w, y1 + row * h, x1 + (column + 1) * w, y1 + (row + 1) * h


def test_crop_is_whether_the_mask_covers_half_of_a_cell(masks):
    result = crop(masks, BOXES, 3)
    for k, box in enumerate(BOXES.tolist()):
        for row in range(3):
            for column in range(3):
                share = mean_over(masks[k], *cell(box, row, column, 3))
                assert abs(share - 0.5) < 1e-9 or result[k, row, column] == (share > 0.5)


def test_resample_is_the_mean_over_each_cell(crops):
    result = resample(crops, BOXES, OTHERS, 4)
    for k, (source, target) in enumerate(zip(BOXES.tolist(), OTHERS.tolist(), strict=True)):
        w, h = (source[2] - source[0]) / 5, (source[3] - source[1]) / 5
        for row in range(4):
            for column in range(4):
                x1, y1, x2, y2 = cell(target, row, column, 4)
                area = ((x1 - source[0]) / w, (y1 - source[1]) / h, (x2 - source[0]) / w, (y2 - source[1]) / h)
                for channel in range(2):
                    expected = mean_over(crops[k, channel], *area)
                    assert float(result[k, channel, row, column]) == pytest.approx(expected, abs=1e-9)


def test_resample_to_the_same_boxes_changes_nothing():
    crops = torch.rand(4, 2, 28, 28)
    assert torch.equal(resample(crops, BOXES.float(), BOXES.float(), 28), crops)


def test_resample_to_a_box_elsewhere_is_empty(crops):
    assert not resample(crops, BOXES, BOXES + 100, 5).any()


def test_resample_keeps_the_area_of_a_mask():
    union = torch.tensor([[0.0, 0.0, 40.0, 40.0]])
    inside = torch.tensor([[7.0, 11.0, 23.0, 14.0]])
    result = resample(torch.ones(1, 1, 28, 28), inside, union, 28)
    assert float(result.mean()) == pytest.approx(16 * 3 / 1600, rel=1e-4)


def test_coverage_is_the_share_of_each_cell_inside_each_box():
    within = torch.stack([OTHERS, BOXES.flip(0), BOXES], dim=1)
    result = coverage(within, BOXES, 4)
    for k, (frame, boxes) in enumerate(zip(BOXES.tolist(), within.tolist(), strict=True)):
        for b, (left, top, right, bottom) in enumerate(boxes):
            for row in range(4):
                for column in range(4):
                    x1, y1, x2, y2 = cell(frame, row, column, 4)
                    across = max(0.0, min(x2, right) - max(x1, left)) / (x2 - x1)
                    down = max(0.0, min(y2, bottom) - max(y1, top)) / (y2 - y1)
                    assert float(result[k, b, row, column]) == pytest.approx(across * down, abs=1e-9)


def test_coverage_is_resample_of_full_masks():
    result = coverage(OTHERS[:, None], BOXES, 28)
    assert_close(result, resample(torch.ones(4, 1, 28, 28).double(), OTHERS, BOXES, 28))


def test_coverage_by_hand():
    halves = torch.tensor([[[0.0, 0, 28, 14], [0, 14, 28, 28]]])
    top, bottom = coverage(halves, torch.tensor([[0.0, 0, 28, 28]]), 28)[0]
    assert_close(top, torch.cat([torch.ones(14, 28), torch.zeros(14, 28)]))
    assert_close(bottom, 1 - top)


def test_gradient_of_resample(crops):
    assert gradcheck(lambda x: resample(x, BOXES, OTHERS, 3), (crops.requires_grad_(),))


def interpolated(plane, box, y, x):
    side = plane.shape[0]
    row = min(max((y - box[1]) / (box[3] - box[1]) * side - 0.5, 0), side - 1)
    column = min(max((x - box[0]) / (box[2] - box[0]) * side - 0.5, 0), side - 1)
    return sum(
        float(plane[i, j]) * max(0, 1 - abs(row - i)) * max(0, 1 - abs(column - j))
        for i in range(side)
        for j in range(side)
    )


def test_paste_is_the_interpolated_probability_at_each_pixel(crops):
    probabilities = crops[:, 0]
    result = paste(probabilities, BOXES, (12, 16))
    for k, box in enumerate(BOXES.tolist()):
        for row in range(12):
            for column in range(16):
                y, x = row + 0.5, column + 0.5
                inside = box[0] <= x < box[2] and box[1] <= y < box[3]
                expected = inside and interpolated(probabilities[k], box, y, x) > 0.5
                assert bool(result[k, row, column]) == expected


def test_a_cropped_mask_pastes_back():
    mask = torch.zeros(1, 40, 40, dtype=torch.bool)
    mask[0, 10:30, 5:33] = True
    box = torch.tensor([[0.0, 4.0, 40.0, 36.0]])
    pasted = paste(crop(mask, box, 28), box, (40, 40))
    assert (pasted & mask).sum() / (pasted | mask).sum() > 0.9


def test_chunks_of_paste_agree_with_one_at_a_time():
    probabilities = torch.rand(37, 7, 7)
    boxes = torch.rand(37, 4).cumsum(1) * 8
    alone = [paste(probabilities[k : k + 1], boxes[k : k + 1], (20, 24)) for k in range(37)]
    assert_close(paste(probabilities, boxes, (20, 24)), torch.cat(alone))


def test_nothing_in_nothing_out():
    none = torch.zeros(0, 4)
    assert crop(torch.zeros(0, 9, 7, dtype=torch.bool), none, 28).shape == (0, 28, 28)
    assert paste(torch.zeros(0, 28, 28), none, (9, 7)).shape == (0, 9, 7)
    assert resample(torch.zeros(0, 3, 28, 28), none, none, 7).shape == (0, 3, 7, 7)
    assert coverage(torch.zeros(0, 2, 4), none, 7).shape == (0, 2, 7, 7)
