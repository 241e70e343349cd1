"""Strokes of a figure, and how they become coloured pixels with soft edges.

Lengths are world units: a photo is 160 of them wide and high, whatever its side in pixels. y grows downwards.
"""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

UNITS = 160
SUPERSAMPLING = 2
Number = float | int
Colour = tuple[int, int, int]
Point = tuple[Number, Number]


@dataclass(frozen=True)
class Stroke:
    kind: str
    points: tuple[Point, ...]
    colour: Colour
    width: Number = 0.0
    angles: tuple[Number, Number] = (0.0, 360.0)


@dataclass
class Sketch:
    """Strokes in painting order."""

    strokes: list[Stroke] = field(default_factory=list)

    def line(self, points, width: Number, colour: Colour) -> None:
        """A line with round joints and ends."""
        self.strokes.append(Stroke("line", tuple(points), colour, width))

    def polygon(self, points, colour: Colour) -> None:
        self.strokes.append(Stroke("polygon", tuple(points), colour))

    def block(self, x: Number, y: Number, half: Number, height: Number, colour: Colour) -> None:
        """An upright rectangle that stands on (x, y)."""
        self.polygon([(x - half, y - height), (x + half, y - height), (x + half, y), (x - half, y)], colour)

    def ellipse(self, x: Number, y: Number, rx: Number, ry: Number, colour: Colour) -> None:
        self.strokes.append(Stroke("ellipse", ((x - rx, y - ry), (x + rx, y + ry)), colour))

    def slice(self, x: Number, y: Number, rx: Number, ry: Number, colour: Colour, start: Number, end: Number) -> None:
        """A slice of an ellipse; angles in degrees, clockwise from three o'clock."""
        self.strokes.append(Stroke("slice", ((x - rx, y - ry), (x + rx, y + ry)), colour, 0.0, (start, end)))

    def arc(
        self,
        x: Number,
        y: Number,
        rx: Number,
        ry: Number,
        width: Number,
        colour: Colour,
        start: Number = 0,
        end: Number = 360,
    ) -> None:
        """A band of `width` along the inner side of an ellipse."""
        self.strokes.append(Stroke("arc", ((x - rx, y - ry), (x + rx, y + ry)), colour, width, (start, end)))


@dataclass(frozen=True)
class Patch:
    """A figure's layer as pixels: `rgba` uint8 [h, w, 4] whose upper left corner is (x, y) of the photo."""

    x: int
    y: int
    rgba: np.ndarray


def _bounds(strokes: list[Stroke]) -> tuple[Number, Number, Number, Number]:
    xs, ys = zip(*(point for stroke in strokes for point in stroke.points), strict=True)
    reach = max(stroke.width if stroke.kind == "line" else 0.0 for stroke in strokes) / 2
    return min(xs) - reach, min(ys) - reach, max(xs) + reach, max(ys) + reach


def _stroke(pen: ImageDraw.ImageDraw, stroke: Stroke, points: list[Point], width: int, ink: tuple[int, ...]) -> None:
    if stroke.kind == "line":
        pen.line(points, fill=ink, width=width)
        for x, y in points:
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=ink)
    elif stroke.kind == "polygon":
        pen.polygon(points, fill=ink)
    elif stroke.kind == "ellipse":
        pen.ellipse([*points[0], *points[1]], fill=ink)
    elif stroke.kind == "slice":
        pen.pieslice([*points[0], *points[1]], *stroke.angles, fill=ink)
    else:
        pen.arc([*points[0], *points[1]], *stroke.angles, fill=ink, width=width)


def rasterise(strokes: list[Stroke], side: int) -> Patch | None:
    """The strokes on a photo of `side` pixels; None where nothing of them falls on it."""
    scale = side / UNITS
    left, top, right, bottom = (scale * value for value in _bounds(strokes))
    x0, y0 = max(0, int(left) - 1), max(0, int(top) - 1)
    x1, y1 = min(side, int(right) + 2), min(side, int(bottom) + 2)
    if x1 - x0 < 1 or y1 - y0 < 1:
        return None
    # CMYK stands for four plain channels here: RGBA would be multiplied by alpha and divided again on the way.
    # What is transparent has the figure's colour, so that averaging leaves no dark seam.
    size = ((x1 - x0) * SUPERSAMPLING, (y1 - y0) * SUPERSAMPLING)
    image = Image.new("CMYK", size, (*strokes[0].colour, 0))
    pen, fine = ImageDraw.Draw(image), scale * SUPERSAMPLING
    dx, dy = x0 * SUPERSAMPLING, y0 * SUPERSAMPLING
    for stroke in strokes:
        points = [(x * fine - dx, y * fine - dy) for x, y in stroke.points]
        _stroke(pen, stroke, points, max(1, round(stroke.width * fine)), (*stroke.colour, 255))
    return Patch(x0, y0, np.asarray(image.reduce(SUPERSAMPLING)))
