"""How much of a photo's graph somebody wants to see."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wanted:
    """Of all relations, the `top` surest with at least a score of `threshold`. ValueError for impossible numbers."""

    top: int = 20
    threshold: float = 0.05

    def __post_init__(self):
        if self.top < 0:
            raise ValueError(f"top {self.top}: the number of relations is at least 0")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold {self.threshold}: a score lies between 0 and 1")
