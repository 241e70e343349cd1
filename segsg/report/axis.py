"""A number line for pictures made of page elements: from values to per cent of the width."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

TICKS = 5
"""at most so many steps on a line"""
SHORTEST = 0.1
"""length of a line for values that are all the same"""


@dataclass(frozen=True)
class Axis:
    """From `low` to `high` in the unit of the values, with a tick every `step`."""

    low: float
    high: float
    step: float

    def at(self, value: float) -> float:
        """Place of a value in per cent of the width."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Places in per cent, and what stands there."""
        first, last = math.ceil(self.low / self.step), math.floor(self.high / self.step)
        return [(self.at(i * self.step), f"{i * self.step:g}") for i in range(first, last + 1)]


def axis(values: Iterable[float]) -> Axis:
    """A line with room for all values, with steps of 1, 2 or 5 times a power of ten."""
    known = list(values)
    least, most = min(known), max(known)
    width = max(most - least, SHORTEST)
    power = 10.0 ** math.floor(math.log10(width / TICKS))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * TICKS >= width)
    margin = (width - (most - least)) / 2 + 0.06 * width
    return Axis(least - margin, most + margin, step)
