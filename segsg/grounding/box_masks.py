"""Masks for boxes of whatever class: a head that reads a photo's pixels in each box.

It sees a crop of the photo, scaled to one size, through the first blocks of the photo detector's trunk, and goes on
with later blocks of its own. It starts from an ellipse in the box, and knows where the photo's other boxes lie. No
class enters, so that it serves every class, and masks of any set teach it.
"""

from copy import deepcopy
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torchvision import ops

from segsg.detection.heads import jitter
from segsg.detection.mobilenet import CHANNELS, EARLY, KEPT, EarlyBlocks, MobileNetV2, signed
from segsg.detection.stored import filled
from segsg.kernels.draws import some
from segsg.kernels.masks import coverage, crop
from segsg.structures import MASK_SIDE, Batch, Mean

GROWN = 0.08
"""share of a box's width and height by which its frame reaches beyond it, on each side"""
CROP_SIDE = 4 * MASK_SIDE
"""pixels along a side of what is seen of a box"""
SURE = 2.0
"""logit of the ellipse that a mask starts from"""
GIVEN = 4
"""numbers that a cell knows without a pixel: ellipse, own box, smaller boxes, larger boxes"""
LONG_SIDE = 640
"""pixels of a photo's longer side, at most: crops skip pixels, so that a larger photo is made smaller first"""
AGAIN = "train the masks again with `python -m segsg.photos.train_masks`"
AT_ONCE = 32
"""boxes; bounds the memory of crops"""
LEAST_AREA, MOST_BOXES = 256.0, 8
"""of the boxes that are learned from: pixels of the smallest; how many of a photo"""
WIDTH = 48
"""channels of the head's own layers, unless told otherwise"""
ALONE = 0.5
"""share of training photos of which no other box is told: a detector does not find everything"""
EXACT = 0.5
"""share of training photos whose boxes are left as they are"""


def frames_of(boxes: Float[Tensor, "regions 4"]) -> Float[Tensor, "regions 4"]:
    """Boxes that are larger by `GROWN` on each side: the frames of the masks."""
    step = GROWN * (boxes[:, 2:] - boxes[:, :2])
    return torch.cat([boxes[:, :2] - step, boxes[:, 2:] + step], dim=1)


def given(boxes: Float[Tensor, "regions 4"], others: Float[Tensor, "others 4"]) -> Float[Tensor, "regions 4 28 28"]:
    """What each cell of the boxes' frames knows without a pixel.

    1 if its centre lies in the ellipse that fits in the box, else -1; the share of it in the box, in a smaller one of
    `others`, and in a larger one. A box of the same area, as the box itself is among `others`, is neither.
    """
    frames, cells = frames_of(boxes), (MASK_SIDE, MASK_SIDE)
    place = ((torch.arange(MASK_SIDE, device=boxes.device) + 0.5) / MASK_SIDE * 2 - 1) * (1 + 2 * GROWN)
    ellipse = (place**2 + place[:, None] ** 2 <= 1).float() * 2 - 1
    own = coverage(boxes[:, None], frames, MASK_SIDE)[:, 0]
    area, areas = ((each[:, 2:] - each[:, :2]).prod(dim=1) for each in (boxes, others))
    covered = coverage(others.expand(len(boxes), -1, -1), frames, MASK_SIDE)
    nothing = covered.new_zeros(len(boxes), 1, *cells)
    smaller, larger = (
        torch.cat([covered * chosen[:, :, None, None], nothing], dim=1).amax(dim=1)
        for chosen in (areas < area[:, None], areas > area[:, None])
    )
    return torch.stack([ellipse.expand(len(boxes), *cells), own, smaller, larger], dim=1)


def reduced(photo: Float[Tensor, "3 h w"]) -> tuple[Float[Tensor, "3 _ _"], Float[Tensor, "2"]]:
    """A photo whose longer side has at most `LONG_SIDE` pixels, and the factors of its width and of its height."""
    size = torch.tensor(photo.shape[1:])
    if size.max() <= LONG_SIDE:
        return photo, photo.new_ones(2)
    wanted = (size * (LONG_SIDE / size.max())).round().long().clamp(min=1)
    smaller = F.interpolate(photo[None], tuple(wanted.tolist()), mode="bilinear", antialias=True)[0]
    return smaller, (wanted / size).flip(0).to(photo)


def crops(photo: Float[Tensor, "3 h w"], frames: Float[Tensor, "regions 4"]) -> Float[Tensor, "regions 3 112 112"]:
    """The pixels of `frames`, in the photo's unit; zero outside the photo."""
    # Of three channels torchvision's own is faster than the kernel of the same name.
    return ops.roi_align(photo[None], [frames], CROP_SIDE, 1.0, 2, True)


def coloured(seen: Float[Tensor, "regions 3 h w"], generator: Generator) -> Float[Tensor, "regions 3 h w"]:
    """Crops from -1 to 1 of other brightness, contrast, saturation and tint, each drawn by itself."""

    def drawn(least: float, most: float, channels: int = 1) -> Tensor:
        share = torch.rand(len(seen), channels, 1, 1, generator=generator, device=seen.device)
        return least + (most - least) * share

    grey, mean = seen.mean(dim=1, keepdim=True), seen.mean(dim=(1, 2, 3), keepdim=True)
    seen = grey + (seen - grey) * drawn(0.5, 1.5)
    return ((seen - mean) * drawn(0.7, 1.3) + mean + drawn(-0.2, 0.2) + drawn(-0.08, 0.08, 3)).clamp(-1, 1)


def _convolutions(width: int) -> nn.Sequential:
    layers = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
    first, second = layers
    return nn.Sequential(nn.ReLU(), first, nn.ReLU(), second)


