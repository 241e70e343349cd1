"""Where to draw the nodes of a graph: near their objects in the photo, but far enough apart to read."""

import numpy as np
from jaxtyping import Float

STEPS = 300
PULL = 0.01
"""share of the way back to its object that a node goes in each step"""


def spread(points: Float[np.ndarray, "regions 2"], apart: tuple[float, float]) -> Float[np.ndarray, "regions 2"]:
    """`points` pushed away from each other until labels of width and height `apart` hardly overlap.

    Deterministic; points that coincide leave each other along directions that depend on their order alone.
    """
    turn = 2.4 * np.arange(len(points))
    places = points + 1e-3 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    for _ in range(STEPS):
        away = (places[:, None] - places[None]) / apart
        distance = np.linalg.norm(away, axis=2, keepdims=True) + np.eye(len(points))[..., None] * 2
        push = np.where(distance < 1, (1 - distance) * away / distance, 0).sum(axis=1)
        places = places + 0.15 * push * apart + PULL * (points - places)
    return places
