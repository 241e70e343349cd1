"""Posts and trees, and templates around them: leaning, hanging and attached things, and their look-alikes."""

import math

from segsg.world.figure import Figure, coin, colour, darker, draws
from segsg.world.scene import BEFORE, Placed, Scene

LEANING = {"leaning on": 0.34, "near": 0.28, "behind": 0.19, "in front of": 0.19}
HANGING = {"hanging from": 0.34, "near": 0.22, "behind": 0.22, "in front of": 0.22}
ATTACHED = {"attached to": 0.36, "in front of": 0.25, "behind": 0.25, "near": 0.14}
LEANERS = ("stick", "stick", "umbrella", "wheel", "sign")
HANGERS = ("cloth", "bag", "headwear", "umbrella", "vessel", "case")
SIGNS = ("sign", "sign", "wheel", "case")
HOOKS = {-1: "hook left", 1: "hook right"}


@draws("post")
def post(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A post with two brackets, or a column with a capital that juts out as far."""
    paint, half = colour(rng), 4.8 if figure.name == "column" else 3.6
    figure.back.block(x, y, half, size, paint)
    figure.back.block(x, y, half * 2, 4, darker(paint))
    for side, mark in HOOKS.items():
        height, reach = y - size * rng.uniform(0.66, 0.95), rng.uniform(10, 20)
        figure.back.line([(x, height), (x + side * reach, height)], 4.5, darker(paint, 0.85))
        figure.marks[mark] = (x + side * (reach - 1), height)
    figure.back.ellipse(x, y - size, half * 1.5, 3.5, darker(paint, 0.85))
    figure.lengths |= {"half": half, "height": size}


@draws("plant")
def tree(figure: Figure, rng, x: float, y: float, size: float) -> None:
    """A trunk with two branches and a crown; a shrub's trunk is short and its crown wide."""
    bark = (int(rng.integers(75, 125)), int(rng.integers(45, 85)), int(rng.integers(20, 50)))
    leaf = (int(rng.integers(20, 110)), int(rng.integers(100, 190)), int(rng.integers(20, 90)))
    bare, half = (0.42 if figure.name == "shrub" else 0.58) * size, 4.5
    top = y - bare - 6
    figure.back.polygon([(x - half, y), (x - half * 0.8, top), (x + half * 0.8, top), (x + half, y)], bark)
    for side, mark in HOOKS.items():
        height, reach = y - bare * rng.uniform(0.7, 0.95), rng.uniform(12, 20)
        figure.back.line([(x, height + 5), (x + side * reach, height)], 4.5, bark)
        figure.marks[mark] = (x + side * (reach - 1), height)
    crown, lean = size - bare, rng.uniform(-7, 7)
    for _ in range(7):
        radius = rng.uniform(0.36, 0.5) * crown
        cx, cy = x + lean + rng.uniform(-0.6, 0.6) * crown, y - size + radius + rng.uniform(0, 0.5) * (crown - radius)
        figure.back.ellipse(cx, cy, radius, radius * 0.9, darker(leaf, rng.uniform(0.8, 1.2)))
    figure.lengths |= {"half": half, "height": bare}


def post_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A post or a tree with two or three things around it."""
    name = scene.pick("post", "plant")
    tall = scene.rng.uniform(72, 100) if name in ("post", "column") else scene.rng.uniform(78, 100)
    anchor = scene.put(scene.draw(name, x, min(y, 150.0), min(tall * factor, y - 4)), y)
    kinds = [(_leaning, LEANERS, LEANING), (_hanging, HANGERS, HANGING), (_attached, SIGNS, ATTACHED)]
    for i in scene.rng.permutation(2 * len(kinds))[: scene.rng.integers(2, 4)]:
        template, families, outcomes = kinds[i // 2]
        if chosen := scene.choose(families, outcomes, name):
            template(scene, anchor, chosen, factor, side=(-1, 1)[i % 2])


def _leaning(scene: Scene, anchor: Placed, chosen: tuple[str, str], factor: float, *, side: int) -> None:
    (name, predicate), rng, half = chosen, scene.rng, anchor.figure.lengths["half"]
    size, how = scene.size(name, factor), {}
    gap = {"leaning on": -0.8, "near": rng.uniform(8.5, 12)}.get(predicate)
    if name == "rod":
        offset, how["angle"] = _rod(rng, size, half, side, gap)
    else:
        # the widest part of an umbrella is its canopy, of the others their middle
        reach = 0.42 * size if name == "poster" else 0.5 * size
        offset = side * (reach + half + gap if gap is not None else rng.uniform(0, 0.5) * size)
    item = scene.draw(name, anchor.figure.x + offset, anchor.depth + rng.uniform(-2, 2), size, **how)
    scene.add(item, predicate, anchor, BEFORE)


def _rod(rng, size: float, half: float, side: int, gap: float | None) -> tuple[float, float]:
    """Where a rod stands and how it leans: its tip at the post, its foot near the post, or across the post."""
    tilt = rng.uniform(0.3, 0.55)
    run = size * math.sin(tilt)
    if gap is None:
        return side * run * rng.uniform(0.3, 0.7), -side * tilt
    if gap < 0:
        return side * (run + half + 2.5 + gap), -side * tilt
    turned = side * tilt if rng.random() < 0.5 else -side * tilt
    return side * (half + 2.5 + gap + (run if turned * side < 0 else 0)), turned


def _hanging(scene: Scene, anchor: Placed, chosen: tuple[str, str], factor: float, *, side: int) -> None:
    (name, predicate), rng, (x, y) = chosen, scene.rng, anchor.figure.marks[HOOKS[side]]
    size = scene.size(name, factor * (0.8 if name in ("crate", "container", "basket", "umbrella") else 1.0))
    top = y + {"hanging from": 0.0, "near": rng.uniform(10.5, 14)}.get(predicate, -rng.uniform(3, 9))
    middle = x if predicate in ("hanging from", "near") else x - side * rng.uniform(0, 6)
    item = scene.draw_by("top", (middle, top), name, size)
    scene.add(item, predicate, anchor)
    if predicate == "hanging from":
        scene.clasp(anchor).line([(x, y), (x, y + 3.5)], 3.6, anchor.figure.back.strokes[0].colour)


def _attached(scene: Scene, anchor: Placed, chosen: tuple[str, str], factor: float, *, side: int) -> None:
    (name, predicate), rng, x, lengths = chosen, scene.rng, anchor.figure.x, anchor.figure.lengths
    size = scene.size(name, factor * (1.0 if name in ("poster", "placard") else 0.85))
    middle = x + rng.uniform(-0.3, 0.3) * size
    if predicate == "near":
        middle = x + coin(rng) * (0.5 * size + lengths["half"] + rng.uniform(8, 12))
    foot = anchor.depth - lengths["height"] * rng.uniform(0.2, 0.45)
    item = scene.draw(name, middle, foot, size)
    scene.add(item, predicate, anchor)
    if predicate == "attached to":
        clamps, height = scene.clasp(anchor), foot - item.marks["top"][1]
        for share in (0.15, 0.85):
            clamps.level(x, foot - share * height, 0.25 * size, 3.6, anchor.figure.back.strokes[0].colour)
