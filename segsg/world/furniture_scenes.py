"""Templates around tables, seats, carts, frames and containers."""

from segsg.world.brush import Sketch
from segsg.world.figure import Figure, coin
from segsg.world.people_scenes import person_height
from segsg.world.scene import BEFORE, BEHIND, BETWEEN, CLASP, Scene

SERVED = ("cup", "vessel", "case", "ball", "animal", "headwear", "bag", "sign", "wheel")
SERVING = {"on": 0.3, "under": 0.2, "behind": 0.25, "in front of": 0.25}


def table_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A table with things on it, under it, behind it and before it."""
    table = scene.draw(scene.pick("table") or scene.pick("seat"), x, y, scene.rng.uniform(56, 70) * factor)
    serve(scene, table, scene.put(table, y), (x, y), factor, SERVING)


def seat_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A seat with somebody or with things."""
    name = scene.pick("seat")
    seat = scene.draw(name, x, y, scene.rng.uniform(54, 66) * factor * (1.0 if name == "bench" else 0.72))
    number = scene.put(seat, y)
    if scene.rng.random() < 0.4:
        _sitter(scene, seat, number, (x, y), factor)
    else:
        serve(scene, seat, number, (x, y), factor, SERVING if name == "bench" else SERVING | {"under": 0.0})


def serve(scene: Scene, host: Figure, number: int, place, factor: float, outcomes: dict[str, float]) -> None:
    """One to three things at a surface, not in each other's way."""
    used: list[float] = []
    for _ in range(scene.rng.integers(1, 4)):
        chosen = scene.choose(SERVED, outcomes, host.name)
        x = place[0] + scene.rng.uniform(-1, 1) * host.lengths["half"]
        if chosen is None or any(abs(x - other) < 15 for other in used):
            continue
        used.append(x)
        _served(scene, host, number, chosen, (x, place), factor)


def _served(scene: Scene, host: Figure, number: int, chosen, where, factor: float) -> None:
    (name, predicate), (x, (middle, floor)), rng, lengths = chosen, where, scene.rng, host.lengths
    size, room = scene.size(name, factor), floor - 3 - lengths["underside"]
    low = predicate == "under" or (predicate != "on" and room > 12 and rng.random() < 0.6)
    depth = {"on": BEFORE, "in front of": BEFORE, "behind": BEHIND, "under": BETWEEN}[predicate]
    if low:
        # At a far leg, so that what hides what tells under, behind and in front of apart, not the box.
        x = middle + coin(rng) * 0.62 * lengths["half"] + rng.uniform(-4, 4)
        y, size = floor - rng.uniform(2, 6), min(size, 1.15 * room) * (1.3 if name in ("dog", "cat") else 1.0)
    elif predicate == "on":
        y = rng.uniform(lengths["far"] + 2, lengths["near"] + 1)
    elif predicate == "behind":
        y = lengths["far"] + rng.uniform(0.2, 0.45) * size
    else:
        y = lengths["near"] + rng.uniform(0.25, 0.6) * size
    if size >= 12:
        scene.say(scene.put(scene.draw(name, x, y, size), floor + depth), predicate, number)


def _sitter(scene: Scene, seat: Figure, number: int, place, factor: float) -> None:
    chosen = scene.choose(("people", "people", "animal"), {"on": 0.38, "in front of": 0.34, "behind": 0.28}, seat.name)
    if chosen is None:
        return
    (name, predicate), (x, y), rng = chosen, place, scene.rng
    x += rng.uniform(-0.5, 0.5) * seat.lengths["half"]
    depth = BEHIND if predicate == "behind" else BEFORE
    if name in ("dog", "cat"):
        feet = {"on": seat.lengths["near"] - 1, "behind": seat.lengths["far"] + 6, "in front of": y + 2}[predicate]
        figure = scene.draw(name, x, feet, scene.size(name, factor))
    else:
        height = person_height(scene, name, factor) * 0.92
        feet = seat.lengths["near"] + (0.4 if predicate == "on" else rng.uniform(0.34, 0.46)) * height
        figure = scene.draw(name, x, feet, height, pose="sit" if predicate == "on" else "stand")
    scene.say(scene.put(figure, y + depth), predicate, number)


