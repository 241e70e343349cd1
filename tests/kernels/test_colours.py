"""Colour histograms against a slow loop, and cases that can be worked by hand."""

import math

import pytest
import torch
from torch.testing import assert_close

from segsg.kernels.colours import LEAST, LEVELS, Binned, evidence


def likelihood_slowly(colours, weights):
    """Each pixel alone: triangles of one level's width around every bin."""
    regions, _, h, w = colours.shape
    levels = torch.arange(LEVELS)
    found = torch.zeros(regions, h, w)
    for k in range(regions):
        shares = {}
        for y in range(h):
            for x in range(w):
                each = [(1 - (colours[k, c, y, x] * (LEVELS - 1) - levels).abs()).clamp(min=0) for c in range(3)]
                shares[y, x] = torch.einsum("r,g,b->rgb", *each)
        total = sum(weights[k, y, x] * share for (y, x), share in shares.items())
        for (y, x), share in shares.items():
            found[k, y, x] = (share * total).sum() / max(float(weights[k].sum()), 1.0)
    return found


@pytest.mark.parametrize("regions", [0, 1, 3])
def test_likelihoods_are_those_of_the_slow_loop(regions):
    random = torch.Generator().manual_seed(regions)
    colours, weights = (torch.rand(regions, *shape, generator=random) for shape in ((3, 4, 5), (4, 5)))
    binned = Binned.of(colours)
    expected = (likelihood_slowly(colours, weights) + LEAST).log()
    assert_close(binned.log_likelihood(binned.histogram(weights)), expected)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.37])
def test_shares_of_a_pixel_sum_to_one_up_to_the_ends(value):
    binned = Binned.of(torch.full((1, 3, 1, 1), value))
    assert_close(binned.shares.sum(), torch.tensor(1.0))
    assert int(binned.bins.min()) >= 0 and int(binned.bins.max()) < LEVELS**3


RED, BLUE, GREEN = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]])


def histogram_of(colour):
    """The histogram of one pixel."""
    return Binned.of(colour[None, :, None, None]).histogram(torch.ones(1, 1, 1))


NOTHING = torch.zeros(1, LEVELS**3)


def test_a_mask_of_two_colours_claims_both_and_not_the_third():
    """A row of pixels: red and blue are surely the region's, green is not; the last red and green are unknown."""
    row = torch.stack([RED, RED, BLUE, GREEN, RED, GREEN], dim=1)[None, :, None]
    mask = torch.tensor([[[1.0, 1, 1, 0, 0, 0]]])
    said = evidence(Binned.of(row), mask, torch.zeros_like(mask), histogram_of(GREEN))[0, :, 0]
    against_rest, against_claims, against_outside, alone, outside = said
    assert_close(alone.exp() - LEAST, torch.tensor([2 / 3, 2 / 3, 1 / 3, 0, 2 / 3, 0]))
    assert_close(against_rest[4], torch.tensor(math.log((2 / 3 + LEAST) / (1 / 3 + LEAST))))
    assert against_rest[5] < -4 < 4 < against_rest[2]
    assert_close(against_claims, alone - math.log(LEAST))  # nobody claims anything
    assert_close(outside.exp() - LEAST, torch.tensor([0.0, 0, 0, 1, 0, 1]))
    assert_close(against_outside, alone - outside)


def test_what_others_claim_speaks_against_a_colour():
    row = torch.stack([RED, GREEN, GREEN], dim=1)[None, :, None]
    mask, claims = torch.tensor([[[1.0, 0, 0.5]]]), torch.tensor([[[0.0, 1, 0]]])
    against_claims = evidence(Binned.of(row), mask, claims, NOTHING)[0, 1, 0]
    assert against_claims[0] > 4 and against_claims[1] < 0


def test_an_empty_mask_and_a_full_one_are_finite():
    row = RED[None, :, None, None].expand(1, 3, 2, 2)
    for mask in (torch.zeros(1, 2, 2), torch.ones(1, 2, 2)):
        assert evidence(Binned.of(row), mask, torch.zeros_like(mask), NOTHING).isfinite().all()
