"""What boxes, and what masks, tell about a pair of objects: the inputs of the yardstick classifiers."""

import numpy as np

from segsg.world.images import Drawn
from segsg.world.relations import Pixels

GRID, SAMPLES = 6, 24
"""the union box is sampled at 24 x 24 points and averaged over a 6 x 6 grid"""


def box_features(first: np.ndarray, second: np.ndarray, side: int) -> np.ndarray:
    """Relative places and sizes of two annotated boxes."""
    (w1, h1), (w2, h2) = first[2:] - first[:2], second[2:] - second[:2]
    overlap = np.maximum(np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2]), 0)
    size1, size2, inside = np.tile([w1, h1], 2), np.tile([w2, h2], 2), overlap.prod()
    shifts = np.concatenate([(second - first) / size1, (first - second) / size2])
    shares = [inside / (w1 * h1), inside / (w2 * h2), np.log(w1 / w2), np.log(h1 / h2)]
    return np.array([*np.clip(shifts, -4, 4), *shares, *(second - first), *(first / side), *(second / side)])


def mask_features(drawn: Drawn, subject: int, object_: int) -> np.ndarray:
    """Contact, gap, who owns the overlap of the boxes, fill, and where in the union box each object is seen."""
    owner, boxes = drawn.picture.owner, drawn.annotation.boxes
    a, b = drawn.annotation.numbers[subject], drawn.annotation.numbers[object_]
    extents = [np.array(drawn.picture.extent(i)) for i in (a, b)]
    fills = [drawn.picture.area[i] / (box[2:] - box[:2]).prod() for i, box in zip((a, b), extents, strict=True)]
    lap0, lap1 = np.maximum(extents[0][:2], extents[1][:2]), np.minimum(extents[0][2:], extents[1][2:])
    lap = owner[lap0[1] : max(lap1[1], lap0[1]), lap0[0] : max(lap1[0], lap0[0])]
    shares = [(lap == i).mean() if lap.size else -1.0 for i in (a, b)]
    union = np.concatenate([np.minimum(*boxes[[subject, object_], :2]), np.maximum(*boxes[[subject, object_], 2:])])
    border, grid = _contact(owner, a, b, extents), _grid(owner, a, b, union)
    return np.array([Pixels(drawn.picture).gap(a, b), *fills, *shares, *border, *grid])


def _contact(owner: np.ndarray, a: int, b: int, extents: list[np.ndarray]) -> np.ndarray:
    """Length of the common border, and its middle and spread relative to both boxes."""
    (x0, y0), (x1, y1) = (
        (np.maximum(extents[0][:2], extents[1][:2]) - 1).clip(0),
        np.minimum(*(e[2:] for e in extents)) + 1,
    )
    window = owner[y0 : max(y1, y0), x0 : max(x1, x0)]
    is_a, is_b = window == a, window == b
    border = np.zeros_like(is_a)
    border[:, :-1] |= is_a[:, :-1] & is_b[:, 1:]
    border[:, 1:] |= is_a[:, 1:] & is_b[:, :-1]
    border[:-1] |= is_a[:-1] & is_b[1:]
    border[1:] |= is_a[1:] & is_b[:-1]
    points = np.argwhere(border)[:, ::-1] + [x0, y0]
    if not len(points):
        return np.array([0.0] + [np.nan] * 12)
    places = [(points - e[:2]) / (e[2:] - e[:2]) for e in extents]
    return np.array([len(points), *(v for p in places for q in (p.mean(0), p.min(0), p.max(0)) for v in q)])


def _grid(owner: np.ndarray, a: int, b: int, union: np.ndarray) -> np.ndarray:
    steps = (np.arange(SAMPLES) + 0.5) / SAMPLES
    last = len(owner) - 1
    columns, rows = ((union[i] + steps * (union[i + 2] - union[i])).astype(int).clip(0, last) for i in (0, 1))
    sampled, cell = owner[np.ix_(rows, columns)], SAMPLES // GRID
    return np.concatenate(
        [(sampled == i).reshape(GRID, cell, GRID, cell).mean((1, 3), dtype=np.float32).ravel() for i in (a, b)]
    )
