"""Moving masks between the frame of a box and other frames.

All three are separable, so each is one matrix for rows and one for columns. `crop` and `resample` average over
area: a thin limb in a large box leaves a faint mask rather than falling between samples.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

PASTED_AT_ONCE = 16
"""regions; bounds the memory of full-size probabilities"""


def crop(
    masks: Bool[Tensor, "regions h w"], boxes: Float[Tensor, "regions 4"], side: int
) -> Float[Tensor, "regions side side"]:
    """What each box holds of its mask, as `side` x `side` cells of 0 or 1: 1 if the mask covers half of the cell.

    The targets of a mask head. `boxes` are in the frame of `masks`; what lies outside that frame counts as empty.
    """
    h, w = masks.shape[1:]
    extent = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-3)
    rows = _shares(boxes[:, 1], extent[:, 1], side, h)
    columns = _shares(boxes[:, 0], extent[:, 0], side, w)
    return (rows @ masks.to(boxes.dtype) @ columns.mT >= 0.5).to(boxes.dtype)


def resample(
    crops: Float[Tensor, "regions channels h w"],
    from_boxes: Float[Tensor, "regions 4"],
    to_boxes: Float[Tensor, "regions 4"],
    side: int,
) -> Float[Tensor, "regions channels side side"]:
    """What of each crop, which fills its `from_boxes`, falls in `to_boxes`; zero outside the former.

    Each cell is the mean over its area. The same boxes and side return the input exactly.
    """
    h, w = crops.shape[2:]
    cells = from_boxes.new_tensor([w, h])
    extent = (from_boxes[:, 2:] - from_boxes[:, :2]).clamp(min=1e-3)
    start = (to_boxes[:, :2] - from_boxes[:, :2]) / extent * cells
    length = (to_boxes[:, 2:] - to_boxes[:, :2]).clamp(min=1e-3) / extent * cells
    rows = _shares(start[:, 1], length[:, 1], side, h).to(crops.dtype)
    columns = _shares(start[:, 0], length[:, 0], side, w).to(crops.dtype)
    return rows[:, None] @ crops @ columns[:, None].mT


def paste(
    probabilities: Float[Tensor, "regions side side"], boxes: Float[Tensor, "regions 4"], size: tuple[int, int]
) -> Bool[Tensor, "regions h w"]:
    """Masks in an image of `size` (height, width): where the probability, interpolated at a pixel's centre, is > 0.5.

    `boxes` are in the frame of that image. Between centres of cells the interpolation is bilinear; outside its box a
    mask is empty.
    """
    parts = zip(probabilities.split(PASTED_AT_ONCE), boxes.split(PASTED_AT_ONCE), strict=True)
    return torch.cat([_paste(*part, size) for part in parts])


def _paste(probabilities: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    side = probabilities.shape[-1]
    rows = _interpolation(boxes[:, 1], boxes[:, 3], side, size[0]).to(probabilities.dtype)
    columns = _interpolation(boxes[:, 0], boxes[:, 2], side, size[1]).to(probabilities.dtype)
    return rows @ probabilities @ columns.mT > 0.5


def _shares(start: Tensor, length: Tensor, side: int, cells: int) -> Tensor:
    """[regions, side, cells]: share of each of `side` equal parts of an interval that lies in each unit cell."""
    bounds = torch.arange(side + 1, device=start.device)
    edges = start[:, None] + length[:, None] * bounds / side
    cell = torch.arange(cells, device=start.device)
    overlap = torch.minimum(edges[:, 1:, None], cell + 1) - torch.maximum(edges[:, :-1, None], cell)
    return overlap.clamp(min=0) / (length / side)[:, None, None]


def _interpolation(start: Tensor, end: Tensor, side: int, pixels: int) -> Tensor:
    """[regions, pixels, side]: weight of each cell of a crop at the centre of each pixel; zero outside the box."""
    centre = torch.arange(pixels, device=start.device) + 0.5
    inside = (centre >= start[:, None]) & (centre < end[:, None])
    position = (centre - start[:, None]) / (end - start).clamp(min=1e-3)[:, None] * side - 0.5
    distance = position.clamp(0, side - 1)[..., None] - torch.arange(side, device=start.device)
    return (1 - distance.abs()).clamp(min=0) * inside[..., None]
