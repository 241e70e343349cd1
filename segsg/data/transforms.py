"""Changes of a sample that training and evaluation need: size, mirror image, and stacking into a batch."""

from dataclasses import replace

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor
from torch.nn import functional as F

from segsg.structures import Batch, Sample

MEAN_COLOUR = (124, 116, 104)
"""ImageNet's mean RGB: padding of this colour is near zero once a backbone has normalised it."""


def resize(sample: Sample, short_side: int, long_side: int) -> Sample:
    """The sample with its shorter side `short_side` pixels, or less where the longer side would pass `long_side`.

    Boxes are multiplied by exactly the factor that `scale` is, so that boxes / scale are boxes_original again.
    """
    height, width = sample.size
    factor = min(short_side / min(height, width), long_side / max(height, width))
    if factor == 1:
        return sample
    size = (max(1, int(height * factor + 0.5)), max(1, int(width * factor + 0.5)))
    return replace(
        sample,
        image=_resized_image(sample.image, size),
        boxes=sample.boxes * factor,
        masks=None if sample.masks is None else _resized_masks(sample.masks, size),
        scale=sample.scale * factor,
        photo_size=sample.photo_size or sample.size,
    )


def _resized_image(image: UInt8[Tensor, "3 h w"], size: tuple[int, int]) -> UInt8[Tensor, "3 new_h new_w"]:
    pixels = F.interpolate(image[None].float(), size, mode="bilinear", antialias=True)
    return pixels[0].round().clamp(0, 255).to(torch.uint8)


def _resized_masks(masks: Bool[Tensor, "regions h w"], size: tuple[int, int]) -> Bool[Tensor, "regions new_h new_w"]:
    """Nearest neighbour of each new pixel's centre; unlike F.interpolate it takes bool and no masks at all."""
    rows, columns = (
        ((torch.arange(new) + 0.5) * (old / new)).long().clamp(max=old - 1)
        for new, old in zip(size, masks.shape[-2:], strict=True)
    )
    return masks[:, rows][:, :, columns]


def flip(sample: Sample) -> Sample:
    """The mirror image: pixels, boxes and masks change sides, and nothing else changes.

    Right for predicates that mean the same in a mirror, as all of VG-150's do; a vocabulary with "left of" or
    "right of" would need its relations exchanged too.
    """
    left, top, right, bottom = sample.boxes.unbind(-1)
    width = sample.size[1]
    return replace(
        sample,
        image=sample.image.flip(-1),
        boxes=torch.stack([width - right, top, width - left, bottom], dim=-1),
        masks=None if sample.masks is None else sample.masks.flip(-1),
    )


def collate(samples: list[Sample], multiple: int = 32) -> Batch:
    """Samples in one batch, padded right and below to the largest, rounded up to a multiple of `multiple` pixels.

    Padding of images has the mean colour; padding of masks is False. Either all samples have masks or none has.
    """
    height, width = (-(-max(side) // multiple) * multiple for side in zip(*(s.size for s in samples), strict=True))
    images = torch.tensor(MEAN_COLOUR, dtype=torch.uint8).reshape(1, 3, 1, 1).repeat(len(samples), 1, height, width)
    for image, sample in zip(images, samples, strict=True):
        image[:, : sample.size[0], : sample.size[1]] = sample.image
    masks = [sample.masks for sample in samples if sample.masks is not None]
    return Batch(
        image_ids=[sample.image_id for sample in samples],
        images=images,
        sizes=[sample.size for sample in samples],
        scales=[sample.scale for sample in samples],
        photo_sizes=[sample.photo_size or sample.size for sample in samples],
        boxes=[sample.boxes for sample in samples],
        labels=[sample.labels for sample in samples],
        relations=[sample.relations for sample in samples],
        masks=[F.pad(m, (0, width - m.shape[2], 0, height - m.shape[1])) for m in masks] if masks else None,
    )
