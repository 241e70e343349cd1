"""Gaussian smoothing against loops, in values and gradients."""

import math

import pytest
import torch
from torch.testing import assert_close

from segsg.kernels.masks import bounded, gaussian_kernels, grown, smooth


def kernel_by_hand(sigma_x, sigma_y, rho, side):
    weights = torch.zeros(side, side, dtype=torch.float64)
    for row in range(side):
        for column in range(side):
            u, v = (column - side // 2) / sigma_x, (row - side // 2) / sigma_y
            weights[row, column] = math.exp(-(u * u - 2 * rho * u * v + v * v) / (2 * (1 - rho * rho)))
    return weights / weights.sum()


def smooth_by_hand(mask, kernel):
    h, w, side = *mask.shape, kernel.shape[-1]
    out = torch.zeros(h + side - 1, w + side - 1, dtype=mask.dtype)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            for i in range(side):
                for j in range(side):
                    row, column = y + i - (side - 1), x + j - (side - 1)
                    if 0 <= row < h and 0 <= column < w:
                        out[y, x] += kernel[i, j] * mask[row, column]
    return out


def random_kernels(regions, side=5):
    torch.manual_seed(0)
    raw = torch.randn(regions, 3, dtype=torch.float64, requires_grad=True)
    return raw, gaussian_kernels(*bounded(raw), side)


def test_kernels_follow_their_formula():
    raw, kernels = random_kernels(4)
    sigma_x, sigma_y, rho = (values.tolist() for values in bounded(raw))
    for i in range(4):
        assert_close(kernels[i].detach(), kernel_by_hand(sigma_x[i], sigma_y[i], rho[i], 5))


def test_wider_sigma_x_spreads_along_columns():
    wide = gaussian_kernels(torch.tensor([3.0]), torch.tensor([0.5]), torch.tensor([0.0]), 7)[0]
    assert wide[3, 6] > 0.05 and wide[6, 3] < 1e-6


@pytest.mark.parametrize("extreme", [-1e4, 1e4])
def test_extreme_parameters_stay_finite(extreme):
    raw = torch.full((2, 3), extreme, requires_grad=True)
    kernels = gaussian_kernels(*bounded(raw), 7)
    kernels.pow(2).sum().backward()
    assert kernels.isfinite().all() and raw.grad.isfinite().all()
    assert_close(kernels.sum(dim=(1, 2)), torch.ones(2))


def test_smoothing_is_the_convolution_of_every_channel_with_its_region_kernel():
    _, kernels = random_kernels(3)
    masks = torch.rand(3, 2, 6, 7, dtype=torch.float64)
    smoothed = smooth(masks, kernels.detach())
    for region in range(3):
        for channel in range(2):
            assert_close(smoothed[region, channel], smooth_by_hand(masks[region, channel], kernels[region].detach()))


def test_smoothing_keeps_the_mass_of_a_mask():
    _, kernels = random_kernels(2, side=7)
    masks = torch.rand(2, 3, 8, 8, dtype=torch.float64)
    assert_close(smooth(masks, kernels).sum(dim=(2, 3)), masks.sum(dim=(2, 3)))


def test_no_region_gives_no_mask():
    assert smooth(torch.zeros(0, 2, 28, 28), torch.zeros(0, 7, 7)).shape == (0, 2, 34, 34)


def test_gradients():
    raw = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    masks = torch.rand(2, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda m, r: smooth(m, gaussian_kernels(*bounded(r), 3)), (masks, raw))


def test_even_side_is_refused():
    with pytest.raises(ValueError, match="odd side"):
        gaussian_kernels(torch.ones(1), torch.ones(1), torch.zeros(1), 4)


def test_grown_box_holds_the_margin():
    assert_close(grown(torch.tensor([[10.0, 20.0, 38.0, 76.0]]), 28, 3), torch.tensor([[7.0, 14.0, 41.0, 82.0]]))
