"""The largest claim of another region, cell by cell."""

import torch
from torch.testing import assert_close

from segsg.kernels.claims import largest_claims

BOXES = torch.tensor([[0.0, 0, 8, 8], [4, 2, 10, 6], [0, 0, 8, 8], [9, 7, 12, 12], [3, 1, 6, 9.5], [4, 2, 10, 6]])
IMAGE = torch.tensor([0, 0, 0, 0, 0, 1])
SIDE = 5


def shared(a, b, c, d):
    """Length that the intervals [a, b] and [c, d] share."""
    return max(0.0, min(b, d) - max(a, c))


def cells(box):
    """((row, column), (x1, y1, x2, y2)) of each cell of a box."""
    x1, y1, x2, y2 = box
    w, h = (x2 - x1) / SIDE, (y2 - y1) / SIDE
    for row in range(SIDE):
        for column in range(SIDE):
            yield (row, column), (x1 + column * w, y1 + row * h, x1 + (column + 1) * w, y1 + (row + 1) * h)


def plain_claims(masks, boxes, image):
    """`largest_claims` written a second time: one region, one other, one cell after another."""
    claims = torch.zeros(masks.shape)
    for i, mine in enumerate(boxes.tolist()):
        for j, theirs in enumerate(boxes.tolist()):
            if i == j or image[i] != image[j]:
                continue
            for (row, column), (x1, y1, x2, y2) in cells(mine):
                total = sum(
                    float(masks[j][place]) * shared(x1, x2, left, right) * shared(y1, y2, top, bottom)
                    for place, (left, top, right, bottom) in cells(theirs)
                )
                claims[i, row, column] = max(float(claims[i, row, column]), total / ((x2 - x1) * (y2 - y1)))
    return claims


def test_claims_are_those_of_a_slow_plain_version():
    masks = torch.rand(len(BOXES), SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    claims = largest_claims(masks, BOXES, IMAGE)
    assert_close(claims, plain_claims(masks, BOXES, IMAGE), atol=1e-6, rtol=1e-5)
    assert claims[0].max() > 0 and claims[5].max() == 0


def test_a_region_meets_another_by_hand():
    boxes = torch.tensor([[0.0, 0, 4, 4], [2, 0, 6, 4], [4, 0, 8, 4]])
    masks = torch.tensor([1.0, 0.5, 0.25])[:, None, None].expand(3, 4, 4)
    claims = largest_claims(masks, boxes, torch.zeros(3, dtype=torch.long))
    rows = torch.tensor([[0, 0, 0.5, 0.5], [1, 1, 0.25, 0.25], [0.5, 0.5, 0, 0]])
    assert_close(claims, rows[:, None].expand(3, 4, 4))


def test_regions_without_company_hear_no_claim():
    alone = largest_claims(torch.ones(1, SIDE, SIDE), BOXES[:1], IMAGE[:1])
    assert torch.equal(alone, torch.zeros(1, SIDE, SIDE))
    assert largest_claims(torch.ones(0, SIDE, SIDE), BOXES[:0], IMAGE[:0]).shape == (0, SIDE, SIDE)


def test_the_order_of_regions_does_not_matter():
    masks = torch.rand(5, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    order = torch.tensor([3, 0, 4, 2, 1])
    again = largest_claims(masks[order], BOXES[:5][order], IMAGE[:5])
    assert torch.equal(again, largest_claims(masks, BOXES[:5], IMAGE[:5])[order])
