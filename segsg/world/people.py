"""People with jointed arms."""

import math
from dataclasses import dataclass

import numpy as np

from segsg.world.brush import Point
from segsg.world.figure import Figure, colour, darker

ARM = 0.185
"""length of the upper arm and of the forearm, as a share of the height"""
PEOPLE = ("man", "woman", "boy", "girl")


@dataclass(frozen=True)
class Arm:
    """Angles of upper arm and forearm in radians: 0 hangs down, pi/2 points outwards, pi up; negative inwards."""

    upper: float
    fore: float

    def points(self, shoulder: Point, side: int, height: float) -> list[Point]:
        """Shoulder, elbow and hand."""
        points = [shoulder]
        for angle in (self.upper, self.fore):
            x, y = points[-1]
            length = ARM * height
            points.append((x + side * length * math.sin(angle), y + length * math.cos(angle)))
        return points


def relaxed_arm(rng: np.random.Generator) -> Arm:
    """An arm in some everyday position."""
    upper = rng.uniform(0.2, 1.0)
    return Arm(upper, rng.uniform(-0.2, 0.9) if rng.random() < 0.6 else rng.uniform(1.6, 2.7))


def person(rng, name: str, x: float, y: float, height: float, arms=(None, None), pose: str = "stand") -> Figure:
    """A person whose feet are at (x, y); `arms` are left and right. Poses: stand, ride, sit."""
    kind = name if name in PEOPLE else PEOPLE[rng.integers(4)]
    child, skirt = kind in ("boy", "girl"), kind in ("woman", "girl")
    head = (0.125 if child else 0.095) * height
    skin = darker((232, 186, 150), rng.uniform(0.5, 1.08))
    shirt, trousers, hair = colour(rng), colour(rng, 20, 170), colour(rng, 10, 130)
    half = (0.11 if skirt else 0.125) * height
    shoulder, hip, head_y = y - height + 2.15 * head, y - 0.42 * height, y - height + head
    figure = Figure(name)
    _legs(figure, rng, pose, (x, hip, y), height, trousers)
    flare = 1.45 if skirt else 0.85
    figure.back.polygon(
        [
            (x - half, shoulder),
            (x + half, shoulder),
            (x + half * flare, hip + 0.06 * height),
            (x - half * flare, hip + 0.06 * height),
        ],
        shirt,
    )
    width = 0.075 * height
    for side, arm, mark in zip((-1, 1), arms, ("left", "right"), strict=True):
        joints = (arm or relaxed_arm(rng)).points((x + side * half * 0.85, shoulder + width * 0.5), side, height)
        figure.back.line(joints[:2], width, darker(shirt, 0.85))
        figure.back.line(joints[1:], width * 0.9, skin)
        figure.back.ellipse(*joints[2], width * 0.7, width * 0.7, skin)
        figure.marks |= {f"{mark} hand": joints[2], f"{mark} elbow": joints[1], f"{mark} shoulder": joints[0]}
    if skirt:
        figure.back.ellipse(x, head_y, head * 1.25, head * 1.2, hair)
        for side in (-1, 1):
            figure.back.line(
                [(x + side * 0.95 * head, head_y), (x + side * 1.0 * head, head_y + head)], 0.5 * head, hair
            )
    figure.back.ellipse(x, head_y, head, head, skin)
    figure.back.slice(x, head_y - 0.05 * head, head * 1.05, head * 1.05, hair, 190, 350)
    for side in (-1, 1):
        figure.back.ellipse(x + side * 0.38 * head, head_y + 0.2 * head, 0.13 * head, 0.16 * head, (25, 25, 30))
    figure.marks |= {"head": (x, head_y), "chest": (x, shoulder), "hip": (x, hip)}
    figure.lengths |= {"head": head, "half": half, "limb": width, "height": height}
    figure.lengths |= {f"skin {i}": value for i, value in enumerate(skin)} | {
        f"hair {i}": v for i, v in enumerate(hair)
    }
    return figure


def _legs(figure: Figure, rng, pose: str, place: tuple[float, float, float], height: float, trousers) -> None:
    x, hip, y = place
    width = 0.09 * height
    if pose == "stand":
        spread = rng.uniform(0.06, 0.1) * height
        for side in (-1, 1):
            figure.back.line([(x + side * 0.05 * height, hip), (x + side * spread, y - width / 2)], width, trousers)
        return
    reach = 0.1 if pose == "ride" else 0.14
    for side, sketch in ((-1, figure.back), (1, figure.front)):
        knee = (x + side * reach * height, hip + 0.16 * height)
        foot = (x + side * (reach - 0.03) * height, hip + 0.4 * height)
        sketch.line([(x + side * 0.04 * height, hip + 0.01 * height), knee, foot], width, trousers)


def skin_of(figure: Figure, part: str = "skin") -> tuple[int, int, int]:
    """The colour of a person's skin or hair."""
    return tuple(int(figure.lengths[f"{part} {i}"]) for i in range(3))
