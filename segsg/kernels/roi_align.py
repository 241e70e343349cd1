"""RoIAlign for processors: by matrix products where gradients are wanted, by table look-up where they are not.

Bilinear interpolation is separable: sampling a box of a feature map F is R F Cᵀ, with one matrix R that mixes rows
and one matrix C that mixes columns. The gradient of a product is a product, several times faster than torchvision's
loop over samples. Without gradients each output cell is a weighted sum of 16 cells of the map, faster still.
On other devices torchvision's kernel is used, and for gradients on large maps. The values are everywhere those of
`torchvision.ops.roi_align(..., sampling_ratio=2, aligned=True)`.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F
from torchvision import ops

SAMPLES = 2
"""samples per cell and axis"""
LARGEST_MAP = 4096
"""cells of a map up to which the products win; their cost grows with the map, that of sampling hardly does"""
# Measured on one core, forward and backward, 64 and 256 channels, 16 to 128 regions: products take a quarter of
# torchvision's time at 400 cells, half at 1,600, up to four fifths at 4,096; the two cross at about 6,400.


def roi_align(
    features: Float[Tensor, "images channels h w"],
    boxes: Float[Tensor, "regions 4"],
    image: Int[Tensor, "regions"],
    side: int,
    scale: float,
) -> Float[Tensor, "regions channels side side"]:
    """Crops of `boxes` (pixels of the network's input), resampled to `side` x `side` cells.

    `image` is the index of each box's image, `scale` the cells of the feature map per pixel (1 / stride).
    """
    if features.device.type != "cpu":
        return _by_torchvision(features, boxes, image, side, scale)
    if not (features.requires_grad and torch.is_grad_enabled()):
        return _by_lookup(features, boxes, image, side, scale)
    if features.shape[2] * features.shape[3] > LARGEST_MAP:
        return _by_torchvision(features, boxes, image, side, scale)
    return _by_products(features, boxes, image, side, scale)


def pyramid_roi_align(
    levels: list[Tensor],
    boxes: Float[Tensor, "regions 4"],
    image: Int[Tensor, "regions"],
    strides: list[int] | tuple[int, ...],
    side: int,
    cells: int = 14,
) -> Float[Tensor, "regions channels side side"]:
    """`roi_align` with each box cropped from the level that suits its size.

    A box of area A goes to level floor(log2(√A / (cells · strides[0]))), clamped: the finest on which it spans fewer
    than 2 · `cells`. With 14 cells and strides 4, 8, 16, 32 this is eq. 1 of the FPN paper (224 pixels at stride 16).
    """
    level = _level(boxes, cells * strides[0], len(levels))
    order, crops = [], []
    for i, (features, stride) in enumerate(zip(levels, strides, strict=True)):
        chosen = (level == i).nonzero()[:, 0]
        order.append(chosen)
        crops.append(roi_align(features, boxes[chosen], image[chosen], side, 1 / stride))
    return torch.cat(crops)[torch.argsort(torch.cat(order))]


def _level(boxes: Tensor, smallest: int, levels: int) -> Tensor:
    area = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1)
    return torch.floor(torch.log2(area.sqrt() / smallest + 1e-6)).clamp(0, levels - 1).long()


def _by_torchvision(features: Tensor, boxes: Tensor, image: Tensor, side: int, scale: float) -> Tensor:
    rows = torch.cat([image[:, None].to(boxes.dtype), boxes], 1)
    return ops.roi_align(features, rows.to(features.dtype), side, scale, SAMPLES, aligned=True)


def _by_lookup(features: Tensor, boxes: Tensor, image: Tensor, side: int, scale: float) -> Tensor:
    channels, h, w = features.shape[1:]
    start, end = (boxes.detach() * scale - 0.5).split(2, dim=1)
    row, of_row = _neighbours(start[:, 1], end[:, 1], side, h)
    column, of_column = _neighbours(start[:, 0], end[:, 0], side, w)
    cells = (image[:, None, None] * h + row)[:, :, None, :, None] * w + column[:, None, :, None, :]
    weights = of_row[:, :, None, :, None] * of_column[:, None, :, None, :]
    table = features.permute(0, 2, 3, 1).reshape(-1, channels)
    each = (2 * SAMPLES) ** 2
    weights = weights.to(features.dtype).reshape(-1, each)
    crops = F.embedding_bag(cells.reshape(-1, each), table, mode="sum", per_sample_weights=weights)
    return crops.view(-1, side, side, channels).permute(0, 3, 1, 2)


def _by_products(features: Tensor, boxes: Tensor, image: Tensor, side: int, scale: float) -> Tensor:
    channels, h, w = features.shape[1:]
    start, end = (boxes.detach() * scale - 0.5).split(2, dim=1)
    rows = _weights(start[:, 1], end[:, 1], side, h).to(features.dtype)
    columns = _weights(start[:, 0], end[:, 0], side, w).to(features.dtype)
    order, crops = [], []
    for i, area in enumerate(features.permute(0, 2, 3, 1)):
        chosen = (image == i).nonzero()[:, 0]
        mixed = rows[chosen].reshape(-1, h) @ area.reshape(h, w * channels)
        order.append(chosen)
        crops.append(columns[chosen, None] @ mixed.view(-1, side, w, channels))
    return torch.cat(crops)[torch.argsort(torch.cat(order))].permute(0, 3, 1, 2)


def _weights(start: Tensor, end: Tensor, side: int, length: int) -> Tensor:
    """[regions, side, length]: share of each of `length` cells in the mean of the samples of each output cell."""
    sample, inside = _samples(start, end, side, length)
    distance = sample[..., None] - torch.arange(length, device=start.device)
    weights = (1 - distance.abs()).clamp(min=0) * inside[..., None]
    return weights.view(-1, side, SAMPLES, length).mean(2)


def _neighbours(start: Tensor, end: Tensor, side: int, length: int) -> tuple[Tensor, Tensor]:
    """The two cells around each sample and their shares in an output cell, both [regions, side, 2 * SAMPLES]."""
    sample, inside = _samples(start, end, side, length)
    before = sample.floor()
    shares = torch.stack([1 - (sample - before), sample - before], 2) * inside[..., None] / SAMPLES
    cells = torch.stack([before, (before + 1).clamp(max=length - 1)], 2).long()
    return cells.view(-1, side, 2 * SAMPLES), shares.view(-1, side, 2 * SAMPLES)


def _samples(start: Tensor, end: Tensor, side: int, length: int) -> tuple[Tensor, Tensor]:
    """Places of the samples along one axis, in cells, and which of them count, both [regions, side * SAMPLES]."""
    step = torch.arange(side * SAMPLES, device=start.device) + 0.5
    sample = start[:, None] + (end - start)[:, None] * step / (side * SAMPLES)
    # A sample more than a cell outside the map counts as zero, a nearer one as the border.
    return sample.clamp(0, length - 1), (sample >= -1) & (sample <= length)
