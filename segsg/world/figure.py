"""Figures before they are placed in a scene: strokes of a pen, in painting order.

Lengths are world units: a photo is 160 of them wide and high, whatever its side in pixels. y grows downwards.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

UNITS = 160
Number = float | int
Colour = tuple[int, int, int]
Point = tuple[Number, Number]
DRAWERS: dict[str, Callable] = {}
SIZES: dict[str, Number] = {}
"""family -> usual size of its figures; this and what draws them is filled by `draws`"""


def draws(*families: str, size: Number | None = None) -> Callable:
    """Registers a function that draws an empty `Figure` of some families, with its foot at (x, y)."""

    def register(drawer: Callable) -> Callable:
        DRAWERS.update(dict.fromkeys(families, drawer))
        SIZES.update(dict.fromkeys(families, size) if size else {})
        return drawer

    return register


@dataclass(frozen=True)
class Stroke:
    """One mark of the pen. An ellipse, or a part of one, has the two corners of its box as points."""

    kind: str
    points: tuple[Point, ...]
    colour: Colour
    width: Number = 0.0
    angles: tuple[Number, Number] = (0.0, 360.0)


@dataclass
class Sketch:
    """Strokes in painting order."""

    strokes: list[Stroke] = field(default_factory=list)

    def line(self, points: Iterable[Point], width: Number, colour: Colour) -> None:
        """A line with round joints and ends."""
        self.strokes.append(Stroke("line", tuple(points), colour, width))

    def level(self, x: Number, y: Number, half: Number, width: Number, colour: Colour) -> None:
        """A level line with its middle at (x, y)."""
        self.line([(x - half, y), (x + half, y)], width, colour)

    def twins(self, x: Number, points: list[Point], width: Number, colour: Colour) -> None:
        """A line left of x and its mirror image to the right; `points` are (distance from x, y)."""
        for side in (-1, 1):
            self.line([(x + side * distance, y) for distance, y in points], width, colour)

    def polygon(self, points: Iterable[Point], colour: Colour) -> None:
        self.strokes.append(Stroke("polygon", tuple(points), colour))

    def trapezoid(self, x: Number, first: Point, second: Point, colour: Colour) -> None:
        """The area between two level edges (half of its length, y) around x."""
        (half, y), (other_half, other_y) = first, second
        self.polygon([(x - half, y), (x + half, y), (x + other_half, other_y), (x - other_half, other_y)], colour)

    def block(self, x: Number, y: Number, half: Number, height: Number, colour: Colour) -> None:
        """An upright rectangle that stands on (x, y)."""
        self.trapezoid(x, (half, y - height), (half, y), colour)

    def ellipse(self, x: Number, y: Number, rx: Number, ry: Number, colour: Colour) -> None:
        self.strokes.append(Stroke("ellipse", _box(x, y, rx, ry), colour))

    def slice(self, x: Number, y: Number, rx: Number, ry: Number, colour: Colour, start: Number, end: Number) -> None:
        """A slice of an ellipse; angles in degrees, clockwise from three o'clock."""
        self.strokes.append(Stroke("slice", _box(x, y, rx, ry), colour, 0.0, (start, end)))

    def arc(self, x: Number, y: Number, rx: Number, ry: Number, width: Number, ink: Colour, start=0, end=360) -> None:
        """A band of `width` along the inner side of an ellipse."""
        self.strokes.append(Stroke("arc", _box(x, y, rx, ry), ink, width, (start, end)))


def _box(x: Number, y: Number, rx: Number, ry: Number) -> tuple[Point, Point]:
    return (x - rx, y - ry), (x + rx, y + ry)


@dataclass
class Figure:
    """A drawn figure before it is placed in a scene; its middle is at `x`.

    `back` is painted first; `front` (a bucket's near wall, the thumb of a hand) may cover what is between.
    `marks` are named points that scenes attach other figures to: hands, head, rim, hook, ... `lengths` are named
    lengths that go with them, `colours` those that the scene draws more of the figure with.
    """

    name: str
    x: Number = 0.0
    back: Sketch = field(default_factory=Sketch)
    front: Sketch = field(default_factory=Sketch)
    marks: dict[str, Point] = field(default_factory=dict)
    lengths: dict[str, Number] = field(default_factory=dict)
    colours: dict[str, Colour] = field(default_factory=dict)

    def grip(self, grip: Point, top: Point) -> None:
        """Sets the marks `grip` and `top`, where hands and hooks take the figure."""
        self.marks |= {"grip": grip, "top": top}


def colour(rng: np.random.Generator, low: int = 45, high: int = 230) -> Colour:
    """A random colour."""
    return tuple(int(value) for value in rng.integers(low, high, 3))


def darker(base: Colour, factor: float = 0.7) -> Colour:
    """`base` times `factor`; a factor above 1 makes it lighter."""
    return tuple(min(255, int(value * factor)) for value in base)


def coin(rng: np.random.Generator) -> int:
    """-1 or 1."""
    return 1 if rng.random() < 0.5 else -1


def around(x: Number, y: Number, size: Number, side: int = 1) -> Callable[[Number, Number], Point]:
    """From shares of `size`, counted from (x, y), to points; they are mirrored if `side` is -1."""
    return lambda across, down: (x + side * across * size, y + down * size)
