"""Random draws from a generator that is handed in."""

import torch
from jaxtyping import Int, Shaped
from torch import Generator, Tensor


def some(places: Int[Tensor, "places"], count: int, generator: Generator) -> Int[Tensor, "drawn"]:
    """`count` of `places`, each as likely as any other, in random order; all of them if there are fewer."""
    return places[torch.randperm(len(places), generator=generator, device=places.device)[:count]]


def balanced(
    labels: Shaped[Tensor, "labels"], *, count: int, positive_fraction: float, generator: Generator
) -> Int[Tensor, "drawn"]:
    """Indices, in order, of `count` labels from 0: at most the share `positive_fraction` above 0, the rest 0.

    Where there are too few zeros, fewer indices come back. Labels below 0 are never drawn.
    """
    positive = some((labels > 0).nonzero()[:, 0], int(count * positive_fraction), generator)
    negative = some((labels == 0).nonzero()[:, 0], count - len(positive), generator)
    return torch.cat([positive, negative]).sort().values
