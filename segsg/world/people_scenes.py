"""Templates around people. Each alternative of a template leaves almost the same boxes behind."""

import math

from segsg.world.brush import Sketch
from segsg.world.figure import Figure, coin, darker
from segsg.world.people import Arm, relaxed_arm, skin_of
from segsg.world.scene import BEFORE, BEHIND, BETWEEN, CLASP, Scene

HELD = ("bag", "umbrella", "stick", "ball", "cup", "vessel", "headwear", "cloth", "sign", "case")
HOLDING = {"holding": 0.32, "near": 0.28, "in front of": 0.2, "behind": 0.2}
WEARING = {"wearing": 0.42, "near": 0.12, "in front of": 0.26, "behind": 0.2}
SIDES = {-1: "left", 1: "right"}


def person_height(scene: Scene, name: str, factor: float) -> float:
    """Children are shorter."""
    return (scene.rng.uniform(48, 56) if name in ("boy", "girl") else scene.rng.uniform(60, 72)) * factor


def person_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A person with something at a hand, and perhaps something to wear."""
    name = scene.pick("people")
    height = person_height(scene, name, factor)
    side = coin(scene.rng)
    held = scene.choose(HELD, HOLDING, name, partner_first=True) if scene.rng.random() < 0.85 else None
    spot, arm = _arm_at_item(
        scene, bool(held) and held[1] == "holding", inwards=bool(held) and held[1] in ("in front of", "behind")
    )
    arms = {side: arm, -side: relaxed_arm(scene.rng)}
    figure = scene.draw(name, x, y, height, arms=(arms[-1], arms[1]))
    number = scene.put(figure, y)
    if held:
        _place_held(scene, figure, number, held, (spot, side), y, factor)
    if scene.rng.random() < 0.62:
        _place_worn(scene, figure, number, y)


def _arm_at_item(scene: Scene, holding: bool, inwards: bool) -> tuple[Arm, Arm]:
    """Where the item is, as the arm that would reach it, and the arm that is drawn, which reaches as far out."""
    rng = scene.rng
    upper = rng.uniform(0.5, 1.1)
    low, across = rng.uniform(0.2, 1.0), rng.uniform(-1.7, -0.9)
    high = math.pi - low + rng.uniform(-0.2, 0.2)
    if inwards or (holding and rng.random() < 0.4):
        upper = rng.uniform(0.35, 0.8)
        spot, elsewhere = Arm(upper, across), Arm(upper, rng.choice([low, high]))
    else:
        spot, elsewhere = (
            (Arm(upper, low), Arm(upper, high)) if rng.random() < 0.6 else (Arm(upper, high), Arm(upper, low))
        )
    return spot, spot if holding else elsewhere


def _place_held(scene: Scene, figure: Figure, person: int, held, where, depth: float, factor: float) -> None:
    (name, predicate), (spot, side), rng = held, where, scene.rng
    shoulder = figure.marks[f"{SIDES[side]} shoulder"]
    hx, hy = spot.points(shoulder, side, figure.lengths["height"])[2]
    size = scene.size(name, factor)
    along = {"holding": rng.uniform(0, 3), "near": rng.uniform(3, 9)}.get(predicate, rng.uniform(-3, 5))
    dx, dy = side * along * math.sin(spot.fore), along * math.cos(spot.fore)
    angle = {"angle": rng.uniform(-0.6, 0.6)} if name == "rod" else {}
    item = _drawn_at_grip(scene, name, (hx + dx, hy + dy), size, angle)
    number = scene.put(item, depth + (BEHIND if predicate == "in front of" else BETWEEN + 0.05))
    scene.say(person, predicate, number)
    if predicate == "holding":
        thumb, width = Sketch(), figure.lengths["limb"]
        thumb.ellipse(hx + side * 1.0, hy, width * 0.75, width * 0.55, darker(skin_of(figure), 0.92))
        scene.clasp(person, depth + CLASP, thumb)


def _drawn_at_grip(scene: Scene, name: str, place, size: float, how: dict) -> Figure:
    """A figure whose grip is at `place`: drawn once to see where the grip is, and again there."""
    state = scene.rng.bit_generator.state
    grip = scene.draw(name, 0.0, 0.0, size, **how).marks["grip"]
    scene.rng.bit_generator.state = state
    return scene.draw(name, place[0] - grip[0], place[1] - grip[1], size, **how)


def _place_worn(scene: Scene, figure: Figure, person: int, depth: float) -> None:
    worn = scene.choose(("headwear", "cloth", "headwear", "bag"), WEARING, figure.name, partner_first=True)
    if worn is None:
        return
    name, predicate = worn
    if name in ("hat", "helmet"):
        _headwear(scene, figure, person, (name, predicate), depth)
    elif name in ("coat", "vest"):
        _cloth(scene, figure, person, (name, predicate), depth)
    else:
        _shoulder_bag(scene, figure, person, (name, predicate), depth)


def _headwear(scene: Scene, figure: Figure, person: int, what, depth: float) -> None:
    (name, predicate), rng, (hx, hy), head = what, scene.rng, figure.marks["head"], figure.lengths["head"]
    size = max(13.0, 2.3 * head * rng.uniform(0.95, 1.15))
    shift = {"wearing": (0, -0.2), "in front of": (0, -0.25), "behind": (0, rng.uniform(0.0, 0.5))}.get(predicate)
    if shift is None:
        shift = (rng.uniform(-0.6, 0.6), -1.0 - rng.uniform(8, 12) / head)
    x, y = hx + (shift[0] + rng.uniform(-0.1, 0.1)) * head, hy + shift[1] * head
    number = scene.put(scene.draw(name, x, y, size), depth + (BEHIND if predicate == "in front of" else BEFORE))
    scene.say(person, predicate, number)
    if predicate == "wearing":
        locks = Sketch()
        for side in (-1, 1):
            locks.ellipse(hx + side * 0.85 * head, hy - 0.1 * head, 0.32 * head, 0.5 * head, skin_of(figure, "hair"))
        scene.clasp(person, depth + CLASP, locks)


def _cloth(scene: Scene, figure: Figure, person: int, what, depth: float) -> None:
    (name, predicate), rng, (cx, cy), height = what, scene.rng, figure.marks["chest"], figure.lengths["height"]
    size = 0.4 * height * rng.uniform(0.95, 1.1)
    x = cx + {"near": coin(rng) * (0.42 * size + figure.lengths["half"] + rng.uniform(14, 20))}.get(
        predicate, rng.uniform(-2, 2)
    )
    if predicate == "in front of":
        x, size = cx + coin(rng) * rng.uniform(0.2, 0.35) * size, size * 1.1
    coat = scene.draw(name, x, cy + 0.97 * size, size)
    if predicate == "wearing":
        _sleeves(coat, figure)
    number = scene.put(coat, depth + (BEHIND if predicate == "in front of" else BETWEEN))
    scene.say(person, predicate, number)
    if predicate == "wearing":
        neck = Sketch()
        neck.ellipse(cx, cy, 0.5 * figure.lengths["head"], 0.55 * figure.lengths["head"], darker(skin_of(figure), 0.9))
        scene.clasp(person, depth + CLASP, neck)


def _sleeves(coat: Figure, figure: Figure) -> None:
    """Sleeves that follow the arms of the wearer."""
    wool = coat.back.strokes[0]
    if coat.name == "coat":
        coat.back.strokes = [stroke for stroke in coat.back.strokes if stroke.width < 3]
    for side in SIDES.values():
        (sx, sy), (ex, ey) = figure.marks[f"{side} shoulder"], figure.marks[f"{side} elbow"]
        share = 1.0 if coat.name == "coat" else 0.25
        coat.back.line(
            [(sx, sy), (sx + share * (ex - sx), sy + share * (ey - sy))],
            1.25 * figure.lengths["limb"],
            darker(wool.colour, 0.85),
        )


def _shoulder_bag(scene: Scene, figure: Figure, person: int, what, depth: float) -> None:
    (name, predicate), rng, side = what, scene.rng, coin(scene.rng)
    (cx, cy), (_, hip), half = figure.marks["chest"], figure.marks["hip"], figure.lengths["half"]
    size = 0.3 * figure.lengths["height"] * rng.uniform(0.9, 1.1)
    away = half + size * 0.42 + rng.uniform(8, 13) if predicate == "near" else half * rng.uniform(0.7, 1.1)
    bag = scene.draw(name, cx + side * away, hip + 0.12 * figure.lengths["height"], size)
    if predicate == "wearing":
        bag.back.line(
            [(cx - side * 0.7 * half, cy + 2), bag.marks["top"]], 3.4, darker(bag.back.strokes[0].colour, 0.8)
        )
    number = scene.put(bag, depth + (BEHIND if predicate == "in front of" else BETWEEN))
    scene.say(person, predicate, number)
    if predicate == "wearing":
        shoulder = Sketch()
        shoulder.ellipse(cx - side * 0.75 * half, cy + 1.5, 3, 2.6, darker(skin_of(figure), 0.9))
        scene.clasp(person, depth + CLASP, shoulder)
