"""What colours a mask holds, and how likely a pixel's colour is in it: soft histograms of red, green and blue."""

import itertools
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

LEVELS = 9
"""levels of each of three colours; between two levels a colour belongs to both, by its distance"""
LEAST = 1e-3
"""added to a likelihood before its logarithm, about one pixel in a thousand"""


@dataclass(frozen=True)
class Binned:
    """Pixels as parts of histogram bins: `bins` are the eight around a colour, `shares` sum to one in each pixel."""

    bins: Int[Tensor, "regions 8 h w"]
    shares: Float[Tensor, "regions 8 h w"]

    @classmethod
    def of(cls, colours: Float[Tensor, "regions 3 h w"]) -> "Binned":
        """Colours between 0 and 1, red, green and blue."""
        places = colours.clamp(0, 1) * (LEVELS - 1)
        below = places.floor().clamp(max=LEVELS - 2)
        above, low = places - below, below.long()
        bins, shares = [], []
        for corner in itertools.product((0, 1), repeat=3):
            red, green, blue = (low[:, channel] + step for channel, step in enumerate(corner))
            bins.append((red * LEVELS + green) * LEVELS + blue)
            shares.append(
                torch.stack([above[:, c] if step else 1 - above[:, c] for c, step in enumerate(corner)]).prod(0)
            )
        return cls(torch.stack(bins, dim=1), torch.stack(shares, dim=1))

    def histogram(self, weights: Float[Tensor, "regions h w"]) -> Float[Tensor, "regions bins"]:
        """The share of each bin among the pixels that `weights`, from 0 to 1, take of each region.

        Nothing anywhere where nothing is taken; less than one pixel counts as one.
        """
        taken = (self.shares * weights[:, None]).flatten(1)
        histogram = taken.new_zeros(len(taken), LEVELS**3).scatter_add_(1, self.bins.flatten(1), taken)
        return histogram / weights.sum(dim=(1, 2)).clamp(min=1)[:, None]

    def log_likelihood(self, histogram: Float[Tensor, "regions bins"]) -> Float[Tensor, "regions h w"]:
        """Logarithm of how likely the colour of each pixel is in its region's histogram; never below log `LEAST`."""
        shares = histogram.gather(1, self.bins.flatten(1)).view_as(self.shares)
        return ((shares * self.shares).sum(dim=1) + LEAST).log()


def evidence(
    binned: Binned,
    masks: Float[Tensor, "regions h w"],
    claims: Float[Tensor, "regions h w"],
    around: Float[Tensor, "regions bins"],
) -> Float[Tensor, "regions 5 h w"]:
    """What the colour of each pixel says for its region, as five logarithms of likelihoods or of their ratios.

    Ratios come first: the region's mask against the rest of its box, against what others claim there, and against the
    surroundings of the box, of which `around` is the histogram. Then the likelihood in the mask, and that in the
    surroundings. The colours of a whole region count, so that a person in a red coat keeps both face and coat, where a
    mean colour would be neither.
    """
    kinds = (binned.histogram(weights) for weights in (masks, 1 - masks, claims * (1 - masks)))
    own, rest, claimed, outside = map(binned.log_likelihood, (*kinds, around))
    return torch.stack([own - rest, own - claimed, own - outside, own, outside], dim=1)
