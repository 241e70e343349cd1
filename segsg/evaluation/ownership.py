"""Whether masks say rightly which of two regions owns which part of the place where they meet."""

from collections.abc import Iterable

from jaxtyping import Float
from torch import Tensor

Pairs = Float[Tensor, "_ 2 side side"]
"""both masks of each pair in one frame, from 0 to 1; a mask holds a cell where it is more than 0.5"""


def ownership(pairs: Iterable[tuple[Pairs, Pairs]]) -> float | None:
    """The share of cells that have the right owner, from (true masks, given masks) of the same pairs in their frames.

    The owner of a cell is the subject, the object, both or neither; so it is right where both masks are. Pairs without
    a cell of either true mask are left out, since any empty masks would be right there; None if no pair is left.
    """
    right = cells = 0
    for true, given in pairs:
        true, given = true > 0.5, given > 0.5
        is_right = (true == given).all(dim=1)[true.flatten(1).any(dim=1)]
        right, cells = right + int(is_right.sum()), cells + is_right.numel()
    return right / cells if cells else None