def cart_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A cart that has wheels, or that wheels merely stand around; things may be on it."""
    name = scene.pick("cart")
    if name is None:
        return seat_group(scene, x, y, factor)
    cart = scene.draw(name, x, y, scene.rng.uniform(48, 60) * factor)
    number = scene.put(cart, y)
    for mark in ("axle left", "axle right"):
        if scene.rng.random() < 0.85:
            _axle(scene, number, cart.name, (*cart.marks[mark], y), factor)
    if scene.rng.random() < 0.7:
        serve(scene, cart, number, (x, y), factor, SERVING | {"under": 0.0})


def _axle(scene: Scene, cart: int, name: str, place, factor: float) -> None:
    outcomes = {"has": 0.42, "in front of": 0.29, "behind": 0.29}
    chosen = scene.choose(("wheel",), outcomes, name, partner_first=True)
    if chosen is None:
        return
    (wheel, predicate), (x, y, depth), rng = chosen, place, scene.rng
    size = scene.size(wheel, 0.9 * factor)
    x += 0 if predicate == "has" else rng.uniform(-2, 2)
    figure = scene.draw(wheel, x, y + size / 2 + (0 if predicate == "has" else rng.uniform(-2, 2)), size)
    scene.say(cart, predicate, scene.put(figure, depth + (BEHIND if predicate == "in front of" else BETWEEN)))
    if predicate == "has":
        cap = Sketch()
        cap.line([(x, y - 0.62 * size), (x, y + 0.12 * size)], 5, (60, 55, 50))
        scene.clasp(cart, depth + CLASP, cap)


def frame_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """Something inside a hollow frame, or seen through it, or before it."""
    frame = scene.draw(scene.pick("frame"), x, y, scene.rng.uniform(40, 54) * factor)
    number = scene.put(frame, y)
    outcomes = {"inside": 0.38, "in front of": 0.31, "behind": 0.31}
    chosen = scene.choose(("ball", "animal", "cup", "headwear", "bag", "vessel"), outcomes, frame.name)
    if chosen is None:
        return
    (name, predicate), rng, half = chosen, scene.rng, frame.lengths["half"]
    size = min(scene.size(name, factor), 1.5 * half)
    if predicate == "inside":
        place = (x + rng.uniform(-1, 1) * max(half - 0.5 * size, 1), frame.lengths["floor"] + 3)
    elif predicate == "behind":
        place = (x + rng.uniform(-0.7, 0.7) * half, frame.lengths["floor"] + rng.uniform(3, 7))
    else:
        place = (x + coin(rng) * rng.uniform(0.3, 0.8) * half, frame.lengths["floor"] + rng.uniform(1, 6))
    depth = {"inside": BETWEEN, "behind": BEHIND, "in front of": BEFORE}[predicate]
    scene.say(scene.put(scene.draw(name, *place, size), y + depth), predicate, number)


def container_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """Something inside an open container, or behind or before it."""
    name = scene.pick("case", "case", "vessel")
    container = scene.draw(name, x, y, scene.size(name, 1.35 * factor))
    number = scene.put(container, y)
    outcomes = {"inside": 0.38, "in front of": 0.31, "behind": 0.31}
    chosen = scene.choose(("ball", "animal", "cup", "stick", "headwear", "umbrella", "bag"), outcomes, name)
    if chosen is None:
        return
    (thing, predicate), rng, rim = chosen, scene.rng, container.lengths["rim"]
    size = scene.size(thing, factor)
    x += rng.uniform(-0.5, 0.5) * container.lengths["half"]
    y_thing = rim + {"inside": rng.uniform(0.2, 0.5), "behind": rng.uniform(0.1, 0.5)}.get(
        predicate, rng.uniform(0.1, 0.4)
    ) * min(size, 22)
    depth = {"inside": BETWEEN, "behind": BEHIND, "in front of": BEFORE}[predicate]
    scene.say(scene.put(scene.draw(thing, x, y_thing, size), y + depth), predicate, number)
