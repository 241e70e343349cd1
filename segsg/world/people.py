"""People with jointed arms, and templates around them. Each alternative of a template leaves almost the same boxes."""

import math
from dataclasses import dataclass

import numpy as np

from segsg.world.classes import FAMILY
from segsg.world.figure import Figure, Point, coin, colour, darker, draws
from segsg.world.scene import BEFORE, BETWEEN, Placed, Scene

ARM = 0.185
"""length of the upper arm and of the forearm, as a share of the height"""
PEOPLE = ("man", "woman", "boy", "girl")
SIDES = {-1: "left", 1: "right"}
HELD = ("bag", "umbrella", "stick", "ball", "cup", "vessel", "headwear", "cloth", "sign", "case")
HOLDING = {"holding": 0.32, "near": 0.28, "in front of": 0.2, "behind": 0.2}
WEARING = {"wearing": 0.42, "near": 0.12, "in front of": 0.26, "behind": 0.2}


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


@draws("people")
def person(figure: Figure, rng, x: float, y: float, height: float, arms=(None, None), pose: str = "stand") -> None:
    """A person whose feet are at (x, y); `arms` are left and right. Poses: stand, ride, sit."""
    kind = figure.name if figure.name in PEOPLE else PEOPLE[rng.integers(4)]
    child, skirt = kind in ("boy", "girl"), kind in ("woman", "girl")
    head = (0.125 if child else 0.095) * height
    skin = darker((232, 186, 150), rng.uniform(0.5, 1.08))
    shirt, trousers, hair = colour(rng), colour(rng, 20, 170), colour(rng, 10, 130)
    half = (0.11 if skirt else 0.125) * height
    shoulder, hip, head_y = y - height + 2.15 * head, y - 0.42 * height, y - height + head
    figure.colours |= {"skin": skin, "hair": hair}
    figure.marks |= {"head": (x, head_y), "chest": (x, shoulder), "hip": (x, hip)}
    figure.lengths |= {"head": head, "half": half, "limb": 0.075 * height, "height": height}
    _legs(figure, rng, pose, y, trousers)
    figure.back.trapezoid(x, (half, shoulder), (half * (1.45 if skirt else 0.85), hip + 0.06 * height), shirt)
    for side, arm in zip((-1, 1), arms, strict=True):
        _arm(figure, side, arm or relaxed_arm(rng), darker(shirt, 0.85))
    _head(figure, skirt)


def _legs(figure: Figure, rng, pose: str, y: float, trousers) -> None:
    (x, hip), height = figure.marks["hip"], figure.lengths["height"]
    width = 0.09 * height
    if pose == "stand":
        spread = rng.uniform(0.06, 0.1) * height
        figure.back.twins(x, [(0.05 * height, hip), (spread, y - width / 2)], width, trousers)
        return
    reach = 0.1 if pose == "ride" else 0.14
    for side, sketch in ((-1, figure.back), (1, figure.front)):
        knee = (x + side * reach * height, hip + 0.16 * height)
        foot = (x + side * (reach - 0.03) * height, hip + 0.4 * height)
        sketch.line([(x + side * 0.04 * height, hip + 0.01 * height), knee, foot], width, trousers)


def _arm(figure: Figure, side: int, arm: Arm, sleeve) -> None:
    (x, shoulder), width, skin = figure.marks["chest"], figure.lengths["limb"], figure.colours["skin"]
    start = (x + side * figure.lengths["half"] * 0.85, shoulder + width * 0.5)
    joints = arm.points(start, side, figure.lengths["height"])
    figure.back.line(joints[:2], width, sleeve)
    figure.back.line(joints[1:], width * 0.9, skin)
    figure.back.ellipse(*joints[2], width * 0.7, width * 0.7, skin)
    figure.marks |= {f"{SIDES[side]} {part}": j for part, j in zip(("shoulder", "elbow", "hand"), joints, strict=True)}


