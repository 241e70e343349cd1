"""Dogs, cats and horses, and templates around them."""

from segsg.world.figure import Figure, around, coin, colour, darker, draws
from segsg.world.people import person_height
from segsg.world.scene import BEHIND, CLASP, Placed, Scene

DEPTH_AND_LEGS = {"dog": (0.32, 0.30), "cat": (0.30, 0.24), "horse": (0.34, 0.44)}
"""as shares of an animal's length"""


@draws("animal", "mount", size=34)
def animal(figure: Figure, rng, x: float, y: float, length: float) -> None:
    """A dog, cat or horse whose feet are at height y; `length` is nose to tail."""
    forward, coat = coin(rng), colour(rng, 50, 205)
    shade, width = darker(coat, 0.8), 0.11 * length
    depth, leg = (share * length for share in DEPTH_AND_LEGS[figure.name])
    body = y - leg - depth / 2
    figure.colours |= {"coat": coat, "shade": shade}
    figure.marks |= {"back": (x, body - depth / 2), "body": (x, body)}
    figure.lengths |= {"depth": depth}
    for i, offset in enumerate((-0.33, -0.2, 0.2, 0.33)):
        foot = x + (offset + rng.uniform(-0.04, 0.04)) * length
        figure.back.line([(x + offset * length, body), (foot, y - width / 2)], width, shade if i % 2 else coat)
    figure.back.ellipse(x, body, 0.44 * length, depth / 2, coat)
    {"dog": _dog, "cat": _cat, "horse": _horse}[figure.name](figure, forward, length)


def _dog(figure: Figure, forward: int, length: float) -> None:
    sketch, coat, shade = figure.back, *figure.colours.values()
    at, radius = around(*figure.marks["body"], length, forward), 0.16 * length
    head = at(0.47, -0.2)
    at_head = around(*head, radius, forward)
    sketch.line([at(0.32, 0), head], 0.18 * length, coat)
    sketch.line([at(-0.4, -0.05), at(-0.55, -0.3)], 0.09 * length, shade)
    sketch.ellipse(*head, radius, radius * 0.9, coat)
    sketch.ellipse(*at_head(0.8, 0.3), radius * 0.6, radius * 0.45, shade)
    sketch.line([at_head(-0.5, -0.6), at_head(-0.8, 0.6)], 0.1 * length, shade)
    sketch.ellipse(*at_head(0.3, -0.2), radius * 0.14, radius * 0.14, (20, 20, 20))
    figure.marks["head"], figure.lengths["head"] = head, radius


def _cat(figure: Figure, forward: int, length: float) -> None:
    sketch, coat, shade = figure.back, *figure.colours.values()
    at, radius = around(*figure.marks["body"], length, forward), 0.19 * length
    head = at(0.42, -0.2)
    sketch.line([at(-0.4, 0), at(-0.58, -0.2), at(-0.48, -0.48)], 0.09 * length, shade)
    sides = [around(*head, radius, side) for side in (-1, 1)]
    for at_head in sides:
        sketch.polygon([at_head(0.95, -0.2), at_head(0.85, -1.6), at_head(0.1, -0.8)], shade)
    sketch.ellipse(*head, radius, radius * 0.92, coat)
    for at_head in sides:
        sketch.ellipse(*at_head(0.4, -0.1), radius * 0.15, radius * 0.2, (30, 60, 20))
    figure.marks["head"], figure.lengths["head"] = head, radius


def _horse(figure: Figure, forward: int, length: float) -> None:
    sketch, coat, shade = figure.back, *figure.colours.values()
    at, head = around(*figure.marks["body"], length, forward), 0.09 * length
    top = at(0.52, -0.4)
    at_top, upright = around(*top, length, forward), around(*top, length)
    sketch.line([at(-0.4, -0.08), at(-0.52, 0.25)], 0.09 * length, shade)
    sketch.line([at(0.32, -0.02), top], 0.17 * length, coat)
    sketch.line([at(0.24, -0.14), at_top(-0.07, -0.04)], 0.08 * length, shade)
    sketch.line([top, at_top(0.17, 0.1)], 0.13 * length, coat)
    sketch.polygon([upright(-0.05, -0.02), upright(0, -0.16), upright(0.06, -0.03)], shade)
    sketch.ellipse(*at_top(0.04, 0), 0.02 * length, 0.02 * length, (20, 20, 20))
    figure.marks["head"], figure.lengths["head"] = upright(0, -0.02), head


def mount_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A horse with a rider, or with somebody behind it or in front of it."""
    horse = scene.put(scene.draw(scene.pick("mount"), x, y, scene.rng.uniform(58, 72) * factor), y)
    outcomes = {"riding": 0.36, "behind": 0.36, "in front of": 0.28}
    chosen = scene.choose(("people",), outcomes, horse.figure.name) if scene.rng.random() < 0.85 else None
    if chosen:
        _rider(scene, horse, chosen, factor)
    if scene.rng.random() < 0.45:
        _carrying(scene, horse, factor)


def _rider(scene: Scene, horse: Placed, chosen: tuple[str, str], factor: float) -> None:
    (name, predicate), rng, (bx, by), depth = chosen, scene.rng, horse.figure.marks["back"], horse.depth
    height = person_height(scene, name, factor) * 0.92
    x = bx + rng.uniform(-0.18, 0.18) * horse.figure.lengths["depth"] * 2
    feet = by + 0.42 * height + rng.uniform(-2, 2)
    if predicate == "riding":
        rider = scene.put(scene.draw(name, x, feet, height, pose="ride"), depth + BEHIND / 2, depth + CLASP)
        scene.say(rider, predicate, horse)
    else:
        feet += rng.uniform(-2 if predicate == "behind" else -3, 4)
        scene.add(scene.draw(name, x, feet, height), predicate, horse)


def animal_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A dog or a cat that has something, or that something is near."""
    name = scene.pick("animal")
    _carrying(scene, scene.put(scene.draw(name, x, y, scene.size(name, 1.2 * factor)), y), factor)


def _carrying(scene: Scene, placed: Placed, factor: float) -> None:
    """Something an animal has on its head or flank, or that only overlaps it there."""
    outcomes, animal = {"has": 0.36, "in front of": 0.28, "behind": 0.28, "near": 0.08}, placed.figure
    chosen = scene.choose(("headwear", "bag", "headwear", "ball"), outcomes, animal.name, partner_first=True)
    if chosen is None:
        return
    name, predicate = chosen
    on_head, head = name in ("hat", "helmet"), animal.lengths["head"]
    x, y = animal.marks["head" if on_head else "body"]
    size = max(13.0, 2.3 * head if on_head else scene.size(name, 0.85 * factor))
    x += scene.rng.uniform(-1.5, 1.5)
    lower = {"in front of": -0.2 * size, "near": -size - 10}.get(predicate, 0)
    y += (-0.2 * head if on_head else 0.55 * size) + lower
    scene.give(placed, predicate, scene.draw(name, x, y, size))
    if predicate == "has":
        reach, ends = (0.3, (0.0, 0.3)) if on_head else (0.22, (1, 0.15))
        strap = [(reach * size, y - end * size) for end in ends]
        scene.clasp(placed).twins(x, strap, 3.4, animal.colours["shade"])
