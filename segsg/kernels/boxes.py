"""Pure functions of boxes: float xyxy, x1 <= x2, y1 <= y2, in pixels of one frame."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torchvision.ops import box_iou, clip_boxes_to_image

__all__ = ["all_pairs", "box_iou", "clip", "contact_frames", "position_code", "union_boxes"]


def union_boxes(subjects: Float[Tensor, "pairs 4"], objects: Float[Tensor, "pairs 4"]) -> Float[Tensor, "pairs 4"]:
    """Tightest box around each pair."""
    start = torch.minimum(subjects[:, :2], objects[:, :2])
    return torch.cat([start, torch.maximum(subjects[:, 2:], objects[:, 2:])], 1)


def contact_frames(
    subjects: Float[Tensor, "pairs 4"], objects: Float[Tensor, "pairs 4"], margin: float
) -> tuple[Float[Tensor, "pairs 4"], Bool[Tensor, "pairs"]]:
    """Where the boxes of each pair meet: the intersection of both, each grown by `margin` pixels on all sides.

    x1 = max(x1 of both) - margin, x2 = min(x2 of both) + margin, and so for y. The second result says whether that is
    a box; it is none (x1 >= x2 or y1 >= y2) where the boxes lie apart even when grown.
    """
    start = torch.maximum(subjects[:, :2], objects[:, :2]) - margin
    end = torch.minimum(subjects[:, 2:], objects[:, 2:]) + margin
    return torch.cat([start, end], 1), (start < end).all(1)


def clip(boxes: Float[Tensor, "regions 4"], size: tuple[int, int]) -> Float[Tensor, "regions 4"]:
    """The part of each box inside an image of `size` (height, width)."""
    return clip_boxes_to_image(boxes, size)


def position_code(
    boxes: Float[Tensor, "regions 4"], sizes: list[tuple[int, int]], image: Int[Tensor, "regions"]
) -> Float[Tensor, "regions 9"]:
    """Where each box lies in its image: w/W, h/H, cx/W, cy/H, x1/W, y1/H, x2/W, y2/H, wh/(WH).

    `sizes` are (height, width) of the images, `image` the index of each region's image.
    """
    frame = boxes.new_tensor(sizes).reshape(-1, 2).flip(1)[image]
    start, end = boxes[:, :2] / frame, boxes[:, 2:] / frame
    extent = end - start
    return torch.cat([extent, (start + end) / 2, start, end, extent.prod(1, keepdim=True)], 1)


def all_pairs(image: Int[Tensor, "regions"]) -> Int[Tensor, "pairs 2"]:
    """Every ordered pair (subject, object) of two different regions of one image, image after image.

    `image`, the index of each region's image, never decreases. Within an image: all pairs of the first region as
    subject, then of the second ...
    """
    together = image[:, None] == image[None, :]
    return together.fill_diagonal_(False).nonzero()


SMALLEST = 1e-12
"""Denominator of IoU where two boxes without area meet."""


def overlap_code(
    boxes: Float[Tensor, "regions 4"], sizes: list[tuple[int, int]], image: Int[Tensor, "regions"]
) -> Float[Tensor, "regions 6"]:
    """How crowded each region's place is, in numbers that networks read.

    Over the regions of its image that it overlaps, itself included: their share, the sums of intersection (as share of
    the image's area) and of IoU, the means of both; last, the region's own share of the image's area.

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
