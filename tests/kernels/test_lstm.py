"""The bidirectional LSTM against PyTorch's own, values and gradients."""

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck
from torch.nn.utils.rnn import PackedSequence
from torch.testing import assert_close

from segsg.kernels import lstm as kernel
from segsg.kernels.lstm import both_ways, reversal

SIZES = [[1], [3], [1, 1, 1], [2, 2, 1], [4, 3, 3, 1, 1]]


def layer(dtype: torch.dtype = torch.double) -> nn.LSTM:
    torch.manual_seed(0)
    return nn.LSTM(5, 3, bidirectional=True).to(dtype)


def packed(sizes: list[int], dtype: torch.dtype = torch.double) -> PackedSequence:
    data = torch.randn(sum(sizes), 5, dtype=dtype, requires_grad=True)
    return PackedSequence(data, torch.tensor(sizes))


@pytest.mark.parametrize("sizes", SIZES)
def test_values_and_gradients_are_pytorchs(sizes):
    lstm, x = layer(), packed(sizes)
    ours, theirs = both_ways(lstm, x), lstm(x)[0].data
    assert_close(ours, theirs)
    weights = torch.randn_like(ours)
    wanted = [x.data, *lstm.parameters()]
    ours, theirs = (torch.autograd.grad((each * weights).sum(), wanted) for each in (ours, theirs))
    assert_close(ours, theirs)


def test_gradients_are_the_limits_of_differences():
    sizes = (3, 2, 2)
    x = torch.randn(2, sum(sizes), 8, dtype=torch.double, requires_grad=True)
    weight = torch.randn(2, 8, 2, dtype=torch.double, requires_grad=True)
    assert gradcheck(lambda x, weight: kernel._Steps.apply(x, weight, sizes), (x, weight))


def test_without_gradients_pytorchs_own_is_used(monkeypatch):
    monkeypatch.setattr(kernel, "_Steps", None)
    lstm, x = layer(), packed([2, 1])
    with torch.no_grad():
        assert_close(both_ways(lstm, x), lstm(x)[0].data)


def test_rows_are_mirrored_within_their_sequence():
    """Three sequences of lengths three, two and one: rows 0 3 5, 1 4, and 2."""
    assert reversal([3, 2, 1]).tolist() == [5, 4, 2, 3, 1, 0]


@pytest.mark.parametrize("sizes", SIZES)
def test_mirroring_twice_changes_nothing(sizes):
    back = reversal(sizes)
    assert torch.equal(back[back], torch.arange(sum(sizes)))


def test_half_precision_under_autocast_stays_near():
    lstm, x = layer(torch.float), packed([3, 2], torch.float)
    with torch.autocast("cpu", torch.bfloat16):
        ours = both_ways(lstm, x)
        ours.float().sum().backward()
    assert_close(ours.float(), lstm(x)[0].data, atol=0.03, rtol=0.03)
    assert x.data.grad.isfinite().all()
