"""Tables, seats, carts, frames and containers, and templates around them.

Where a figure has legs or walls on its far side they are in `back`, and the near ones in `front`: what stands
under a table is painted between the two.
"""

from segsg.world.figure import Figure, coin, colour, darker, draws
from segsg.world.people import person_height
from segsg.world.scene import BEFORE, BETWEEN, Placed, Scene

LEG = 5.0
"""thickness of legs, in world units: two cells of a 28 x 28 mask of a figure of 70 units"""
SERVED = ("cup", "vessel", "case", "ball", "animal", "headwear", "bag", "sign", "wheel")
SERVING = {"on": 0.3, "under": 0.2, "behind": 0.25, "in front of": 0.25}
INSIDE = {"inside": 0.38, "in front of": 0.31, "behind": 0.31}


@draws("table")
def table(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A table seen a little from above; `size` is its width."""
    wood, half, depth = colour(rng), size / 2, 0.15 * size
    far, near = y - 0.5 * size - depth, y - 0.5 * size
    figure.back.twins(x, [(0.62 * half, near), (0.62 * half, y - depth)], LEG, darker(wood, 0.6))
    figure.front.twins(x, [(half - LEG / 2, near), (half - LEG / 2, y - LEG / 2)], LEG, darker(wood))
    left, right = x - half, x + half
    figure.front.polygon([(left + depth * 0.7, far), (right - depth * 0.7, far), (right, near), (left, near)], wood)
    figure.front.trapezoid(x, (half, near), (half, near + LEG), darker(wood))
    _surface(figure, (far, near), half - depth * 0.5, near + LEG)


@draws("seat")
def seat(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A bench, or an armchair or recliner."""
    (_bench if figure.name == "bench" else _armchair)(figure, rng, x, y, size)


def _bench(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A long seat with an open back of slats."""
    wood, half, depth = colour(rng), size / 2, 0.12 * size
    near = y - 0.32 * size
    far, top = near - depth, near - depth - 0.33 * size
    figure.back.twins(x, [(0.8 * half, top), (0.8 * half, y - depth)], LEG, darker(wood, 0.6))
    figure.front.twins(x, [(half - LEG / 2, near), (half - LEG / 2, y - LEG / 2)], LEG, darker(wood))
    for height in (top + LEG / 2, (top + far) / 2):
        figure.back.level(x, height, half * 0.9, LEG, darker(wood, 0.85))
    figure.front.trapezoid(x, (half * 0.9, far), (half, near), wood)
    figure.front.trapezoid(x, (half, near), (half, near + LEG), darker(wood))
    _surface(figure, (far, near), half * 0.85, near + LEG)


def _armchair(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A padded chair with arms; a recliner has a foot rest too."""
    cloth, half = colour(rng), size * 0.4
    near, top = y - 0.34 * size, y - size
    figure.back.ellipse(x, top + 0.2 * size, half * 0.85, 0.2 * size, darker(cloth, 0.8))
    figure.back.block(x, y - 0.1 * size, half * 0.85, 0.7 * size, darker(cloth, 0.8))
    figure.front.trapezoid(x, (half * 0.7, near - 0.14 * size), (half * 0.8, near), darker(cloth, 1.1))
    figure.front.block(x, y - 0.08 * size, half * 0.8, 0.27 * size, cloth)
    for side in (-1, 1):
        arm, foot = x + side * half * 0.9, x + side * half * 0.7
        figure.front.line([(arm, near - 0.16 * size), (arm, y - 0.1 * size)], 0.16 * size, darker(cloth, 0.9))
        figure.front.line([(foot, y - 0.08 * size), (foot, y - 2)], 4, darker(cloth, 0.5))
    if figure.name == "recliner":
        rest = (x + coin(rng) * half * 1.5, near + 0.14 * size)
        figure.front.line([(x, near + 0.06 * size), rest], 0.13 * size, darker(cloth, 1.1))
    _surface(figure, (near - 0.14 * size, near), half * 0.6, y)


@draws("cart")
def cart(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A handcart without its wheels; marks `axle left` and `axle right`, where caps are painted in front."""
    wood, half = colour(rng), size / 2
    floor, side = y - 0.22 * size, coin(rng)
    near = floor - 0.24 * size
    handle = [(x + side * 0.45 * size, floor - 0.1 * size), (x + side * 0.72 * size, near - 0.2 * size)]
    figure.back.line(handle, LEG, darker(wood, 0.6))
    figure.back.trapezoid(x, (half * 0.85, near - 0.12 * size), (half, near), darker(wood, 0.5))
    figure.back.trapezoid(x, (half, near), (half * 0.85, floor), wood)
    figure.back.level(x, (near + floor) / 2, half * 0.85, 2, darker(wood))
    for mark, offset in (("axle left", -0.5), ("axle right", 0.5)):
        axle = x + offset * half
        figure.back.line([(axle, floor - 2), (axle, floor + 3)], LEG, darker(wood, 0.6))
        figure.marks[mark] = (axle, floor + 2)
    _surface(figure, (near - 0.12 * size, near), half * 0.8, floor)


def _surface(figure: Figure, edges: tuple[float, float], half: float, underside: float) -> None:
    figure.lengths |= {"far": edges[0], "near": edges[1], "half": half, "underside": underside}


@draws("frame", size=44)
def frame(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A hollow frame that stands upright; its near lower lip is in `front`."""
    wood, thick = colour(rng), 6.0
    half = size * (0.36 if figure.name == "doorway" else 0.45) * rng.uniform(0.9, 1.15)
    corners = [(x - half, y - thick / 2), (x - half, y - size), (x + half, y - size), (x + half, y - thick / 2)]
    figure.back.line([*corners, corners[0]], thick, wood)
    figure.back.line([corners[1], corners[2]], thick * 0.4, darker(wood, 1.3))
    figure.front.line([corners[0], corners[3]], thick * 0.75, darker(wood, 0.8))
    figure.lengths |= {"half": half - thick / 2, "floor": y - thick}


def table_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A table with things on it, under it, behind it and before it."""
    figure = scene.draw(scene.pick("table") or scene.pick("seat"), x, y, scene.rng.uniform(56, 70) * factor)
    _serve(scene, scene.put(figure, y), factor, SERVING)


def seat_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A seat with somebody or with things."""
    name = scene.pick("seat")
    size = scene.rng.uniform(54, 66) * factor * (1.0 if name == "bench" else 0.72)
    host = scene.put(scene.draw(name, x, y, size), y)
    if scene.rng.random() < 0.4:
        _sitter(scene, host, factor)
    else:
        _serve(scene, host, factor, SERVING if name == "bench" else SERVING | {"under": 0.0})


def _serve(scene: Scene, host: Placed, factor: float, outcomes: dict[str, float]) -> None:
    """One to three things at a surface, not in each other's way."""
    used: list[float] = []
    for _ in range(scene.rng.integers(1, 4)):
        chosen = scene.choose(SERVED, outcomes, host.figure.name)
        x = host.figure.x + scene.rng.uniform(-1, 1) * host.figure.lengths["half"]
        if chosen is None or any(abs(x - other) < 15 for other in used):
            continue
        used.append(x)
        _served(scene, host, chosen, x, factor)


def _served(scene: Scene, host: Placed, chosen: tuple[str, str], x: float, factor: float) -> None:
    (name, predicate), floor, rng, lengths = chosen, host.depth, scene.rng, host.figure.lengths
    size, room = scene.size(name, factor), floor - 3 - lengths["underside"]
    low = predicate == "under" or (predicate != "on" and room > 12 and rng.random() < 0.6)
    if low:
        # At a far leg, so that what hides what tells under, behind and in front of apart, not the box.
        x = host.figure.x + coin(rng) * 0.62 * lengths["half"] + rng.uniform(-4, 4)
        y, size = floor - rng.uniform(2, 6), min(size, 1.15 * room) * (1.3 if name in ("dog", "cat") else 1.0)
    elif predicate == "on":
        y = rng.uniform(lengths["far"] + 2, lengths["near"] + 1)
    elif predicate == "behind":
        y = lengths["far"] + rng.uniform(0.2, 0.45) * size
    else:
        y = lengths["near"] + rng.uniform(0.25, 0.6) * size
    if size >= 12:
        scene.add(scene.draw(name, x, y, size), predicate, host, BEFORE if predicate == "on" else BETWEEN)


def _sitter(scene: Scene, host: Placed, factor: float) -> None:
    outcomes = {"on": 0.38, "in front of": 0.34, "behind": 0.28}
    if (chosen := scene.choose(("people", "people", "animal"), outcomes, host.figure.name)) is None:
        return
    (name, predicate), rng, lengths = chosen, scene.rng, host.figure.lengths
    x = host.figure.x + rng.uniform(-0.5, 0.5) * lengths["half"]
    if name in ("dog", "cat"):
        feet = {"on": lengths["near"] - 1, "behind": lengths["far"] + 6, "in front of": host.depth + 2}[predicate]
        figure = scene.draw(name, x, feet, scene.size(name, factor))
    else:
        height = person_height(scene, name, factor) * 0.92
        feet = lengths["near"] + (0.4 if predicate == "on" else rng.uniform(0.34, 0.46)) * height
        figure = scene.draw(name, x, feet, height, pose="sit" if predicate == "on" else "stand")
    scene.add(figure, predicate, host, BEFORE)


def cart_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A cart that has wheels, or that wheels merely stand around; things may be on it."""
    name = scene.pick("cart")
    if name is None:
        return seat_group(scene, x, y, factor)
    host = scene.put(scene.draw(name, x, y, scene.rng.uniform(48, 60) * factor), y)
    for mark in ("axle left", "axle right"):
        if scene.rng.random() < 0.85:
            _axle(scene, host, mark, factor)
    if scene.rng.random() < 0.7:
        _serve(scene, host, factor, SERVING | {"under": 0.0})


def _axle(scene: Scene, host: Placed, mark: str, factor: float) -> None:
    outcomes = {"has": 0.42, "in front of": 0.29, "behind": 0.29}
    if (chosen := scene.choose(("wheel",), outcomes, host.figure.name, partner_first=True)) is None:
        return
    (name, predicate), (x, y), rng = chosen, host.figure.marks[mark], scene.rng
    size = scene.size(name, 0.9 * factor)
    dx, dy = (0, 0) if predicate == "has" else (rng.uniform(-2, 2), rng.uniform(-2, 2))
    scene.give(host, predicate, scene.draw(name, x + dx, y + size / 2 + dy, size))
    if predicate == "has":
        scene.clasp(host).line([(x, y - 0.62 * size), (x, y + 0.12 * size)], 5, (60, 55, 50))


def frame_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """Puts a hollow frame into the scene, and a thing inside it, behind it or in front of it."""
    host = scene.put(scene.draw(scene.pick("frame"), x, y, scene.rng.uniform(40, 54) * factor), y)
    chosen = scene.choose(("ball", "animal", "cup", "headwear", "bag", "vessel"), INSIDE, host.figure.name)
    if chosen is None:
        return
    (name, predicate), rng, lengths = chosen, scene.rng, host.figure.lengths
    half, floor = lengths["half"], lengths["floor"]
    size = min(scene.size(name, factor), 1.5 * half)
    if predicate == "inside":
        place = (x + rng.uniform(-1, 1) * max(half - 0.5 * size, 1), floor + 3)
    elif predicate == "behind":
        place = (x + rng.uniform(-0.7, 0.7) * half, floor + rng.uniform(3, 7))
    else:
        place = (x + coin(rng) * rng.uniform(0.3, 0.8) * half, floor + rng.uniform(1, 6))
    scene.add(scene.draw(name, *place, size), predicate, host)


def container_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """Something inside an open container, or behind or before it."""
    container = scene.pick("case", "case", "vessel")
    host = scene.put(scene.draw(container, x, y, scene.size(container, 1.35 * factor)), y)
    chosen = scene.choose(("ball", "animal", "cup", "stick", "headwear", "umbrella", "bag"), INSIDE, container)
    if chosen is None:
        return
    (name, predicate), rng, lengths = chosen, scene.rng, host.figure.lengths
    size = scene.size(name, factor)
    x += rng.uniform(-0.5, 0.5) * lengths["half"]
    share = {"inside": rng.uniform(0.2, 0.5), "behind": rng.uniform(0.1, 0.5)}.get(predicate, rng.uniform(0.1, 0.4))
    scene.add(scene.draw(name, x, lengths["rim"] + share * min(size, 22), size), predicate, host)
