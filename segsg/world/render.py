"""From a scene to pixels, and what the pixels say about each pair of objects."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from segsg.world.brush import rasterise
from segsg.world.scene import Scene


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

    def mask(self, number: int) -> np.ndarray:
        """Where object `number` is seen: bool [side, side]."""
        return self.owner == number

    def extent(self, number: int) -> tuple[int, int, int, int]:
        """The box (x0, y0, x1, y1) around what is seen of an object that is seen at all."""
        mask = self.owner == number
        columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    def outline(self, number: int) -> np.ndarray:
        """Seen pixels next to pixels of something else, as float32 rows (y, x)."""
        x0, y0, x1, y1 = self.extent(number)
        mask = np.pad(self.owner[y0:y1, x0:x1] == number, 1)
        inner = mask[1:-1, 1:-1] & mask[2:, 1:-1] & mask[:-2, 1:-1] & mask[1:-1, 2:] & mask[1:-1, :-2]
        return np.argwhere(mask[1:-1, 1:-1] & ~inner).astype(np.float32) + np.float32([y0, x0])


def render(scene: Scene, side: int) -> Picture:
    """The scene as a photo of `side` x `side` pixels."""
    rng, count = scene.rng, len(scene.objects)
    canvas, owner = _background(rng, side), np.full((side, side), -1, np.int16)
    covers, full_area = np.zeros((count, count), np.int64), np.zeros(count, np.int64)
    textures = [_texture(rng) for _ in range(count)]
    layers = [(depth, i, strokes) for i, placed in enumerate(scene.objects) for depth, strokes in placed.layers]
    for _, i, strokes in sorted(layers, key=lambda layer: layer[:2]):
        patch = rasterise(strokes, side)
        if patch is not None:
            seen = _paint(canvas, owner, patch, i, textures[i])
            below = np.bincount(seen + 1, minlength=count + 1)[1:]
            covers[i] += below
            full_area[i] += len(seen) - below[i]
    np.fill_diagonal(covers, 0)
    area = np.bincount(owner.ravel() + 1, minlength=count + 1)[1:]
    return Picture(_photo(rng, canvas), owner, area, full_area, covers, _contact(owner, count))


def _texture(rng: np.random.Generator) -> tuple[float, ...]:
    """Strength and two slopes of shading, strength and two frequencies of stripes."""
    stripes = (0.0, 0.0, 0.06, 0.13)[rng.integers(4)]
    return (rng.uniform(0.1, 0.5), *rng.uniform(-1, 1, 2), stripes, *rng.uniform(-0.9, 0.9, 2))


def _paint(canvas, owner, patch, number: int, texture) -> np.ndarray:
    """Blend a patch in; returns what was seen before at each pixel that it takes over."""
    height, width = patch.rgba.shape[:2]
    window = np.s_[patch.y : patch.y + height, patch.x : patch.x + width]
    strength, slope_x, slope_y, stripes, frequency_x, frequency_y = texture
    rows, columns = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    shade = 1 + strength * (slope_x * (columns / width - 0.5) + slope_y * (rows / height - 0.5))
    if stripes:
        shade = shade * (1 + stripes * np.sign(np.sin(columns * frequency_x + rows * frequency_y)))
    alpha = patch.rgba[..., 3:] * np.float32(1 / 255)
    under = canvas[window]
    under += alpha * (patch.rgba[..., :3] * shade[..., None].astype(np.float32) - under)
    solid = patch.rgba[..., 3] >= 128
    before = owner[window][solid].astype(np.int64)
    owner[window][solid] = number
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
