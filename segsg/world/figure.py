"""A drawn figure before it is placed in a scene."""

from dataclasses import dataclass, field

import numpy as np

from segsg.world.brush import Colour, Number, Point, Sketch


@dataclass
class Figure:
    """`back` is painted first; `front` (a bucket's near wall, the thumb of a hand) may cover what is between.

    `marks` are named points that scenes attach other figures to: hands, head, rim, hook, ...
    `lengths` are named lengths that go with them.
    """

    name: str
    back: Sketch = field(default_factory=Sketch)
    front: Sketch = field(default_factory=Sketch)
    marks: dict[str, Point] = field(default_factory=dict)
    lengths: dict[str, Number] = field(default_factory=dict)


def colour(rng: np.random.Generator, low: int = 45, high: int = 230) -> Colour:
    """A random colour."""
    return tuple(int(value) for value in rng.integers(low, high, 3))


def darker(base: Colour, factor: float = 0.7) -> Colour:
    """`base` times `factor`; a factor above 1 makes it lighter."""
    return tuple(min(255, int(value * factor)) for value in base)


def coin(rng: np.random.Generator) -> int:
    """-1 or 1."""
    return 1 if rng.random() < 0.5 else -1


def gripped(figure: Figure, grip: Point, top: Point) -> Figure:
    """The figure with the marks by which hands and hooks take it."""
    figure.marks |= {"grip": grip, "top": top}
    return figure
