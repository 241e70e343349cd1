"""Batches that depend on nothing but the seed and the step, so that a run resumes exactly anywhere."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from torch import Generator

from segsg.data.transforms import collate, flip, resize
from segsg.structures import Batch, Sample

Change = Callable[[Sample, Generator], Sample]
"""A random change of a training sample; its draws come from the generator alone."""
ORDER, CHANGES = 0, 1
AHEAD = 2
"""Batches that each worker prepares before they are asked for."""


def seeded(*numbers: int) -> Generator:
    """A generator of its own for each tuple of non-negative numbers."""
    state = np.random.SeedSequence((len(numbers), *numbers)).generate_state(1, np.uint64)[0]
    return Generator().manual_seed(int(state >> np.uint64(1)))


class Batches:
    """Endless training batches by step: batch(step) is always the same for the same seed and data.

    Every epoch is a seeded permutation of all samples; a batch may end one epoch and begin the next.
    `flip` mirrors half of the samples, `change` is one more random change (for instance one predicate per pair).
    """

    def __init__(
        self,
        dataset: Any,
        images: int,
        seed: int,
        flip: bool,
        short_side: int,
        long_side: int,
        change: Change | None = None,
    ):
        if len(dataset) == 0:
            raise ValueError("there is no image to make batches of; check the split and its filters")
        self._dataset, self._images, self._seed = dataset, images, seed
        self._flip, self._change = flip, change
        self._resize = partial(resize, short_side=short_side, long_side=long_side)
        self._epoch = lru_cache(maxsize=8)(self._permutation)

    def batch(self, step: int) -> Batch:
        """The batch of a step, counted from 0."""
        generator = seeded(self._seed, CHANGES, step)
        return collate([self._sample(index, generator) for index in self.indices(step)])

    def indices(self, step: int) -> list[int]:
        """Indices into the data set of the samples of a step."""
        places = range(step * self._images, (step + 1) * self._images)
        return [self._epoch(place // len(self._dataset))[place % len(self._dataset)] for place in places]

    def _permutation(self, epoch: int) -> list[int]:
        return torch.randperm(len(self._dataset), generator=seeded(self._seed, ORDER, epoch)).tolist()

    def _sample(self, index: int, generator: Generator) -> Sample:
        sample = self._resize(self._dataset[index])
        if self._flip and torch.rand((), generator=generator) < 0.5:
            sample = flip(sample)
        return sample if self._change is None else self._change(sample, generator)


def ordered(dataset: Any, images: int, short_side: int, long_side: int, workers: int = 0) -> Iterator[Batch]:
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
