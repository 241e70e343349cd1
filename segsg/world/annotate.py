"""What an annotator writes down about a picture: boxes that are a little off, and only some of the relations."""

from dataclasses import dataclass

import numpy as np

from segsg.world.brush import UNITS
from segsg.world.relations import Pixels
from segsg.world.render import Picture
from segsg.world.scene import FAMILIES, Scene

MIN_AREA, MIN_SEEN, MIN_SIDE = 45, 0.35, 5
"""an object is annotated if so many pixels (at a side of 160), such a share of it and such a box side are seen"""
BOX_ERROR = 1.5
"""standard deviation of each box edge, in world units"""
KEEP_MEANT, KEEP_INCIDENTAL, VAGUE, TWICE = 0.88, 0.09, 0.02, 0.03
VAGUER = {
    "holding": "has",
    "wearing": "has",
    "inside": "on",
    "attached to": "on",
    "riding": "on",
    "leaning on": "near",
    "hanging from": "on",
}
RANK = {"people": 0, "mount": 3, "table": 3, "seat": 3, "post": 3, "plant": 3, "frame": 3, "animal": 1, "cart": 1}
"""subjects come before objects in this order (2 where a family is not listed), as they do in the templates: else the
order of a pair would give away which predicate it has"""


@dataclass(frozen=True)
class Annotation:
    """Annotated objects: their numbers in the scene, names, boxes (xyxy in pixels), and rows of relations."""

    numbers: list[int]
    names: list[str]
    boxes: np.ndarray
    relations: list[tuple[int, str, int]]


def annotate(scene: Scene, picture: Picture) -> Annotation:
    """Annotate a picture; relations index the annotated objects."""
    side = len(picture.owner)
    extents = {i: picture.extent(i) for i in _visible(picture)}
    numbers = [i for i, (x0, y0, x1, y1) in extents.items() if min(x1 - x0, y1 - y0) >= MIN_SIDE * side / UNITS]
    names = [scene.objects[i].name for i in numbers]
    boxes = np.array([extents[i] for i in numbers]).reshape(-1, 4)
    noisy = boxes + scene.rng.normal(0, BOX_ERROR * side / UNITS, boxes.shape)
    noisy[:, :2] = np.clip(noisy[:, :2], 0, boxes[:, 2:] - 3)
    noisy[:, 2:] = np.clip(noisy[:, 2:], noisy[:, :2] + 3, side)
    return Annotation(numbers, names, noisy, _relations(scene, picture, numbers, boxes))


def _visible(picture: Picture) -> list[int]:
    scale = (len(picture.owner) / UNITS) ** 2
    seen = (picture.area >= MIN_AREA * scale) & (picture.area >= MIN_SEEN * picture.full_area)
    return [int(i) for i in np.flatnonzero(seen)]


def _relations(scene: Scene, picture: Picture, numbers: list[int], boxes: np.ndarray) -> list[tuple[int, str, int]]:
    pixels, rows, rng = Pixels(picture), {number: row for row, number in enumerate(numbers)}, scene.rng
    found, meant = [], set()
    for subject, predicate, object_ in scene.intents:
        meant.add(frozenset((subject, object_)))
        truth = pixels.predicate(subject, predicate, object_) if subject in rows and object_ in rows else None
        if truth and rng.random() < KEEP_MEANT:
            found += _written(rng, (subject, truth, object_))
    for subject, object_ in _close_pairs(scene, numbers, boxes, picture):
        if frozenset((subject, object_)) not in meant and rng.random() < KEEP_INCIDENTAL:
            truth = pixels.incidental(subject, object_)
            found += [(subject, truth, object_)] if truth else []
    names = [placed.name for placed in scene.objects]
    return [(rows[s], p, rows[o]) for s, p, o in found if scene.cast.allows(names[s], p, names[o])]


def _written(rng: np.random.Generator, relation: tuple[int, str, int]) -> list[tuple[int, str, int]]:
    """Now and then a vaguer word, or both the exact and the vaguer one."""
    subject, predicate, object_ = relation
    vaguer, draw = VAGUER.get(predicate), rng.random()
    if vaguer and draw < VAGUE:
        return [(subject, vaguer, object_)]
    if vaguer and draw < VAGUE + TWICE:
        return [relation, (subject, vaguer, object_)]
    return [relation]


def _close_pairs(scene: Scene, numbers: list[int], boxes: np.ndarray, picture: Picture) -> list[tuple[int, int]]:
    """Pairs whose boxes overlap or nearly do, each once, in the usual order of subject and object."""
    apart = 20 * len(picture.owner) / UNITS
    gaps = np.maximum(boxes[:, None, :2] - boxes[None, :, 2:], boxes[None, :, :2] - boxes[:, None, 2:]).max(-1)
    pairs = []
    for i, j in np.argwhere(np.triu(gaps < apart, 1)):
        a, b = numbers[i], numbers[j]
        ranks = [RANK.get(FAMILIES[scene.objects[n].name], 2) for n in (a, b)]
        swap = ranks[0] > ranks[1] or (ranks[0] == ranks[1] and scene.rng.random() < 0.5)
        pairs.append((b, a) if swap else (a, b))
    return pairs
