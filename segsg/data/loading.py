"""From samples to batches: resized, mirrored, padded, in an order that depends on nothing but the seed and the step.

A run therefore resumes exactly anywhere.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Generator, Tensor
from torch.nn import functional as F

from segsg.data.photos import blank, is_blank
from segsg.data.views import ImageSet
from segsg.structures import Batch, Sample

Change = Callable[[Sample, Generator], Sample]
"""A random change of a training sample; its draws come from the generator alone."""
ORDER, CHANGES = 0, 1
AHEAD = 2
"""Batches that each worker prepares before they are asked for."""


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
    """One colour at a time: as floats, all of a large photo would take four times the memory of its pixels.

    A blank image stays one.
    """
    if is_blank(image):
        return blank(1, *size)[0]
    colours = (F.interpolate(colour[None, None].float(), size, mode="bilinear", antialias=True)[0] for colour in image)
    return torch.cat([colour.round().clamp(0, 255).to(torch.uint8) for colour in colours])


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


def pad_masks(masks: Bool[Tensor, "regions h w"], height: int, width: int) -> Bool[Tensor, "regions height width"]:
    """Masks with padding right and below, where they are False."""
    return F.pad(masks, (0, width - masks.shape[2], 0, height - masks.shape[1]))


def collate(samples: list[Sample], multiple: int = 32) -> Batch:
    """Samples in one batch, padded right and below to the largest, rounded up to a multiple of `multiple` pixels.

    Padding of images has the mean colour; padding of masks is False. Either all samples have masks or none has. Where
    all images are blank, the batch's are too.
    """
    height, width = (-(-max(side) // multiple) * multiple for side in zip(*(s.size for s in samples), strict=True))
    images = blank(len(samples), height, width)
    if not all(is_blank(sample.image) for sample in samples):
        images = images.contiguous()
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
        masks=[pad_masks(of_image, height, width) for of_image in masks] if masks else None,
    )


def padded(batch: Batch, height: int, width: int) -> Batch:
    """The batch with more padding right and below, up to this size."""
    if (height, width) == tuple(batch.images.shape[-2:]):
        return batch
    images = blank(len(batch), height, width)
    if not is_blank(batch.images):
        images = images.contiguous()
        images[:, :, : batch.images.shape[2], : batch.images.shape[3]] = batch.images
    masks = None if batch.masks is None else [pad_masks(of_image, height, width) for of_image in batch.masks]
    return replace(batch, images=images, masks=masks)


def seeded(*numbers: int) -> Generator:
    """A generator of its own for each tuple of non-negative numbers."""
    state = np.random.SeedSequence((len(numbers), *numbers)).generate_state(1, np.uint64)[0]
    return Generator().manual_seed(int(state >> np.uint64(1)))


class Batches:
    """Endless training batches by number: batch(number) is always the same for the same seed and data.

    They are cut from one endless row of samples, in which every epoch is a seeded permutation of all. What is drawn of
    a sample depends on its place there alone, so batches of half the size hold the same samples, drawn alike.
    Of `short_sides` one is drawn for each sample. `flip` mirrors half of the samples, `change` is one more random
    change (for instance one predicate per pair).
    """

    def __init__(
        self,
        dataset: ImageSet,
        images: int,
        seed: int,
        flip: bool,
        short_sides: Sequence[int],
        long_side: int,
        change: Change | None = None,
    ):
        if len(dataset) == 0:
            raise ValueError("there is no image to make batches of; check the split and its filters")
        self._dataset, self._images, self._seed = dataset, images, seed
        self._flip, self._change = flip, change
        self._short_sides, self._long_side = short_sides, long_side
        self._epoch = lru_cache(maxsize=8)(self._permutation)

    def batch(self, number: int) -> Batch:
        """One batch, counted from 0, with the seeds of its images."""
        generators = [seeded(self._seed, CHANGES, place) for place in self._places(number)]
        drawn = zip(self.indices(number), generators, strict=True)
        batch = collate([self._sample(index, generator) for index, generator in drawn])
        return replace(batch, seeds=[int(torch.randint(2**62, (), generator=one)) for one in generators])

    def indices(self, number: int) -> list[int]:
        """Indices into the data set of the samples of a batch."""
        places = self._places(number)
        return [self._epoch(place // len(self._dataset))[place % len(self._dataset)] for place in places]

    def _places(self, number: int) -> range:
        return range(number * self._images, (number + 1) * self._images)

    def _permutation(self, epoch: int) -> list[int]:
        return torch.randperm(len(self._dataset), generator=seeded(self._seed, ORDER, epoch)).tolist()

    def _sample(self, index: int, generator: Generator) -> Sample:
        sides = self._short_sides
        drawn = int(torch.randint(len(sides), (), generator=generator)) if len(sides) > 1 else 0
        sample = resize(self._dataset[index], sides[drawn], self._long_side)
        if self._flip and torch.rand((), generator=generator) < 0.5:
            sample = flip(sample)
        return sample if self._change is None else self._change(sample, generator)


def ordered(dataset: ImageSet, images: int, short_side: int, long_side: int, workers: int = 0) -> Iterator[Batch]:
    """Every sample once, in order, unchanged but for its size; the last batch may be smaller."""

    def batch(start: int) -> Batch:
        indices = range(start, min(start + images, len(dataset)))
        return collate([resize(dataset[index], short_side, long_side) for index in indices])

    return prepared(batch, range(0, len(dataset), images), workers)


def prepared(make: Callable[[int], Batch], keys: Iterable[int], workers: int) -> Iterator[Batch]:
    """make(key) for every key in order, made by threads ahead of use; in the caller's thread with no workers.

    Threads are enough: decoding and resizing release the interpreter lock. An error surfaces at its own place.
    """
    if workers == 0:
        yield from map(make, keys)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque = deque()
        try:
            for key in keys:
                waiting.append(pool.submit(make, key))
                if len(waiting) > AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