class BoxMasks(nn.Module):
    """The head: feature maps of crops and what is `given` of their cells, to one mask logit for each cell.

    Its blocks begin as those of `trunk`. An untrained head answers with the ellipse.
    """

    def __init__(self, trunk: MobileNetV2, width: int = WIDTH):
        super().__init__()
        first, second = KEPT[2] + 1, KEPT[3] + 1
        self.middle = nn.Sequential(*deepcopy(trunk.blocks[EARLY:first])).requires_grad_(True)
        self.deep = nn.Sequential(*deepcopy(trunk.blocks[first:second])).requires_grad_(True)
        finest, fine, middle, deep = CHANNELS[:4]
        self.of_finest, self.of_fine = nn.Conv2d(4 * finest, width, 1), nn.Conv2d(fine, width, 1)
        self.of_middle, self.of_deep = nn.Conv2d(middle, width, 1), nn.Conv2d(deep, width, 1)
        self.of_whole, self.of_given = nn.Linear(deep, width), nn.Conv2d(GIVEN, width, 3, padding=1)
        self.each = nn.ModuleList(_convolutions(width) for _ in range(4))
        self.residual = nn.Conv2d(width, 1, 1)
        nn.init.zeros_(self.residual.weight)
        nn.init.zeros_(self.residual.bias)

    def forward(
        self,
        finest: Float[Tensor, "regions 16 56 56"],
        fine: Float[Tensor, "regions 24 28 28"],
        known: Float[Tensor, "regions 4 28 28"],
    ) -> Float[Tensor, "regions 28 28"]:
        middle = self.middle(fine)
        deep = self.deep(middle)
        cells = self.of_deep(deep) + self.of_whole(deep.mean(dim=(2, 3)))[:, :, None, None]
        cells = cells + self.each[0](cells)
        cells = self.of_middle(middle) + _doubled(cells)
        cells = cells + self.each[1](cells)
        finer = self.of_fine(fine) + self.of_finest(F.pixel_unshuffle(finest, 2)) + self.of_given(known)
        cells = finer + _doubled(cells)
        for convolutions in self.each[2:]:
            cells = cells + convolutions(cells)
        return SURE * known[:, 0] + self.residual(cells.relu())[:, 0]


def _doubled(cells: Tensor) -> Tensor:
    return F.interpolate(cells, scale_factor=2.0, mode="bilinear")


class PhotoMasks(nn.Module):
    """The frozen first blocks of a detector's trunk, and a head of masks: from a photo and its boxes to masks."""

    def __init__(self, trunk: MobileNetV2, head: BoxMasks):
        super().__init__()
        self.early, self.head = EarlyBlocks(trunk).requires_grad_(False), head
        self.to(memory_format=torch.channels_last)  # four fifths of the time on processors

    @torch.no_grad()
    def forward(
        self, photo: UInt8[Tensor, "3 h w"], boxes: Float[Tensor, "regions 4"]
    ) -> tuple[Float[Tensor, "regions 28 28"], Float[Tensor, "regions 4"]]:
        """Probabilities of the mask of each box, and the frames in which they lie; boxes xyxy in pixels of the photo.

        `kernels.masks.paste` makes masks of the photo's size of the two.
        """
        pixels, factors = reduced(signed(photo))
        near, parts = boxes * factors.repeat(2), [boxes.new_zeros(0, MASK_SIDE, MASK_SIDE)]
        for start in range(0, len(boxes), AT_ONCE):
            some_boxes = near[start : start + AT_ONCE]
            early = self.early(crops(pixels, frames_of(some_boxes)))
            parts.append(self.head(*early, given(some_boxes, near)).sigmoid())
        return torch.cat(parts), frames_of(boxes)

    def mask_losses(self, batch: Batch) -> dict[str, Mean]:
        """Cross-entropy per cell, and 1 - Dice per mask, of a few boxes of each photo, often moved a little."""
        of_photos = zip(batch.images, batch.boxes, batch.masks, batch.sizes, batch.generators(), strict=True)
        parts = [self._lesson(*of_photo) for of_photo in of_photos]
        seen, known, targets = (torch.cat(part) for part in zip(*parts, strict=True))
        with torch.no_grad():
            early = self.early(seen)
        logits = self.head(*early, known)
        surprise = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
        masks = logits.sigmoid()
        both, each = (masks * targets).sum(dim=(1, 2)), masks.sum(dim=(1, 2)) + targets.sum(dim=(1, 2))
        apart = 1 - (2 * both + 1) / (each + 1)
        return {"cells": Mean(surprise, targets.numel()), "dice": Mean(apart.sum(), len(apart))}

    def _lesson(
        self, photo: Tensor, boxes: Tensor, masks: Tensor, size: tuple[int, int], generator: Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(crops, what is given, true cells) of some boxes of one photo: of the large ones, if there is any."""
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
        chosen = some((areas >= areas.max().clamp(max=LEAST_AREA)).nonzero()[:, 0], MOST_BOXES, generator)
        moved = boxes if torch.rand((), generator=generator) < EXACT else jitter(boxes, size, generator)
        others = moved[:0] if torch.rand((), generator=generator) < ALONE else moved
        frames = frames_of(moved[chosen])
        height, width = size
        seen = coloured(crops(signed(photo[:, :height, :width]), frames), generator)
        return seen, given(moved[chosen], others), crop(masks[chosen], frames, MASK_SIDE)


def load_masks(path: Path, trunk: MobileNetV2) -> PhotoMasks:
    """The masks of boxes with the head's weights of a safetensors file, frozen. DataError if they do not fit.

    `trunk` has to be the one that the head was trained with.
    """
    with torch.random.fork_rng(devices=[]):
        return PhotoMasks(trunk, filled(BoxMasks(trunk), path, AGAIN)).eval().requires_grad_(False)
