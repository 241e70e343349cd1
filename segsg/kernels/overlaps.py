"""How crowded the place of each region is, in numbers that networks read."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

SMALLEST = 1e-12
"""Denominator of IoU where two boxes without area meet."""


def overlap_code(
    boxes: Float[Tensor, "regions 4"], sizes: list[tuple[int, int]], image: Int[Tensor, "regions"]
) -> Float[Tensor, "regions 6"]:
    """Of the regions of its image that each region overlaps, itself included: their share, the sums of intersection
    (as share of the image's area) and of IoU, the means of both; and the region's own share of the image's area.

    Boxes xyxy, `sizes` (height, width) of the images in the same pixels, `image` the index of each region's image.
    """
    together = image[:, None] == image
    area = boxes.new_tensor(sizes).reshape(-1, 2).prod(dim=1)[image]
    start, end = torch.maximum(boxes[:, None, :2], boxes[:, :2]), torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
    intersection = (end - start).clamp(min=0).prod(dim=2) * together / area[:, None]
    own = intersection.diagonal()
    iou = intersection / (own[:, None] + own - intersection).clamp(min=SMALLEST)
    number = (intersection > 0).sum(dim=1).clamp(min=1)
    sums = torch.stack([intersection.sum(dim=1), iou.sum(dim=1)], dim=1)
    share = number / together.sum(dim=1)
    return torch.cat([share[:, None], sums, sums / number[:, None], own[:, None]], dim=1)
