"""Tree LSTMs by levels against plain recursion, one region and one gate at a time."""

import pytest
import torch
from forests import children, forest
from torch.testing import assert_close

from segsg.kernels.trees import NONE, climb, descend

WIDTH = 3
MIXED = [[], [0], [1], [2], [40], [5, 0, 3, 1], [12, 40]]
every_batch = pytest.mark.parametrize("counts", MIXED)


def tensors(regions, blocks, sides):
    torch.manual_seed(regions)
    x = torch.randn(regions, (blocks + 1) * WIDTH, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(blocks * WIDTH, sides * WIDTH, dtype=torch.float64, requires_grad=True)
    return x, weight


def output(o, r, p, c):
    return r.sigmoid() * o.sigmoid() * c.tanh() + (1 - r.sigmoid()) * p


def climb_slowly(x, weight, left, right):
    blank = x.new_zeros(WIDTH)

    def state(region):
        if region == NONE:
            return blank, blank
        (h_l, c_l), (h_r, c_r) = state(left[region]), state(right[region])
        *given, p = x[region].split(WIDTH)
        of_left, of_right = weight[:, :WIDTH] @ h_l, weight[:, WIDTH:] @ h_r
        heard = zip(given, of_left.split(WIDTH), of_right.split(WIDTH), strict=True)
        i, o, f_l, f_r, r, u = (a + b + c for a, b, c in heard)
        c = i.sigmoid() * u.tanh() + f_l.sigmoid() * c_l + f_r.sigmoid() * c_r
        return output(o, r, p, c), c

    return torch.stack([state(region)[0] for region in range(len(x))]) if len(x) else x.new_zeros(0, WIDTH)


def descend_slowly(x, weight, left, right):
    above = {int(child): parent for side in (left, right) for parent, child in enumerate(side) if child != NONE}
    blank = x.new_zeros(WIDTH)

    def state(region):
        if region is None:
            return blank, blank
        h_p, c_p = state(above.get(region))
        *given, p = x[region].split(WIDTH)
        i, o, f, r, u = (a + b for a, b in zip(given, (weight @ h_p).split(WIDTH), strict=True))
        c = i.sigmoid() * u.tanh() + f.sigmoid() * c_p
        return output(o, r, p, c), c

    return torch.stack([state(region)[0] for region in range(len(x))]) if len(x) else x.new_zeros(0, WIDTH)


def same(fast, slow, inputs):
    assert_close(fast, slow)
    if len(fast):
        weights = torch.randn_like(fast)
        fast, slow = (torch.autograd.grad((result * weights).sum(), inputs) for result in (fast, slow))
        assert_close(fast, slow)


@every_batch
def test_upwards(counts):
    x, weight = tensors(sum(counts), 6, 2)
    left, right, _ = children(counts)
    same(climb(x, weight, forest(counts)), climb_slowly(x, weight, left, right), (x, weight))


@every_batch
def test_downwards(counts):
    x, weight = tensors(sum(counts), 5, 1)
    left, right, _ = children(counts)
    same(descend(x, weight, forest(counts)), descend_slowly(x, weight, left, right), (x, weight))


@pytest.mark.parametrize(("run", "blocks", "sides"), [(climb, 6, 2), (descend, 5, 1)])
def test_gradients_are_the_limits_of_differences(run, blocks, sides):
    trees = forest([4, 0, 3])
    assert torch.autograd.gradcheck(lambda x, weight: run(x, weight, trees), tensors(7, blocks, sides))
