"""Learning rate as a function of the step: nothing to save, nothing to resume."""

import math
from collections.abc import Callable

Rate = Callable[[int], float]
"""step, from 0 -> factor of the peak learning rate"""


def warm(rate: Rate, warmup: int) -> Rate:
    """`rate`, risen to linearly over the first `warmup` steps."""
    return lambda step: rate(step) * min(1.0, (step + 1) / max(warmup, 1))


def cosine(iterations: int) -> Rate:
    """Half a cosine from 1 to 0."""
    return lambda step: 0.5 * (1 + math.cos(math.pi * step / max(iterations, 1)))


def steps(milestones: list[int]) -> Rate:
    """A tenth of the rate after each milestone."""
    return lambda step: 0.1 ** sum(step >= milestone for milestone in milestones)
