"""The regions of a batch as one padded row per image, for networks that look at all regions of an image at once."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Padded:
    """Region k stands in row `row[k]` at place `column[k]`; row i has `counts[i]` regions.

    An image without regions has no row: a row of nothing but padding has no softmax.
    """

    row: Int[Tensor, "regions"]
    column: Int[Tensor, "regions"]
    counts: Int[Tensor, "images"]

    @classmethod
    def of(cls, image: Int[Tensor, "regions"]) -> "Padded":
        """`image` never decreases."""
        _, row, counts = image.unique_consecutive(return_inverse=True, return_counts=True)
        start = counts.cumsum(0) - counts
        return cls(row, torch.arange(len(image), device=image.device) - start[row], counts)

    @property
    def inside(self) -> Bool[Tensor, "images n"]:
        """False where there is padding."""
        longest = int(self.counts.max()) if len(self.counts) else 0
        return torch.arange(longest, device=self.counts.device) < self.counts[:, None]

    def pad(self, x: Float[Tensor, "regions width"]) -> Float[Tensor, "images n width"]:
        """Padding is zero."""
        padded = x.new_zeros(*self.inside.shape, x.shape[1])
        padded[self.row, self.column] = x
        return padded

    def unpad(self, padded: Float[Tensor, "images n width"]) -> Float[Tensor, "regions width"]:
        return padded[self.row, self.column]
