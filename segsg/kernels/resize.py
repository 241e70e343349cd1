"""Photos resized as TensorFlow 1 does it: bilinear, and the first pixel of both sizes has one corner in common."""

import torch
from jaxtyping import Float
from torch import Tensor


def resize_from_corner(photo: Tensor, height: int, width: int) -> Float[Tensor, "channels height width"]:
    """A photo `[channels, h, w]` of any number type in another size, as float32.

    Row i of the result lies at row i · h / height of the photo, between two of its rows; beyond the last there is
    the last again. Columns are the same. Nothing is averaged where the photo shrinks.
    """
    above, below, down = _between(photo.shape[1], height, photo.device)
    before, after, right = _between(photo.shape[2], width, photo.device)
    rows = [photo[:, places].float() for places in (above, below)]
    upper, lower = (row[:, :, before] * (1 - right) + row[:, :, after] * right for row in rows)
    return upper * (1 - down[:, None]) + lower * down[:, None]


def _between(length: int, cells: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """(the pixel before each new one, the pixel after it, how far it is from the first to the second)."""
    place = torch.arange(cells, dtype=torch.float32, device=device) * (length / cells)
    before = place.floor().long().clamp(max=length - 1)
    return before, (before + 1).clamp(max=length - 1), place - before