def _head(figure: Figure, long_hair: bool) -> None:
    (x, y), head, hair = figure.marks["head"], figure.lengths["head"], figure.colours["hair"]
    if long_hair:
        figure.back.ellipse(x, y, head * 1.25, head * 1.2, hair)
        figure.back.twins(x, [(0.95 * head, y), (1.0 * head, y + head)], 0.5 * head, hair)
    figure.back.ellipse(x, y, head, head, figure.colours["skin"])
    figure.back.slice(x, y - 0.05 * head, head * 1.05, head * 1.05, hair, 190, 350)
    for side in (-1, 1):
        figure.back.ellipse(x + side * 0.38 * head, y + 0.2 * head, 0.13 * head, 0.16 * head, (25, 25, 30))


def person_height(scene: Scene, name: str, factor: float) -> float:
    """Children are shorter."""
    return (scene.rng.uniform(48, 56) if name in ("boy", "girl") else scene.rng.uniform(60, 72)) * factor


def person_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A person with something at a hand, and perhaps something to wear."""
    name = scene.pick("people")
    height = person_height(scene, name, factor)
    side = coin(scene.rng)
    held = scene.choose(HELD, HOLDING, name, partner_first=True) if scene.rng.random() < 0.85 else None
    spot, arm = _arm_at_item(scene.rng, held[1] if held else "")
    arms = {side: arm, -side: relaxed_arm(scene.rng)}
    person = scene.put(scene.draw(name, x, y, height, arms=(arms[-1], arms[1])), y)
    if held:
        _place_held(scene, person, held, (spot, side), factor)
    if scene.rng.random() < 0.62:
        worn = scene.choose(("headwear", "cloth", "headwear", "bag"), WEARING, name, partner_first=True)
        if worn:
            WORN[FAMILY[worn[0]]](scene, person, *worn)


def _arm_at_item(rng: np.random.Generator, predicate: str) -> tuple[Arm, Arm]:
    """Two arms of equal reach: the one that would reach the item, which says where it is, and the one that is drawn."""
    holding, overlapping = predicate == "holding", predicate in ("in front of", "behind")
    upper = rng.uniform(0.5, 1.1)
    low, across = rng.uniform(0.2, 1.0), rng.uniform(-1.7, -0.9)
    high = math.pi - low + rng.uniform(-0.2, 0.2)
    if overlapping or (holding and rng.random() < 0.4):
        upper = rng.uniform(0.35, 0.8)
        spot, elsewhere = Arm(upper, across), Arm(upper, rng.choice([low, high]))
    else:
        arms = Arm(upper, low), Arm(upper, high)
        spot, elsewhere = arms if rng.random() < 0.6 else arms[::-1]
    return spot, spot if holding else elsewhere


def _place_held(scene: Scene, person: Placed, held: tuple[str, str], where: tuple[Arm, int], factor: float) -> None:
    (name, predicate), (spot, side), rng, figure = held, where, scene.rng, person.figure
    hx, hy = spot.points(figure.marks[f"{SIDES[side]} shoulder"], side, figure.lengths["height"])[2]
    size = scene.size(name, factor)
    along = {"holding": rng.uniform(0, 3), "near": rng.uniform(3, 9)}.get(predicate, rng.uniform(-3, 5))
    place = (hx + side * along * math.sin(spot.fore), hy + along * math.cos(spot.fore))
    angle = {"angle": rng.uniform(-0.6, 0.6)} if name == "rod" else {}
    item = scene.draw_by("grip", place, name, size, **angle)
    scene.give(person, predicate, item, BETWEEN + 0.05)
    if predicate == "holding":
        width, thumb = figure.lengths["limb"], darker(figure.colours["skin"], 0.92)
        scene.clasp(person).ellipse(hx + side * 1.0, hy, width * 0.75, width * 0.55, thumb)


def _headwear(scene: Scene, person: Placed, name: str, predicate: str) -> None:
    rng, figure = scene.rng, person.figure
    (hx, hy), head = figure.marks["head"], figure.lengths["head"]
    size = max(13.0, 2.3 * head * rng.uniform(0.95, 1.15))
    shift = {"wearing": (0, -0.2), "in front of": (0, -0.25), "behind": (0, rng.uniform(0.0, 0.5))}.get(predicate)
    if shift is None:
        shift = (rng.uniform(-0.6, 0.6), -1.0 - rng.uniform(8, 12) / head)
    x, y = hx + (shift[0] + rng.uniform(-0.1, 0.1)) * head, hy + shift[1] * head
    scene.give(person, predicate, scene.draw(name, x, y, size), BEFORE)
    if predicate == "wearing":
        locks = scene.clasp(person)
        for side in (-1, 1):
            place = (hx + side * 0.85 * head, hy - 0.1 * head)
            locks.ellipse(*place, 0.32 * head, 0.5 * head, figure.colours["hair"])


def _cloth(scene: Scene, person: Placed, name: str, predicate: str) -> None:
    rng, figure = scene.rng, person.figure
    (cx, cy), head = figure.marks["chest"], figure.lengths["head"]
    size = 0.4 * figure.lengths["height"] * rng.uniform(0.95, 1.1)
    beside = coin(rng) * (0.42 * size + figure.lengths["half"] + rng.uniform(14, 20))
    x = cx + {"near": beside}.get(predicate, rng.uniform(-2, 2))
    if predicate == "in front of":
        x, size = cx + coin(rng) * rng.uniform(0.2, 0.35) * size, size * 1.1
    coat = scene.draw(name, x, cy + 0.97 * size, size)
    if predicate == "wearing":
        _follow_arms(coat, figure)
    scene.give(person, predicate, coat)
    if predicate == "wearing":
        scene.clasp(person).ellipse(cx, cy, 0.5 * head, 0.55 * head, darker(figure.colours["skin"], 0.9))


def _follow_arms(coat: Figure, figure: Figure) -> None:
    """Sleeves that follow the arms of the wearer."""
    wool, width = darker(coat.back.strokes[0].colour, 0.85), 1.25 * figure.lengths["limb"]
    if coat.name == "coat":
        coat.back.strokes = [stroke for stroke in coat.back.strokes if stroke.width < 3]
    share = 1.0 if coat.name == "coat" else 0.25
    for side in SIDES.values():
        (sx, sy), (ex, ey) = figure.marks[f"{side} shoulder"], figure.marks[f"{side} elbow"]
        coat.back.line([(sx, sy), (sx + share * (ex - sx), sy + share * (ey - sy))], width, wool)


def _shoulder_bag(scene: Scene, person: Placed, name: str, predicate: str) -> None:
    rng, figure, side = scene.rng, person.figure, coin(scene.rng)
    (cx, cy), (_, hip), half = figure.marks["chest"], figure.marks["hip"], figure.lengths["half"]
    size = 0.3 * figure.lengths["height"] * rng.uniform(0.9, 1.1)
    away = half + size * 0.42 + rng.uniform(8, 13) if predicate == "near" else half * rng.uniform(0.7, 1.1)
    bag = scene.draw(name, cx + side * away, hip + 0.12 * figure.lengths["height"], size)
    if predicate == "wearing":
        strap = darker(bag.back.strokes[0].colour, 0.8)
        bag.back.line([(cx - side * 0.7 * half, cy + 2), bag.marks["top"]], 3.4, strap)
    scene.give(person, predicate, bag)
    if predicate == "wearing":
        shoulder = darker(figure.colours["skin"], 0.9)
        scene.clasp(person).ellipse(cx - side * 0.75 * half, cy + 1.5, 3, 2.6, shoulder)


WORN = {"headwear": _headwear, "cloth": _cloth, "bag": _shoulder_bag}
"""family -> template"""
