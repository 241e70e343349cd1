"""One image of a drawn world: composed, rendered and annotated from nothing but its place in the world.

A scene is two rows of groups, and clutter. An annotator's boxes are a little off, and only some relations are noted.
"""

from dataclasses import dataclass, replace

import numpy as np

from segsg.world import things  # noqa: F401 - its figures are drawn by name
from segsg.world.animals import animal_group, mount_group
from segsg.world.classes import FAMILY, GRAPH_CAST, GRAPH_TEST_CAST, MASK_CAST, Cast
from segsg.world.figure import UNITS
from segsg.world.furniture import cart_group, container_group, frame_group, seat_group, table_group
from segsg.world.people import person_group
from segsg.world.posts import post_group
from segsg.world.render import Picture, render
from segsg.world.scene import Scene

SETS = {"scene_graphs": 0, "masks": 1}
SPLITS = {"train": 0, "validation": 1, "test": 2}
WITHOUT_RELATIONS, WITHOUT_BOXES = (50, 7), (100, 23)
"""of each 50 training images the 8th has no annotated relation; of each 100 the 24th shows nothing at all"""
GROUPS = {
    person_group: 0.30,
    mount_group: 0.10,
    animal_group: 0.07,
    table_group: 0.10,
    seat_group: 0.10,
    cart_group: 0.07,
    frame_group: 0.06,
    container_group: 0.07,
    post_group: 0.13,
}
LOOSE = ("ball", "cup", "wheel", "bag", "case", "vessel", "animal", "sign", "headwear")
FAR_ROW, NEAR_ROW = (80, 108), (122, 154)
MIN_AREA, MIN_SEEN, MIN_SIDE = 45, 0.35, 5
"""an object is annotated if so many pixels (at a side of 160), such a share of it and such a box side are seen"""
BOX_ERROR = 1.5
"""standard deviation of each box edge, in world units"""
KEEP_MEANT, KEEP_INCIDENTAL, VAGUE, TWICE = 0.88, 0.09, 0.02, 0.03
VAGUER = dict.fromkeys(("inside", "attached to", "riding", "hanging from"), "on")
VAGUER |= {"holding": "has", "wearing": "has", "leaning on": "near"}
RANK = {"people": 0, "mount": 3, "table": 3, "seat": 3, "post": 3, "plant": 3, "frame": 3, "animal": 1, "cart": 1}
"""subjects come before objects in this order (2 where a family is not listed), as they do in the templates: else the
order of a pair would give away which predicate it has"""


@dataclass(frozen=True)
class Place:
    """Where an image belongs: it is a function of these alone, whoever draws it."""

    seed: int
    set_name: str
    split: str
    index: int
    image_id: int
    side: int
    mask_image_id: int | None = None
    """the id under which the mask set contains it too"""

    @property
    def mask_split(self) -> str | None:
        """The split of the mask set that it is in; None if it is in none."""
        shared = "train" if self.set_name == "scene_graphs" else self.split
        return None if self.mask_image_id is None else shared


@dataclass(frozen=True)
class Annotation:
    """Annotated objects: their numbers in the scene, names, boxes (xyxy in pixels), and rows of relations."""

    numbers: list[int]
    names: list[str]
    boxes: np.ndarray
    relations: list[tuple[int, str, int]]


@dataclass(frozen=True)
class Drawn:
    """A drawn image with what its annotator wrote down."""

    place: Place
    annotation: Annotation
    picture: Picture

    def masks(self) -> np.ndarray:
        """Seen pixels of each annotated object: bool [objects, side, side]."""
        return self.picture.owner == np.array(self.annotation.numbers, np.int16).reshape(-1, 1, 1)


def draw_image(place: Place) -> Drawn:
    """The image at a place, with its annotation."""
    rng = np.random.default_rng([place.seed, SETS[place.set_name], SPLITS[place.split], place.index])
    if place.set_name == "masks":
        return _drawn(place, compose(rng, MASK_CAST))
    if place.split == "train":
        if place.index % WITHOUT_BOXES[0] == WITHOUT_BOXES[1]:
            return _drawn(place, Scene(rng, GRAPH_CAST))
        drawn = _drawn(place, compose(rng, GRAPH_CAST))
        if place.index % WITHOUT_RELATIONS[0] == WITHOUT_RELATIONS[1]:
            return replace(drawn, annotation=replace(drawn.annotation, relations=[]))
        return drawn
    # Readers leave out rows without relations, and count validation images after that: none here may be left out.
    while not (drawn := _drawn(place, compose(rng, GRAPH_TEST_CAST))).annotation.relations:
        pass
    return drawn


def _drawn(place: Place, scene: Scene) -> Drawn:
    picture = render(scene, place.side)
    return Drawn(place, annotate(scene, picture), picture)


