"""Cups and open containers. (x, y) is the middle of the lower edge."""

from segsg.world.figure import Figure, coin, colour, darker, gripped


def cup(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A goblet with an ear, or a teapot with a spout too."""
    metal, side, figure = colour(rng), coin(rng), Figure(name)
    shade, half = darker(metal), size * 0.3
    figure.back.arc(x + side * half, y - 0.62 * size, 0.27 * size, 0.22 * size, max(2.5, 0.1 * size), shade)
    if name == "teapot":
        figure.back.line(
            [(x - side * half, y - 0.45 * size), (x - side * size * 0.6, y - 0.75 * size)], 0.14 * size, shade
        )
        figure.back.ellipse(x, y - size, 0.1 * size, 0.08 * size, shade)
    figure.back.polygon(
        [
            (x - half * 0.8, y),
            (x + half * 0.8, y),
            (x + half * 0.3, y - 0.35 * size),
            (x - half * 0.3, y - 0.35 * size),
        ],
        shade,
    )
    figure.back.ellipse(x, y - 0.55 * size, half, 0.35 * size, metal)
    if name == "goblet":
        figure.back.block(x, y - 0.6 * size, half, 0.36 * size, metal)
        figure.back.ellipse(x, y - 0.96 * size, half, 0.09 * size, shade)
    return gripped(figure, (x, y - 0.5 * size), (x, y - size))


def vessel(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A bucket, or a tray, which is wider and flatter; the near wall is in `front`."""
    metal, figure = colour(rng), Figure(name)
    half, height = (0.56 * size, 0.5 * size) if name == "tray" else (0.44 * size, 0.72 * size)
    rim = y - height
    figure.back.arc(x, rim, half, 0.42 * size, 3, darker(metal, 0.6), 180, 360)
    figure.back.ellipse(x, rim, half, 0.13 * size, darker(metal, 0.5))
    figure.front.slice(x, rim, half, 0.13 * size, metal, 0, 180)
    figure.front.polygon([(x - half, rim), (x + half, rim), (x + half * 0.7, y), (x - half * 0.7, y)], metal)
    figure.front.line([(x - half * 0.9, y - 0.6 * height), (x + half * 0.9, y - 0.6 * height)], 2, darker(metal))
    figure.lengths |= {"rim": rim, "half": half * 0.8}
    return gripped(figure, (x, rim - 0.4 * size), (x, rim - 0.42 * size))


def case(rng, name: str, x: float, y: float, size: float) -> Figure:
    """An open crate or container, or a basket with a handle; the near wall is in `front`."""
    wood, figure = colour(rng), Figure(name)
    half, rim, depth = size * 0.5, y - 0.5 * size, 0.14 * size
    if name == "basket":
        figure.back.arc(x, rim - depth * 0.5, half * 0.8, 0.5 * size, 3, darker(wood), 180, 360)
    figure.back.polygon(
        [(x - half * 0.8, rim - depth), (x + half * 0.8, rim - depth), (x + half, rim), (x - half, rim)],
        darker(wood, 0.5),
    )
    foot = 0.75 if name == "basket" else 1.0
    figure.front.polygon([(x - half, rim), (x + half, rim), (x + half * foot, y), (x - half * foot, y)], wood)
    for share in (0.35, 0.7):
        height, wide = rim + share * (y - rim), half * (1 - share * (1 - foot)) * 0.95
        figure.front.line([(x - wide, height), (x + wide, height)], 1.6, darker(wood, 0.6))
    figure.lengths |= {"rim": rim, "half": half * 0.75}
    return gripped(figure, (x, rim), (x, rim - 0.5 * size - depth * 0.5))
