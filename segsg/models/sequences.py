"""The regions of a batch as one sequence per image, packed for recurrent networks."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence


@dataclass(frozen=True)
class Sequences:
    """`index[k]` is the region at place k of the packed data: step after step, longest image first in each step.

    `sizes[t]` images have a region at step t; `inverse` undoes `index`.
    """

    index: Int[Tensor, "regions"]
    inverse: Int[Tensor, "regions"]
    sizes: Int[Tensor, "steps"]

    @classmethod
    def of(cls, image: Int[Tensor, "regions"], key: Float[Tensor, "regions"]) -> "Sequences":
        """Regions of each image by increasing `key`; equal keys keep the order of the regions."""
        by_key = key.argsort(stable=True)
        by_image = by_key[image[by_key].argsort(stable=True)]
        lengths = torch.bincount(image)
        start = lengths.cumsum(0) - lengths
        step = torch.arange(len(image), device=image.device) - start[image[by_image]]
        rank = torch.empty_like(lengths)
        rank[lengths.argsort(descending=True, stable=True)] = torch.arange(len(lengths), device=image.device)
        place = (step * len(lengths) + rank[image[by_image]]).argsort()
        index = by_image[place]
        return cls(index, index.argsort(), torch.bincount(step).cpu())

    def pack(self, x: Float[Tensor, "regions width"]) -> PackedSequence:
        return PackedSequence(x[self.index], self.sizes)

    def unpack(self, packed: PackedSequence) -> Float[Tensor, "regions width"]:
        return packed.data[self.inverse]

    def steps(self) -> list[Int[Tensor, "images"]]:
        """The regions of each step; those of a step belong to the first images of the step before."""
        return list(self.index.split(self.sizes.tolist()))