def compose(rng: np.random.Generator, cast: Cast) -> Scene:
    """A scene of four to six groups and up to two loose things."""
    scene, templates = Scene(rng, cast), list(GROUPS)
    shares = np.array(list(GROUPS.values())) / sum(GROUPS.values())
    far, near = int(rng.integers(2, 4)), int(rng.integers(2, 4))
    places = [(x, FAR_ROW) for x in _spread(rng, far)] + [(x, NEAR_ROW) for x in _spread(rng, near)]
    for x, row in places:
        y = rng.uniform(*row)
        templates[rng.choice(len(templates), p=shares)](scene, x, y, _nearness(y))
    for _ in range(rng.integers(0, 3)):
        y = rng.uniform(90, 156)
        x, name = rng.uniform(10, UNITS - 10), scene.pick(*LOOSE)
        scene.put(scene.draw(name, x, y, scene.size(name, _nearness(y))), y)
    return scene


def _spread(rng: np.random.Generator, count: int) -> np.ndarray:
    return (np.arange(count) + 0.5) * UNITS / count + rng.uniform(-9, 9, count)


def _nearness(y: float) -> float:
    """Things further up are further away, hence smaller."""
    return 0.76 + 0.3 * (y - FAR_ROW[0]) / (NEAR_ROW[1] - FAR_ROW[0])


def annotate(scene: Scene, picture: Picture) -> Annotation:
    """Annotate a picture; relations index the annotated objects."""
    side = len(picture.owner)
    seen = (picture.area >= MIN_AREA * picture.unit**2) & (picture.area >= MIN_SEEN * picture.full_area)
    extents = {i: picture.extent(i) for i in np.flatnonzero(seen).tolist()}
    numbers = [i for i, (x0, y0, x1, y1) in extents.items() if min(x1 - x0, y1 - y0) >= MIN_SIDE * side / UNITS]
    names = [scene.objects[i].figure.name for i in numbers]
    boxes = np.array([extents[i] for i in numbers]).reshape(-1, 4)
    noisy = boxes + scene.rng.normal(0, BOX_ERROR * side / UNITS, boxes.shape)
    noisy[:, :2] = np.clip(noisy[:, :2], 0, boxes[:, 2:] - 3)
    noisy[:, 2:] = np.clip(noisy[:, 2:], noisy[:, :2] + 3, side)
    return Annotation(numbers, names, noisy, _relations(scene, picture, numbers, boxes))


def _relations(scene: Scene, picture: Picture, numbers: list[int], boxes: np.ndarray) -> list[tuple[int, str, int]]:
    rows, rng = {number: row for row, number in enumerate(numbers)}, scene.rng
    noted, meant = [], set()
    for subject, predicate, object_ in scene.intents:
        meant.add(frozenset((subject, object_)))
        truth = picture.predicate(subject, predicate, object_) if subject in rows and object_ in rows else None
        if truth and rng.random() < KEEP_MEANT:
            noted += _written(rng, (subject, truth, object_))
    for subject, object_ in _close_pairs(scene, numbers, boxes, picture):
        if frozenset((subject, object_)) not in meant and rng.random() < KEEP_INCIDENTAL:
            truth = picture.incidental(subject, object_)
            noted += [(subject, truth, object_)] if truth else []
    names = [placed.figure.name for placed in scene.objects]
    return [(rows[s], p, rows[o]) for s, p, o in noted if scene.cast.allows(names[s], p, names[o])]


def _written(rng: np.random.Generator, relation: tuple[int, str, int]) -> list[tuple[int, str, int]]:
    """Now and then a vaguer word, or both the exact and the vaguer one."""
    subject, predicate, object_ = relation
    vaguer, draw = [(subject, VAGUER[predicate], object_)] if predicate in VAGUER else [], rng.random()
    if draw < VAGUE:
        return vaguer or [relation]
    return [relation, *vaguer] if draw < VAGUE + TWICE else [relation]


def _close_pairs(scene: Scene, numbers: list[int], boxes: np.ndarray, picture: Picture) -> list[tuple[int, int]]:
    """Pairs whose boxes overlap or nearly do, each once, in the usual order of subject and object."""
    reach = 20 * len(picture.owner) / UNITS
    gaps = np.maximum(boxes[:, None, :2] - boxes[None, :, 2:], boxes[None, :, :2] - boxes[:, None, 2:]).max(-1)
    pairs = []
    for i, j in np.argwhere(np.triu(gaps < reach, 1)):
        a, b = numbers[i], numbers[j]
        ranks = [RANK.get(FAMILY[scene.objects[n].figure.name], 2) for n in (a, b)]
        swap = ranks[0] > ranks[1] or (ranks[0] == ranks[1] and scene.rng.random() < 0.5)
        pairs.append((b, a) if swap else (a, b))
    return pairs
