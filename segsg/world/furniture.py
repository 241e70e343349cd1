"""Figures that hold a scene together: tables, seats, carts, posts, trees and frames.

Where a figure has legs or walls on its far side they are in `back`, and the near ones in `front`: what stands
under a table is painted between the two.
"""

from segsg.world.figure import Figure, coin, colour, darker

LEG = 5.0
"""thickness of legs, in world units: two cells of a 28 x 28 mask of a figure of 70 units"""


def table(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A table seen a little from above; `size` is its width."""
    wood, half, depth = colour(rng), size / 2, 0.15 * size
    far, near = y - 0.5 * size - depth, y - 0.5 * size
    figure = Figure(name)
    for side in (-1, 1):
        figure.back.line([(x + side * 0.62 * half, near), (x + side * 0.62 * half, y - depth)], LEG, darker(wood, 0.6))
        figure.front.line(
            [(x + side * (half - LEG / 2), near), (x + side * (half - LEG / 2), y - LEG / 2)], LEG, darker(wood)
        )
    figure.front.polygon(
        [(x - half + depth * 0.7, far), (x + half - depth * 0.7, far), (x + half, near), (x - half, near)], wood
    )
    figure.front.polygon(
        [(x - half, near), (x + half, near), (x + half, near + LEG), (x - half, near + LEG)], darker(wood)
    )
    return _surface(figure, (far, near), half - depth * 0.5, near + LEG)


def bench(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A long seat with an open back of slats."""
    wood, half, depth = colour(rng), size / 2, 0.12 * size
    near = y - 0.32 * size
    far, top = near - depth, near - depth - 0.33 * size
    figure = Figure(name)
    for side in (-1, 1):
        figure.back.line([(x + side * 0.8 * half, top), (x + side * 0.8 * half, y - depth)], LEG, darker(wood, 0.6))
        figure.front.line(
            [(x + side * (half - LEG / 2), near), (x + side * (half - LEG / 2), y - LEG / 2)], LEG, darker(wood)
        )
    for height in (top + LEG / 2, (top + far) / 2):
        figure.back.line([(x - half * 0.9, height), (x + half * 0.9, height)], LEG, darker(wood, 0.85))
    figure.front.polygon([(x - half * 0.9, far), (x + half * 0.9, far), (x + half, near), (x - half, near)], wood)
    figure.front.polygon(
        [(x - half, near), (x + half, near), (x + half, near + LEG), (x - half, near + LEG)], darker(wood)
    )
    return _surface(figure, (far, near), half * 0.85, near + LEG)


def armchair(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A padded chair with arms; a recliner has a foot rest too."""
    cloth, half = colour(rng), size * 0.4
    near, top = y - 0.34 * size, y - size
    figure = Figure(name)
    figure.back.ellipse(x, top + 0.2 * size, half * 0.85, 0.2 * size, darker(cloth, 0.8))
    figure.back.block(x, y - 0.1 * size, half * 0.85, 0.7 * size, darker(cloth, 0.8))
    figure.front.polygon(
        [
            (x - half * 0.7, near - 0.14 * size),
            (x + half * 0.7, near - 0.14 * size),
            (x + half * 0.8, near),
            (x - half * 0.8, near),
        ],
        darker(cloth, 1.1),
    )
    figure.front.block(x, y - 0.08 * size, half * 0.8, 0.27 * size, cloth)
    for side in (-1, 1):
        figure.front.line(
            [(x + side * half * 0.9, near - 0.16 * size), (x + side * half * 0.9, y - 0.1 * size)],
            0.16 * size,
            darker(cloth, 0.9),
        )
        figure.front.line(
            [(x + side * half * 0.7, y - 0.08 * size), (x + side * half * 0.7, y - 2)], 4, darker(cloth, 0.5)
        )
    if name == "recliner":
        side = coin(rng)
        figure.front.line(
            [(x, near + 0.06 * size), (x + side * half * 1.5, near + 0.14 * size)], 0.13 * size, darker(cloth, 1.1)
        )
    return _surface(figure, (near - 0.14 * size, near), half * 0.6, y)


def cart(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A handcart without its wheels; marks `axle left` and `axle right`, where caps are painted in front."""
    wood, half = colour(rng), size / 2
    floor, side = y - 0.22 * size, coin(rng)
    near = floor - 0.24 * size
    figure = Figure(name)
    figure.back.line(
        [(x + side * 0.45 * size, floor - 0.1 * size), (x + side * 0.72 * size, near - 0.2 * size)],
        LEG,
        darker(wood, 0.6),
    )
    figure.back.polygon(
        [
            (x - half * 0.85, near - 0.12 * size),
            (x + half * 0.85, near - 0.12 * size),
            (x + half, near),
            (x - half, near),
        ],
        darker(wood, 0.5),
    )
    figure.back.polygon([(x - half, near), (x + half, near), (x + half * 0.85, floor), (x - half * 0.85, floor)], wood)
    figure.back.line([(x - half * 0.85, (near + floor) / 2), (x + half * 0.85, (near + floor) / 2)], 2, darker(wood))
    for mark, offset in (("axle left", -0.5), ("axle right", 0.5)):
        figure.back.line([(x + offset * half, floor - 2), (x + offset * half, floor + 3)], LEG, darker(wood, 0.6))
        figure.marks[mark] = (x + offset * half, floor + 2)
    return _surface(figure, (near - 0.12 * size, near), half * 0.8, floor)


def _surface(figure: Figure, edges: tuple[float, float], half: float, underside: float) -> Figure:
    figure.lengths |= {"far": edges[0], "near": edges[1], "half": half, "underside": underside}
    return figure


def post(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A post with two brackets, or a column with a capital that juts out as far."""
    paint, half = colour(rng), 4.8 if name == "column" else 3.6
    figure = Figure(name)
    figure.back.block(x, y, half, size, paint)
    figure.back.block(x, y, half * 2, 4, darker(paint))
    for side, mark in ((-1, "hook left"), (1, "hook right")):
        height, reach = y - size * rng.uniform(0.66, 0.95), rng.uniform(10, 20)
        figure.back.line([(x, height), (x + side * reach, height)], 4.5, darker(paint, 0.85))
        figure.marks[mark] = (x + side * (reach - 1), height)
    figure.back.ellipse(x, y - size, half * 1.5, 3.5, darker(paint, 0.85))
    figure.lengths |= {"half": half, "height": size}
    return figure


def tree(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A trunk with two branches and a crown; a shrub's trunk is short and its crown wide."""
    bark = (int(rng.integers(75, 125)), int(rng.integers(45, 85)), int(rng.integers(20, 50)))
    leaf = (int(rng.integers(20, 110)), int(rng.integers(100, 190)), int(rng.integers(20, 90)))
    bare = (0.42 if name == "shrub" else 0.58) * size
    figure, half = Figure(name), 4.5
    figure.back.polygon(
        [(x - half, y), (x - half * 0.8, y - bare - 6), (x + half * 0.8, y - bare - 6), (x + half, y)], bark
    )
    for side, mark in ((-1, "hook left"), (1, "hook right")):
        height, reach = y - bare * rng.uniform(0.7, 0.95), rng.uniform(12, 20)
        figure.back.line([(x, height + 5), (x + side * reach, height)], 4.5, bark)
        figure.marks[mark] = (x + side * (reach - 1), height)
    crown, lean = size - bare, rng.uniform(-7, 7)
    for _ in range(7):
        radius = rng.uniform(0.36, 0.5) * crown
        cx, cy = x + lean + rng.uniform(-0.6, 0.6) * crown, y - size + radius + rng.uniform(0, 0.5) * (crown - radius)
        figure.back.ellipse(cx, cy, radius, radius * 0.9, darker(leaf, rng.uniform(0.8, 1.2)))
    figure.lengths |= {"half": half, "height": bare}
    return figure


def frame(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A hollow frame that stands upright; its near lower lip is in `front`."""
    wood, thick = colour(rng), 6.0
    half = size * (0.36 if name == "doorway" else 0.45) * rng.uniform(0.9, 1.15)
    figure = Figure(name)
    corners = [(x - half, y - thick / 2), (x - half, y - size), (x + half, y - size), (x + half, y - thick / 2)]
    figure.back.line([*corners, corners[0]], thick, wood)
    figure.back.line([corners[1], corners[2]], thick * 0.4, darker(wood, 1.3))
    figure.front.line([corners[0], corners[3]], thick * 0.75, darker(wood, 0.8))
    figure.lengths |= {"half": half - thick / 2, "top": y - size + thick / 2, "floor": y - thick}
    return figure
