"""Detections without doubles: non-maximum suppression within a class, then across classes."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torchvision.ops import batched_nms, nms


def without_doubles(
    boxes: Float[Tensor, "boxes 4"], scores: Float[Tensor, "boxes"], labels: Int[Tensor, "boxes"], *,
    within: float, across: float,
) -> Int[Tensor, "kept"]:  # fmt: skip
    """Indices of the boxes that are kept, best score first.

    A box goes if a better one of its class has an IoU above `within` with it, or a better one that is kept, of any
    class, an IoU above `across`. The two steps follow each other. Boxes are xyxy.
    """
    kept = batched_nms(boxes, scores, labels, within)
    return kept[nms(boxes[kept], scores[kept], across)]


def above(
    scores: Float[Tensor, "boxes classes"], threshold: float, most: int
) -> tuple[Int[Tensor, "n"], Int[Tensor, "n"]]:
    """(box, class) of each score that is at least `threshold`: all of them, or the `most` best."""
    flat = scores.flatten()
    places = (flat >= threshold).nonzero()[:, 0]
    if len(places) > most:
        places = places[torch.topk(flat[places], most).indices]
    return places // scores.shape[1], places % scores.shape[1]
