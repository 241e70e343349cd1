"""Small figures that people hold and furniture carries. (x, y) is the middle of the lower edge."""

import math

from segsg.world.figure import Figure, around, coin, colour, darker, draws


@draws("headwear", size=19)
def headwear(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """Draws a hat with a brim, or a helmet, on the figure."""
    felt, at = colour(rng), around(x, y, size)
    if figure.name == "hat":
        figure.back.ellipse(*at(0, -0.12), 0.58 * size, 0.13 * size, darker(felt))
        figure.back.polygon([at(-0.33, -0.12), at(-0.26, -0.62), at(0.26, -0.62), at(0.33, -0.12)], felt)
        figure.back.line([at(-0.31, -0.2), at(0.31, -0.2)], 0.1 * size, darker(felt, 0.5))
    else:
        figure.back.slice(*at(0, -0.08), 0.42 * size, 0.55 * size, felt, 180, 360)
        figure.back.line([at(-0.45, -0.08), at(0.45, -0.08)], 0.13 * size, darker(felt))
    figure.grip(at(0, -0.3), at(0, -0.62))


@draws("cloth", size=26)
def cloth(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A coat that hangs flat with its sleeves down, or a vest."""
    wool, at = colour(rng), around(x, y, size)
    figure.back.polygon([at(-0.3, -0.95), at(0, -1), at(0.3, -0.95), at(0.35, 0), at(-0.35, 0)], wool)
    if figure.name == "coat":
        for side in (-1, 1):
            figure.back.line([at(side * 0.27, -0.85), at(side * 0.48, -0.3)], 0.17 * size, darker(wool, 0.85))
    figure.back.line([at(0, -0.98), (x, y)], 1.6, darker(wool, 0.5))
    figure.grip(at(0, -0.95), at(0, -1))


@draws("bag", size=20)
def bag(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A bag with a bow for a handle, or luggage, which is squarer."""
    skin, at = colour(rng), around(x, y, size)
    foot = 0.42 if figure.name == "luggage" else 0.34
    figure.back.arc(*at(0, -0.62), 0.24 * size, 0.38 * size, max(3, 0.1 * size), darker(skin), 180, 360)
    figure.back.polygon([at(-0.42, -0.62), at(0.42, -0.62), at(foot, 0), at(-foot, 0)], skin)
    figure.back.line([at(-0.4, -0.4), at(0.4, -0.4)], 1.6, darker(skin, 0.5))
    figure.grip(at(0, -0.95), at(0, -1))


@draws("umbrella", size=34)
def umbrella(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """An open umbrella; the grip is at the lower end of its shaft."""
    silk, at = colour(rng), around(x, y, size)
    figure.back.line([(x, y - 2), at(0, -0.9)], 4.2, (70, 60, 55))
    figure.back.slice(*at(0, -0.55), 0.5 * size, 0.45 * size, silk, 180, 360)
    figure.back.slice(*at(0, -0.55), 0.18 * size, 0.45 * size, darker(silk, 1.3), 180, 360)
    figure.grip(at(0, -0.12), at(0, -1))


@draws("stick", size=38)
def stick(figure: Figure, rng, x: float, y: float, size: float, angle: float | None = None) -> None:
    """A thick rod whose lower end is (x, y); `angle` leans it to the right, in radians."""
    wood = colour(rng)
    angle = rng.uniform(-0.5, 0.5) if angle is None else angle

    def along(share):
        return x + share * size * math.sin(angle), y - 2.5 - share * (size - 5) * math.cos(angle)

    figure.back.line([along(0), along(1)], 5, wood)
    figure.back.line([along(0.75), along(1)], 5, darker(wood, 0.55))
    figure.grip(along(0.4), along(1))


@draws("ball", size=17)
def ball(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A pumpkin, or an apple: round, with ribs and a stalk."""
    tint = (int(rng.integers(190, 240)), int(rng.integers(70, 150)), int(rng.integers(20, 70)))
    skin, at = (tint if rng.random() < 0.6 else colour(rng)), around(x, y, size)
    figure.back.line([at(0, -0.8), at(0.08, -0.98)], 0.14 * size, (70, 110, 40))
    figure.back.ellipse(*at(0, -0.44), 0.5 * size, 0.44 * size, skin)
    if figure.name == "pumpkin":
        figure.back.ellipse(*at(0, -0.44), 0.3 * size, 0.43 * size, darker(skin, 0.85))
        figure.back.ellipse(*at(0, -0.44), 0.12 * size, 0.42 * size, skin)
    else:
        figure.back.ellipse(*at(-0.18, -0.56), 0.1 * size, 0.12 * size, darker(skin, 1.4))
    figure.grip(at(0, -0.44), at(0, -1))


@draws("sign", size=21)
def sign(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A poster or a placard: a board with two lines of writing."""
    paper, writing = colour(rng, 120, 250), colour(rng, 10, 120)
    half, height = (0.42 * size, size) if figure.name == "poster" else (0.5 * size, 0.8 * size)
    figure.back.block(x, y, half, height, paper)
    for share in (0.35, 0.65):
        figure.back.level(x, y - share * height, half * 0.65, 0.09 * size, writing)
    figure.lengths |= {"half": half, "height": height}
    figure.grip((x, y - 0.5 * height), (x, y - height))


@draws("wheel", size=24)
def wheel(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A spoked wheel, or a tire, which is thicker and has no spokes."""
    steel, radius = colour(rng, 20, 140), size / 2
    figure.back.arc(x, y - radius, radius, radius, (0.26 if figure.name == "tire" else 0.18) * size, steel)
    turn = rng.uniform(0, math.pi)
    for spoke in range(0 if figure.name == "tire" else 2):
        dx, dy = math.cos(turn + spoke * math.pi / 2), math.sin(turn + spoke * math.pi / 2)
        ends = [(x + end * radius * dx, y - radius + end * radius * dy) for end in (-0.8, 0.8)]
        figure.back.line(ends, max(3, 0.14 * size), darker(steel, 1.7))
    figure.grip((x, y - radius), (x, y - size))


@draws("cup", size=17)
def cup(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A goblet with an ear, or a teapot with a spout too."""
    metal, side, at = colour(rng), coin(rng), around(x, y, size)
    shade, half = darker(metal), size * 0.3
    figure.back.arc(x + side * half, y - 0.62 * size, 0.27 * size, 0.22 * size, max(2.5, 0.1 * size), shade)
    if figure.name == "teapot":
        figure.back.line([(x - side * half, y - 0.45 * size), at(-side * 0.6, -0.75)], 0.14 * size, shade)
        figure.back.ellipse(*at(0, -1), 0.1 * size, 0.08 * size, shade)
    figure.back.trapezoid(x, (half * 0.8, y), (half * 0.3, y - 0.35 * size), shade)
    figure.back.ellipse(*at(0, -0.55), half, 0.35 * size, metal)
    if figure.name == "goblet":
        figure.back.block(*at(0, -0.6), half, 0.36 * size, metal)
        figure.back.ellipse(*at(0, -0.96), half, 0.09 * size, shade)
    figure.grip(at(0, -0.5), at(0, -1))


@draws("vessel", size=21)
def vessel(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A bucket, or a tray, which is wider and flatter; the near wall is in `front`."""
    metal = colour(rng)
    half, height = (0.56 * size, 0.5 * size) if figure.name == "tray" else (0.44 * size, 0.72 * size)
    rim = y - height
    figure.back.arc(x, rim, half, 0.42 * size, 3, darker(metal, 0.6), 180, 360)
    figure.back.ellipse(x, rim, half, 0.13 * size, darker(metal, 0.5))
    figure.front.slice(x, rim, half, 0.13 * size, metal, 0, 180)
    figure.front.trapezoid(x, (half, rim), (half * 0.7, y), metal)
    figure.front.level(x, y - 0.6 * height, half * 0.9, 2, darker(metal))
    figure.lengths |= {"rim": rim, "half": half * 0.8}
    figure.grip((x, rim - 0.4 * size), (x, rim - 0.42 * size))


@draws("case", size=25)
def case(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """An open crate or container, or a basket with a handle; the near wall is in `front`."""
    wood = colour(rng)
    half, rim, depth = size * 0.5, y - 0.5 * size, 0.14 * size
    if figure.name == "basket":
        figure.back.arc(x, rim - depth * 0.5, half * 0.8, 0.5 * size, 3, darker(wood), 180, 360)
    figure.back.trapezoid(x, (half * 0.8, rim - depth), (half, rim), darker(wood, 0.5))
    foot = 0.75 if figure.name == "basket" else 1.0
    figure.front.trapezoid(x, (half, rim), (half * foot, y), wood)
    for share in (0.35, 0.7):
        wide = half * (1 - share * (1 - foot)) * 0.95
        figure.front.level(x, rim + share * (y - rim), wide, 1.6, darker(wood, 0.6))
    figure.lengths |= {"rim": rim, "half": half * 0.75}
    figure.grip((x, rim), (x, rim - 0.5 * size - depth * 0.5))
