"""Masks of regions: moved between the frames of boxes and images, and smoothed by learned Gaussians (K_j of eq. 6).

Moves are separable, so each is one matrix for rows and one for columns. `crop` and `resample` average over area: a thin
limb in a large box leaves a faint mask rather than falling between samples."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

PASTED_AT_ONCE = 16
"""regions; bounds the memory of full-size probabilities"""


def crop(
    masks: Bool[Tensor, "regions h w"], boxes: Float[Tensor, "regions 4"], side: int
) -> Float[Tensor, "regions side side"]:
    """The part of each mask in its box, as `side` x `side` cells: 1 if the mask covers half of a cell, else 0.

    These are the targets of a mask head. `boxes` are in the frame of `masks`; what lies outside it counts as empty.
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
    """Moves each crop from the frame of its box in `from_boxes` to that in `to_boxes`; zero outside the first box.

    Each cell is the mean over its area. The same boxes and side return the input exactly.
    """
    h, w = crops.shape[2:]
    cells = from_boxes.new_tensor([w, h])
    extent = (from_boxes[:, 2:] - from_boxes[:, :2]).clamp(min=1e-3)
    start = (to_boxes[:, :2] - from_boxes[:, :2]) / extent * cells
    length = (to_boxes[:, 2:] - to_boxes[:, :2]).clamp(min=1e-3) / extent * cells
    rows = _shares(start[:, 1], length[:, 1], side, h).to(crops.dtype)
    columns = _shares(start[:, 0], length[:, 0], side, w).to(crops.dtype)
    return rows[:, None] @ (crops.flatten(1, 2) @ columns.mT).unflatten(1, crops.shape[1:3])


def coverage(
    boxes: Float[Tensor, "frames boxes 4"], frames: Float[Tensor, "frames 4"], side: int
) -> Float[Tensor, "frames boxes side side"]:
    """Share of each cell of a frame that lies in each of its boxes: `resample` of masks that fill their boxes."""
    frames, extent = frames[:, None], (boxes[..., 2:] - boxes[..., :2]).clamp(min=1e-3)
    start = (frames[..., :2] - boxes[..., :2]) / extent
    length = (frames[..., 2:] - frames[..., :2]).clamp(min=1e-3) / extent
    columns, rows = _shares(start.flatten(), length.flatten(), side, 1).unflatten(0, start.shape)[..., 0].unbind(2)
    return rows[..., None] * columns[..., None, :]


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
    passed = (edges[:, :, None] - torch.arange(cells, device=start.device)).clamp_(0, 1)
    return passed.diff(dim=1).div_((length / side)[:, None, None])


def _interpolation(start: Tensor, end: Tensor, side: int, pixels: int) -> Tensor:
    """[regions, pixels, side]: weight of each cell of a crop at the centre of each pixel; zero outside the box."""
    centre = torch.arange(pixels, device=start.device) + 0.5
    inside = (centre >= start[:, None]) & (centre < end[:, None])
    position = (centre - start[:, None]) / (end - start).clamp(min=1e-3)[:, None] * side - 0.5
    distance = position.clamp(0, side - 1)[..., None] - torch.arange(side, device=start.device)
    return (1 - distance.abs()).clamp(min=0) * inside[..., None]


MAX_CORRELATION = 0.99
LOG_VARIANCE_RANGE = (-3.0, 4.0)
"""Standard deviations between 0.22 cells, where a kernel hardly smooths, and 7.4, where it is almost flat."""


def bounded(raw: Float[Tensor, "regions 3"]) -> tuple[Tensor, Tensor, Tensor]:
    """Standard deviations along x and y, in cells, and the correlation, from three unbounded numbers a region.

    Bounds keep 1 - rho² away from zero and variances finite, so neither a kernel nor its gradient can overflow.
    Zero maps to a standard deviation of 1.28 cells and no correlation.
    """
    low, high = LOG_VARIANCE_RANGE
    log_variances = low + (high - low) * raw[:, :2].sigmoid()
    sigma_x, sigma_y = (log_variances / 2).exp().unbind(1)
    return sigma_x, sigma_y, MAX_CORRELATION * raw[:, 2].tanh()


def gaussian_kernels(
    sigma_x: Float[Tensor, "regions"],
    sigma_y: Float[Tensor, "regions"],
    rho: Float[Tensor, "regions"],
    side: int,
) -> Float[Tensor, "regions side side"]:
    """Weight of cell (x, y): exp(-(u² - 2ρuv + v²) / (2(1 - ρ²))), u = x/σx, v = y/σy; a kernel sums to 1. Eq. 6.

    x runs along columns and y along rows, both measured from the centre; `side` must be odd.
    """
    if side % 2 == 0:
        raise ValueError(f"a Gaussian kernel needs an odd side to have a centre, got {side}")
    cells = torch.arange(side, dtype=sigma_x.dtype, device=sigma_x.device) - side // 2
    u = cells[None, None, :] / sigma_x[:, None, None]
    v = cells[None, :, None] / sigma_y[:, None, None]
    rho = rho[:, None, None]
    weights = (-(u**2 - 2 * rho * u * v + v**2) / (2 * (1 - rho**2))).exp()
    return weights / weights.sum(dim=(1, 2), keepdim=True)


def smooth(
    masks: Float[Tensor, "regions channels h w"], kernels: Float[Tensor, "regions side side"]
) -> Float[Tensor, "regions channels h_out w_out"]:
    """Each region's channels convolved with its own kernel (⊗ of eq. 6), zero outside.

    The result is larger by `side - 1` cells in both directions: a mask bleeds out of its box, and two masks that
    touch along the border of their boxes still meet.
    """
    if len(masks) == 0:
        side = kernels.shape[-1] - 1
        return masks.new_zeros(0, masks.shape[1], masks.shape[2] + side, masks.shape[3] + side)
    return _Smoothing.apply(masks, kernels.to(masks.dtype))


class _Smoothing(torch.autograd.Function):
    """Both gradients are convolutions too; PyTorch's own gradient of a grouped convolution takes ten times as long."""

    @staticmethod
    def forward(ctx, masks: Tensor, kernels: Tensor) -> Tensor:
        ctx.save_for_backward(masks, kernels)
        margin = kernels.shape[-1] - 1
        smoothed = functional.conv2d(masks.transpose(0, 1), kernels[:, None], padding=margin, groups=len(kernels))
        return smoothed.transpose(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor]:
        masks, kernels = (saved.to(gradient.dtype) for saved in ctx.saved_tensors)
        flipped = kernels.flip(1, 2)[:, None]
        of_masks = functional.conv2d(gradient.transpose(0, 1), flipped, groups=len(kernels)).transpose(0, 1)
        margin, groups = kernels.shape[-1] - 1, masks.shape[0] * masks.shape[1]
        wide = functional.pad(masks, (margin,) * 4).flatten(0, 1)[None]
        of_kernels = functional.conv2d(wide, gradient.flatten(0, 1)[:, None], groups=groups)
        return of_masks, of_kernels[0].unflatten(0, masks.shape[:2]).sum(dim=1)


def grown(boxes: Float[Tensor, "regions 4"], cells: int, margin: int) -> Float[Tensor, "regions 4"]:
    """Boxes that hold `margin` more cells on each side, where a box holds `cells` by `cells`; see `smooth`."""
    step = (boxes[:, 2:] - boxes[:, :2]) * (margin / cells)
    return torch.cat([boxes[:, :2] - step, boxes[:, 2:] + step], dim=1)
