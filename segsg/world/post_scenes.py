"""Templates around posts and trees: leaning, hanging and attached things, and their look-alikes."""

import math

from segsg.world.brush import Sketch
from segsg.world.figure import Figure, coin
from segsg.world.scene import BEFORE, BEHIND, BETWEEN, CLASP, Scene

LEANING = {"leaning on": 0.34, "near": 0.28, "behind": 0.19, "in front of": 0.19}
HANGING = {"hanging from": 0.34, "near": 0.22, "behind": 0.22, "in front of": 0.22}
ATTACHED = {"attached to": 0.36, "in front of": 0.25, "behind": 0.25, "near": 0.14}
DEPTHS = {"behind": BEHIND, "in front of": BEFORE}


def post_group(scene: Scene, x: float, y: float, factor: float) -> None:
    """A post or a tree with two or three things around it."""
    name = scene.pick("post", "plant")
    tall = scene.rng.uniform(72, 100) if name in ("post", "column") else scene.rng.uniform(78, 100)
    anchor = scene.draw(name, x, min(y, 150.0), min(tall * factor, y - 4))
    number = scene.put(anchor, y)
    places = [(template, side) for template in (_leaning, _hanging) for side in (-1, 1)] + [(_attached, 1)] * 2
    for i in scene.rng.permutation(len(places))[: scene.rng.integers(2, 4)]:
        template, side = places[i]
        template(scene, anchor, number, side, (x, y), factor)


def _leaning(scene: Scene, anchor: Figure, number: int, side: int, place, factor: float) -> None:
    chosen = scene.choose(("stick", "stick", "umbrella", "wheel", "sign"), LEANING, anchor.name)
    if chosen is None:
        return
    (name, predicate), rng, (x, y), half = chosen, scene.rng, place, anchor.lengths["half"]
    size = scene.size(name, factor)
    gap = {"leaning on": -0.8, "near": rng.uniform(8.5, 12)}.get(predicate)
    if name == "rod":
        how = _rod(rng, size, half, side, gap)
    else:
        # the widest part of an umbrella is its canopy, of the others their middle
        reach = 0.42 * size if name == "poster" else 0.5 * size
        how = {"x": side * (reach + half + gap if gap is not None else rng.uniform(0, 0.5) * size)}
    offset = how.pop("x")
    item = scene.draw(name, x + offset, y + rng.uniform(-2, 2), size, **how)
    scene.say(scene.put(item, y + DEPTHS.get(predicate, BEFORE)), predicate, number)


def _rod(rng, size: float, half: float, side: int, gap: float | None) -> dict[str, float]:
    """Where a rod stands and how it leans: its tip at the post, its foot near the post, or across the post."""
    tilt = rng.uniform(0.3, 0.55)
    run = size * math.sin(tilt)
    if gap is None:
        return {"x": side * run * rng.uniform(0.3, 0.7), "angle": -side * tilt}
    if gap < 0:
        return {"x": side * (run + half + 2.5 + gap), "angle": -side * tilt}
    turned = side * tilt if rng.random() < 0.5 else -side * tilt
    return {"x": side * (half + 2.5 + gap + (run if turned * side < 0 else 0)), "angle": turned}


def _hanging(scene: Scene, anchor: Figure, number: int, side: int, place, factor: float) -> None:
    chosen = scene.choose(("cloth", "bag", "headwear", "umbrella", "vessel", "case"), HANGING, anchor.name)
    if chosen is None:
        return
    (name, predicate), rng, y = chosen, scene.rng, place[1]
    hx, hy = anchor.marks["hook left" if side < 0 else "hook right"]
    size = scene.size(name, factor * (0.8 if name in ("crate", "container", "basket", "umbrella") else 1.0))
    top = hy + {"hanging from": 0.0, "near": rng.uniform(10.5, 14)}.get(predicate, -rng.uniform(3, 9))
    middle = hx if predicate in ("hanging from", "near") else hx - side * rng.uniform(0, 6)
    item = _hung_at_top(scene, name, (middle, top), size)
    scene.say(scene.put(item, y + DEPTHS.get(predicate, BETWEEN)), predicate, number)
    if predicate == "hanging from":
        hook = Sketch()
        hook.line([(hx, hy), (hx, hy + 3.5)], 3.6, anchor.back.strokes[0].colour)
        scene.clasp(number, y + CLASP, hook)


def _hung_at_top(scene: Scene, name: str, place, size: float) -> Figure:
    """A figure whose top is at `place`."""
    state = scene.rng.bit_generator.state
    top = scene.draw(name, 0.0, 0.0, size).marks["top"]
    scene.rng.bit_generator.state = state
    return scene.draw(name, place[0] - top[0], place[1] - top[1], size)


def _attached(scene: Scene, anchor: Figure, number: int, _side: int, place, factor: float) -> None:
    chosen = scene.choose(("sign", "sign", "wheel", "case"), ATTACHED, anchor.name)
    if chosen is None:
        return
    (name, predicate), rng, (x, y), half = chosen, scene.rng, place, anchor.lengths["half"]
    size = scene.size(name, factor * (1.0 if name in ("poster", "placard") else 0.85))
    middle = x + rng.uniform(-0.3, 0.3) * size
    if predicate == "near":
        middle = x + coin(rng) * (0.5 * size + half + rng.uniform(8, 12))
    foot = y - anchor.lengths["height"] * rng.uniform(0.2, 0.45)
    item = scene.draw(name, middle, foot, size)
    scene.say(scene.put(item, y + DEPTHS.get(predicate, BETWEEN)), predicate, number)
    if predicate == "attached to":
        clamps, height = Sketch(), foot - item.marks["top"][1]
        for share in (0.15, 0.85):
            clamps.line(
                [(x - 0.25 * size, foot - share * height), (x + 0.25 * size, foot - share * height)],
                3.6,
                anchor.back.strokes[0].colour,
            )
        scene.clasp(number, y + CLASP, clamps)


def loose_item(scene: Scene, x: float, y: float, factor: float) -> None:
    """Something that lies about, so that the scene is cluttered."""
    name = scene.pick("ball", "cup", "wheel", "bag", "case", "vessel", "animal", "sign", "headwear")
    scene.put(scene.draw(name, x, y, scene.size(name, factor)), y)
