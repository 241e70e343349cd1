"""Small figures that people hold and furniture carries. (x, y) is the middle of the lower edge."""

import math

from segsg.world.figure import Figure, colour, darker, gripped


def headwear(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A hat with a brim, or a helmet."""
    felt, figure = colour(rng), Figure(name)
    if name == "hat":
        figure.back.ellipse(x, y - 0.12 * size, 0.58 * size, 0.13 * size, darker(felt))
        figure.back.polygon(
            [
                (x - 0.33 * size, y - 0.12 * size),
                (x - 0.26 * size, y - 0.62 * size),
                (x + 0.26 * size, y - 0.62 * size),
                (x + 0.33 * size, y - 0.12 * size),
            ],
            felt,
        )
        figure.back.line(
            [(x - 0.31 * size, y - 0.2 * size), (x + 0.31 * size, y - 0.2 * size)], 0.1 * size, darker(felt, 0.5)
        )
    else:
        figure.back.slice(x, y - 0.08 * size, 0.42 * size, 0.55 * size, felt, 180, 360)
        figure.back.line(
            [(x - 0.45 * size, y - 0.08 * size), (x + 0.45 * size, y - 0.08 * size)], 0.13 * size, darker(felt)
        )
    return gripped(figure, (x, y - 0.3 * size), (x, y - 0.62 * size))


def cloth(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A coat that hangs flat with its sleeves down, or a vest."""
    wool, figure = colour(rng), Figure(name)
    figure.back.polygon(
        [
            (x - 0.3 * size, y - 0.95 * size),
            (x, y - size),
            (x + 0.3 * size, y - 0.95 * size),
            (x + 0.35 * size, y),
            (x - 0.35 * size, y),
        ],
        wool,
    )
    if name == "coat":
        for side in (-1, 1):
            figure.back.line(
                [(x + side * 0.27 * size, y - 0.85 * size), (x + side * 0.48 * size, y - 0.3 * size)],
                0.17 * size,
                darker(wool, 0.85),
            )
    figure.back.line([(x, y - 0.98 * size), (x, y)], 1.6, darker(wool, 0.5))
    return gripped(figure, (x, y - 0.95 * size), (x, y - size))


def bag(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A bag with a bow for a handle, or luggage, which is squarer."""
    skin, figure = colour(rng), Figure(name)
    foot = 0.42 if name == "luggage" else 0.34
    figure.back.arc(x, y - 0.62 * size, 0.24 * size, 0.38 * size, max(3, 0.1 * size), darker(skin), 180, 360)
    figure.back.polygon(
        [
            (x - 0.42 * size, y - 0.62 * size),
            (x + 0.42 * size, y - 0.62 * size),
            (x + foot * size, y),
            (x - foot * size, y),
        ],
        skin,
    )
    figure.back.line([(x - 0.4 * size, y - 0.4 * size), (x + 0.4 * size, y - 0.4 * size)], 1.6, darker(skin, 0.5))
    return gripped(figure, (x, y - 0.95 * size), (x, y - size))


def umbrella(rng, name: str, x: float, y: float, size: float) -> Figure:
    """An open umbrella; the grip is at the lower end of its shaft."""
    silk, figure = colour(rng), Figure(name)
    figure.back.line([(x, y - 2), (x, y - 0.9 * size)], 4.2, (70, 60, 55))
    figure.back.slice(x, y - 0.55 * size, 0.5 * size, 0.45 * size, silk, 180, 360)
    figure.back.slice(x, y - 0.55 * size, 0.18 * size, 0.45 * size, darker(silk, 1.3), 180, 360)
    return gripped(figure, (x, y - 0.12 * size), (x, y - size))


def stick(rng, name: str, x: float, y: float, size: float, angle: float | None = None) -> Figure:
    """A thick rod whose lower end is (x, y); `angle` leans it to the right, in radians."""
    wood, figure = colour(rng), Figure(name)
    angle = rng.uniform(-0.5, 0.5) if angle is None else angle

    def along(share):
        return x + share * size * math.sin(angle), y - 2.5 - share * (size - 5) * math.cos(angle)

    figure.back.line([along(0), along(1)], 5, wood)
    figure.back.line([along(0.75), along(1)], 5, darker(wood, 0.55))
    return gripped(figure, along(0.4), along(1))


def ball(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A pumpkin, or an apple: round, with ribs and a stalk."""
    tint = (int(rng.integers(190, 240)), int(rng.integers(70, 150)), int(rng.integers(20, 70)))
    skin, figure = (tint if rng.random() < 0.6 else colour(rng)), Figure(name)
    figure.back.line([(x, y - 0.8 * size), (x + 0.08 * size, y - 0.98 * size)], 0.14 * size, (70, 110, 40))
    figure.back.ellipse(x, y - 0.44 * size, 0.5 * size, 0.44 * size, skin)
    if name == "pumpkin":
        figure.back.ellipse(x, y - 0.44 * size, 0.3 * size, 0.43 * size, darker(skin, 0.85))
        figure.back.ellipse(x, y - 0.44 * size, 0.12 * size, 0.42 * size, skin)
    else:
        figure.back.ellipse(x - 0.18 * size, y - 0.56 * size, 0.1 * size, 0.12 * size, darker(skin, 1.4))
    return gripped(figure, (x, y - 0.44 * size), (x, y - size))


def sign(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A poster or a placard: a board with two lines of writing."""
    paper, writing, figure = colour(rng, 120, 250), colour(rng, 10, 120), Figure(name)
    half, height = (0.42 * size, size) if name == "poster" else (0.5 * size, 0.8 * size)
    figure.back.block(x, y, half, height, paper)
    for share in (0.35, 0.65):
        figure.back.line(
            [(x - half * 0.65, y - share * height), (x + half * 0.65, y - share * height)], 0.09 * size, writing
        )
    figure.lengths |= {"half": half, "height": height}
    return gripped(figure, (x, y - 0.5 * height), (x, y - height))


def wheel(rng, name: str, x: float, y: float, size: float) -> Figure:
    """A spoked wheel, or a tire, which is thicker and has no spokes."""
    steel, radius, figure = colour(rng, 20, 140), size / 2, Figure(name)
    figure.back.arc(x, y - radius, radius, radius, (0.26 if name == "tire" else 0.18) * size, steel)
    turn = rng.uniform(0, math.pi)
    for spoke in range(0 if name == "tire" else 2):
        dx, dy = math.cos(turn + spoke * math.pi / 2), math.sin(turn + spoke * math.pi / 2)
        ends = [
            (x - 0.8 * radius * dx, y - radius - 0.8 * radius * dy),
            (x + 0.8 * radius * dx, y - radius + 0.8 * radius * dy),
        ]
        figure.back.line(ends, max(3, 0.14 * size), darker(steel, 1.7))
    return gripped(figure, (x, y - radius), (x, y - size))
