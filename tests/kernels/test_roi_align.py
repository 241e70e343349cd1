import pytest
import torch
from torch.autograd import gradcheck
from torch.testing import assert_close
from torchvision import ops

from segsg.kernels import roi_align as kernel
from segsg.kernels.roi_align import pyramid_roi_align, roi_align

BOXES = torch.tensor(
    [[3.0, 2.0, 29.0, 17.0], [0, 0, 40, 32], [-9, -9, 8, 60], [12, 5, 12.5, 5.5], [30, 20, 55, 47], [7, 7, 7, 7]]
)
IMAGE = torch.tensor([1, 0, 0, 1, 1, 0])


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(2, 3, 8, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def bilinear(plane, y, x):
    h, w = plane.shape
    if not (-1 <= y <= h and -1 <= x <= w):
        return 0.0
    y, x = min(max(y, 0.0), h - 1.0), min(max(x, 0.0), w - 1.0)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, h - 1), min(left + 1, w - 1)
    upper = plane[top, left] * (1 - x + left) + plane[top, right] * (x - left)
    lower = plane[bottom, left] * (1 - x + left) + plane[bottom, right] * (x - left)
    return upper * (1 - y + top) + lower * (y - top)


def mean_of_samples(plane, box, row, column, side, scale):
    x1, y1, x2, y2 = (v * scale - 0.5 for v in box)
    values = []
    for i in (0.25, 0.75):
        for j in (0.25, 0.75):
            y, x = y1 + (row + i) * (y2 - y1) / side, x1 + (column + j) * (x2 - x1) / side
            values.append(bilinear(plane, y, x))
    return sum(values) / 4


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("n", [0, 1, 6])
def test_a_cell_is_the_mean_of_bilinear_samples(features, n, gradient):
    crops = roi_align(features.requires_grad_(gradient), BOXES[:n].double(), IMAGE[:n], side=3, scale=0.25)
    assert crops.shape == (n, 3, 3, 3)
    for k in range(n):
        for row in range(3):
            for column in range(3):
                for channel in range(3):
                    plane = features[IMAGE[k], channel]
                    expected = mean_of_samples(plane, BOXES[k].tolist(), row, column, 3, 0.25)
                    assert float(crops.detach()[k, channel, row, column]) == pytest.approx(float(expected), abs=1e-9)


def test_values_and_gradients_are_those_of_torchvision(features):
    rows = torch.cat([IMAGE[:, None].double(), BOXES.double()], 1)
    results = []
    for crops in (
        lambda x: roi_align(x, BOXES.double(), IMAGE, side=5, scale=0.25),
        lambda x: ops.roi_align(x, rows, 5, 0.25, 2, aligned=True),
    ):
        leaf = features.clone().requires_grad_()
        values = crops(leaf)
        (values**2).sum().backward()
        results.append((values.detach(), leaf.grad))
    assert_close(results[0], results[1])


def test_gradient(features):
    def crops(x):
        return roi_align(x, BOXES.double(), IMAGE, side=2, scale=0.25)

    assert gradcheck(crops, (features.requires_grad_(),))


def test_large_maps_take_the_other_path_with_the_same_values(features, monkeypatch):
    features.requires_grad_()
    by_products = roi_align(features, BOXES.double(), IMAGE, side=4, scale=0.25)
    monkeypatch.setattr(kernel, "LARGEST_MAP", 0)
    assert_close(roi_align(features, BOXES.double(), IMAGE, side=4, scale=0.25), by_products)


def test_the_level_rule_is_that_of_the_fpn_paper():
    sides = torch.tensor([10.0, 111.0, 112.0, 223.0, 224.0, 447.0, 448.0, 2000.0])
    boxes = torch.stack([torch.zeros(8), torch.zeros(8), sides, sides], 1)
    levels = [torch.full((1, 1, 2048 // stride, 2048 // stride), float(i)) for i, stride in enumerate((4, 8, 16, 32))]
    crops = pyramid_roi_align(levels, boxes, torch.zeros(8, dtype=torch.long), (4, 8, 16, 32), side=1)
    assert crops.flatten().tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_pyramid_keeps_the_order_of_its_boxes(features):
    levels = [features, features[..., ::2, ::2].contiguous()]
    crops = pyramid_roi_align(levels, BOXES.double(), IMAGE, (4, 8), side=3, cells=4)
    for k in range(len(BOXES)):
        alone = pyramid_roi_align(levels, BOXES[k : k + 1].double(), IMAGE[k : k + 1], (4, 8), side=3, cells=4)
        assert_close(crops[k], alone[0])
    nothing = pyramid_roi_align(levels, BOXES[:0].double(), IMAGE[:0], (4, 8), side=3)
    assert nothing.shape == (0, 3, 3, 3)
