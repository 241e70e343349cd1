"""Padded rows of regions."""

import torch

from segsg.models.parts import Padded


def test_rows_are_images_with_regions():
    rows = Padded.of(torch.tensor([0, 0, 2, 3, 3, 3]))
    x = torch.arange(1.0, 13).reshape(6, 2)
    padded = rows.pad(x)
    assert rows.counts.tolist() == [2, 1, 3]
    assert rows.inside.tolist() == [[True, True, False], [True, False, False], [True, True, True]]
    assert padded[0, :2].tolist() == x[:2].tolist()
    assert padded[~rows.inside].eq(0).all()
    assert torch.equal(rows.unpad(padded), x)


def test_no_region():
    rows = Padded.of(torch.zeros(0, dtype=torch.long))
    assert rows.pad(torch.zeros(0, 4)).shape == (0, 0, 4)
    assert rows.unpad(torch.zeros(0, 0, 4)).shape == (0, 4)
