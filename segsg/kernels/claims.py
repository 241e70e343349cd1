"""What the other regions of an image say of a region's box."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from segsg.kernels.boxes import all_pairs
from segsg.kernels.masks import resample


def largest_claims(
    masks: Float[Tensor, "regions side side"], boxes: Float[Tensor, "regions 4"], image: Int[Tensor, "regions"]
) -> Float[Tensor, "regions side side"]:
    """In each cell of each region's box, the largest value that a mask of another region of its image has there.

    A value is the mean over the cell's area; a mask is 0 outside its box. 0 where no other box reaches. `image` is the
    index of each region's image and never decreases.
    """
    pairs = all_pairs(image)
    start = torch.maximum(boxes[pairs[:, 0], :2], boxes[pairs[:, 1], :2])
    end = torch.minimum(boxes[pairs[:, 0], 2:], boxes[pairs[:, 1], 2:])
    mine, others = pairs[(end > start).all(dim=1)].unbind(dim=1)
    moved = resample(masks[others, None], boxes[others], boxes[mine], masks.shape[-1])[:, 0]
    rows = mine[:, None, None].expand_as(moved)
    return moved.new_zeros(masks.shape).scatter_reduce(0, rows, moved, "amax")
