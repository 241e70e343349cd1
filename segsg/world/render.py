"""From a scene to pixels with soft edges, and which predicate the pixels of a pair bear out."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from segsg.world.classes import ENGAGED, TOUCHING
from segsg.world.figure import UNITS, Point, Stroke
from segsg.world.scene import Scene

SUPERSAMPLING = 2
ENGAGED_AREA, TOUCHING_LENGTH, OCCLUSION_AREA = 3, 2, 14
NEAR_GAP = (7, 26)
"""this and the line above: lengths and areas for a photo of 160 x 160 pixels; they grow with its side"""


@dataclass(frozen=True)
class Picture:
    """`owner` [side, side] is the object seen at each pixel, -1 for background.

    `area` [objects] counts seen pixels and `full_area` painted ones. `covers[a, b]` counts pixels at which a was
    painted directly over b. `contact[a, b]` counts neighbouring pixels of which one shows a and the other b.
    """

    photo: np.ndarray
    owner: np.ndarray
    area: np.ndarray
    full_area: np.ndarray
    covers: np.ndarray
    contact: np.ndarray

    @property
    def unit(self) -> float:
        """Pixels of the photo per world unit."""
        return len(self.owner) / UNITS

    def mask(self, number: int) -> np.ndarray:
        """Where object `number` is seen: bool [side, side]."""
        return self.owner == number

    def extent(self, number: int) -> tuple[int, int, int, int]:
        """The box (x0, y0, x1, y1) around what is seen of an object that is seen at all."""
        mask = self.mask(number)
        columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    def outline(self, number: int) -> np.ndarray:
        """Seen pixels next to pixels of something else, as float32 rows (y, x)."""
        x0, y0, x1, y1 = self.extent(number)
        mask = np.pad(self.owner[y0:y1, x0:x1] == number, 1)
        inner = mask[1:-1, 1:-1] & mask[2:, 1:-1] & mask[:-2, 1:-1] & mask[1:-1, 2:] & mask[1:-1, :-2]
        return np.argwhere(mask[1:-1, 1:-1] & ~inner).astype(np.float32) + np.float32([y0, x0])

    def before(self, a: int, b: int) -> bool:
        """Whether object a lies in front of b: a hides a part of b, and b hides almost nothing of a."""
        hidden = self.covers[a, b]
        return bool(hidden >= OCCLUSION_AREA * self.unit**2 and self.covers[b, a] < 0.25 * hidden)

    def gap(self, a: int, b: int) -> float:
        """The distance between the seen parts in pixels, to within a pixel."""
        if not (self.area[a] and self.area[b]):
            return np.inf
        first, second = self.outline(a)[::2], self.outline(b)
        across = (first[:, :1] - second[:, 0]) ** 2 + (first[:, 1:] - second[:, 1]) ** 2
        return float(np.sqrt(across.min()))

    def predicate(self, subject: int, meant: str, object_: int) -> str | None:
        """The true predicate of two objects: the one that was meant if the pixels agree, else `incidental`."""
        touching = self.contact[subject, object_] >= TOUCHING_LENGTH * self.unit
        shared = min(self.covers[subject, object_], self.covers[object_, subject])
        engaged = touching and shared >= ENGAGED_AREA * self.unit**2
        if (meant in ENGAGED and engaged) or (meant in TOUCHING and touching):
            return meant
        return self.incidental(subject, object_)

    def incidental(self, subject: int, object_: int) -> str | None:
        """The true predicate of two objects that no template related: "in front of", "behind", "near" or None.

        Objects are near each other if there is a gap between their seen parts that a coarse mask can show.
        """
        if self.before(subject, object_):
            return "in front of"
        if self.before(object_, subject):
            return "behind"
        near = NEAR_GAP[0] * self.unit <= self.gap(subject, object_) <= NEAR_GAP[1] * self.unit
        return "near" if near else None


def render(scene: Scene, side: int) -> Picture:
    """The scene as a photo of `side` x `side` pixels."""
    rng, count = scene.rng, len(scene.objects)
    canvas, owner = _background(rng, side), np.full((side, side), -1, np.int16)
    covers, full_area = np.zeros((count, count), np.int64), np.zeros(count, np.int64)
    textures = [_texture(rng) for _ in range(count)]
    layers = [(depth, i, strokes) for i, placed in enumerate(scene.objects) for depth, strokes in placed.layers]
    for _, i, strokes in sorted(layers, key=lambda layer: layer[:2]):
        if layer := rasterise(strokes, side):
            window, rgba = layer
            seen = _paint(canvas[window], owner[window], rgba, i, textures[i])
            below = np.bincount(seen + 1, minlength=count + 1)[1:]
            covers[i] += below
            full_area[i] += len(seen) - below[i]
    np.fill_diagonal(covers, 0)
    area = np.bincount(owner.ravel() + 1, minlength=count + 1)[1:]
    return Picture(_photo(rng, canvas), owner, area, full_area, covers, _contact(owner, count))


def rasterise(strokes: list[Stroke], side: int) -> tuple[tuple[slice, slice], np.ndarray] | None:
    """(part of a photo of `side` pixels, the strokes there as uint8 [h, w, 4]); None if nothing falls on the photo."""
    scale = side / UNITS
    xs, ys = zip(*(point for stroke in strokes for point in stroke.points), strict=True)
    reach = max(stroke.width if stroke.kind == "line" else 0.0 for stroke in strokes) / 2
    x0, y0 = (max(0, int(scale * (min(values) - reach)) - 1) for values in (xs, ys))
    x1, y1 = (min(side, int(scale * (max(values) + reach)) + 2) for values in (xs, ys))
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
        _stroke(pen, stroke, points, max(1, round(stroke.width * fine)))
    return np.s_[y0:y1, x0:x1], np.asarray(image.reduce(SUPERSAMPLING))


def _stroke(pen: ImageDraw.ImageDraw, stroke: Stroke, points: list[Point], width: int) -> None:
    ink = (*stroke.colour, 255)
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


def _texture(rng: np.random.Generator) -> tuple[float, ...]:
    """Strength and two slopes of shading, strength and two frequencies of stripes."""
    stripes = (0.0, 0.0, 0.06, 0.13)[rng.integers(4)]
    return (rng.uniform(0.1, 0.5), *rng.uniform(-1, 1, 2), stripes, *rng.uniform(-0.9, 0.9, 2))


def _paint(canvas: np.ndarray, owner: np.ndarray, rgba: np.ndarray, number: int, texture) -> np.ndarray:
    """Blend a layer into its part of the photo; returns what was seen before at each pixel that it takes over."""
    height, width = owner.shape
    strength, slope_x, slope_y, stripes, frequency_x, frequency_y = texture
    rows, columns = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    shade = 1 + strength * (slope_x * (columns / width - 0.5) + slope_y * (rows / height - 0.5))
    if stripes:
        shade = shade * (1 + stripes * np.sign(np.sin(columns * frequency_x + rows * frequency_y)))
    canvas += rgba[..., 3:] * np.float32(1 / 255) * (rgba[..., :3] * shade[..., None].astype(np.float32) - canvas)
    solid = rgba[..., 3] >= 128
    before = owner[solid].astype(np.int64)
    owner[solid] = number
    return before


def _background(rng: np.random.Generator, side: int) -> np.ndarray:
    """A wall and a floor, uneven and with patches on them: float32 [side, side, 3]."""
    horizon = int(rng.uniform(0.34, 0.5) * side)
    ramp = np.linspace(0, 1, side, dtype=np.float32)[:, None, None]
    wall, floor = rng.uniform(100, 240, 3).astype(np.float32), rng.uniform(70, 220, 3).astype(np.float32)
    column = np.where(np.arange(side)[:, None, None] < horizon, wall * (1 - 0.2 * ramp), floor * (0.75 + 0.3 * ramp))
    blotches = Image.fromarray(1 + 0.05 * rng.standard_normal((9, 9), dtype=np.float32))
    canvas = column * np.asarray(blotches.resize((side, side), Image.Resampling.BILINEAR))[..., None]
    for _ in range(rng.integers(3, 8)):
        x, y, width, height = (rng.uniform([0, 0, 0.03, 0.03], [1, 1, 0.22, 0.22]) * side).astype(int)
        canvas[y : y + height, x : x + width] *= np.float32(rng.uniform(0.75, 1.2))
    return np.ascontiguousarray(canvas, np.float32)


def _photo(rng: np.random.Generator, canvas: np.ndarray) -> np.ndarray:
    """Exposure and sensor noise: uint8 [side, side, 3]."""
    grain = rng.standard_normal(canvas.shape[:2], dtype=np.float32) * np.float32(rng.uniform(2, 6))
    exposed = canvas * np.float32(rng.uniform(0.85, 1.1)) + grain[..., None]
    return np.clip(exposed, 0, 255).astype(np.uint8)


def _contact(owner: np.ndarray, count: int) -> np.ndarray:
    pairs = np.zeros(count * count, np.int64)
    for one, other in ((owner[:, :-1], owner[:, 1:]), (owner[:-1], owner[1:])):
        touching = (one != other) & (one >= 0) & (other >= 0)
        pairs += np.bincount(one[touching].astype(np.int64) * count + other[touching], minlength=count * count)
    matrix = pairs.reshape(count, count)
    return matrix + matrix.T
