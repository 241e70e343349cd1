import pytest
import torch
from torch.testing import assert_close

from segsg.kernels.resize import resize_from_corner


def pixel_by_pixel(photo, height, width):
    """One number after another, from the four pixels around its place."""
    channels, h, w = photo.shape
    out = torch.zeros(channels, height, width)
    for i in range(height):
        for j in range(width):
            y, x = i * h / height, j * w / width
            top, left = int(y), int(x)
            for row, of_row in ((top, 1 - (y - top)), (min(top + 1, h - 1), y - top)):
                for column, of_column in ((left, 1 - (x - left)), (min(left + 1, w - 1), x - left)):
                    out[:, i, j] += photo[:, row, column] * of_row * of_column
    return out


@pytest.mark.parametrize("size", [(7, 9), (5, 4), (12, 30), (1, 1)])
@pytest.mark.parametrize("wanted", [(6, 6), (13, 5), (1, 2)])
def test_equals_a_loop_over_pixels(size, wanted):
    photo = torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert_close(resize_from_corner(photo, *wanted), pixel_by_pixel(photo.float(), *wanted), atol=1e-3, rtol=0)


def test_the_same_size_changes_nothing():
    photo = torch.arange(24.0).view(1, 4, 6)
    assert torch.equal(resize_from_corner(photo, 4, 6), photo)


def test_worked_by_hand():
    """Places 0, 0.5, 1, 1.5 of two pixels: half way between them, and the last beyond the end."""
    assert resize_from_corner(torch.tensor([[[0.0, 8.0]]]), 1, 4).tolist() == [[[0, 4, 8, 8]]]
