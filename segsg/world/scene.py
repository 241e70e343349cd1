"""A scene under construction: placed figures, and what each template means them to do to each other."""

from dataclasses import dataclass, field

import numpy as np

from segsg.world import animals, containers, furniture, people, things
from segsg.world.brush import Sketch, Stroke
from segsg.world.classes import GRAPH_FAMILIES, MASK_FAMILIES, held_out
from segsg.world.figure import Figure

DRAWERS = {
    "people": people.person,
    "animal": animals.animal,
    "mount": animals.animal,
    "table": furniture.table,
    "cart": furniture.cart,
    "post": furniture.post,
    "plant": furniture.tree,
    "frame": furniture.frame,
    "cup": containers.cup,
    "vessel": containers.vessel,
    "case": containers.case,
    "headwear": things.headwear,
    "cloth": things.cloth,
    "bag": things.bag,
    "umbrella": things.umbrella,
    "stick": things.stick,
    "ball": things.ball,
    "sign": things.sign,
    "wheel": things.wheel,
}
SEATS = {"bench": furniture.bench, "armchair": furniture.armchair, "recliner": furniture.armchair}
SIZES = {
    "animal": 34,
    "cup": 17,
    "vessel": 21,
    "case": 25,
    "headwear": 19,
    "cloth": 26,
    "bag": 20,
    "umbrella": 34,
    "stick": 38,
    "ball": 17,
    "sign": 21,
    "wheel": 24,
    "frame": 44,
}
"""usual sizes in world units"""
BEHIND, BACK, BETWEEN, FRONT, BEFORE, CLASP = -0.3, 0.0, 0.1, 0.2, 0.3, 0.4
"""depths relative to a template's anchor; CLASP is what an anchor lays over a figure it engages with"""


@dataclass(frozen=True)
class Cast:
    """Which names a data set has for each family, and whether held-out triplets may be drawn."""

    families: dict[str, str]
    zero_shot: bool

    def names(self, families: tuple[str, ...]) -> list[str]:
        """The names of some families; a family given twice counts twice."""
        return [name for family in families for name, own in self.families.items() if own == family]

    def allows(self, subject: str, predicate: str, object_: str) -> bool:
        """Whether a triplet may appear."""
        return self.zero_shot or not held_out(subject, predicate, object_)


GRAPH_CAST, MASK_CAST = Cast(GRAPH_FAMILIES, False), Cast(MASK_FAMILIES, True)
GRAPH_TEST_CAST = Cast(GRAPH_FAMILIES, True)
FAMILIES = MASK_FAMILIES | GRAPH_FAMILIES


@dataclass
class Placed:
    """A figure in a scene: layers of strokes, each with its depth (greater is nearer)."""

    name: str
    layers: list[tuple[float, list[Stroke]]]


@dataclass
class Scene:
    """`intents` are rows (subject, predicate, object) that pixels confirm or refute once the scene is rendered."""

    rng: np.random.Generator
    cast: Cast
    objects: list[Placed] = field(default_factory=list)
    intents: list[tuple[int, str, int]] = field(default_factory=list)

    def put(self, figure: Figure, depth: float, front: float | None = None) -> int:
        """Place a figure; its front layer lies at depth `front`."""
        layers = [(depth, figure.back.strokes), (depth + FRONT if front is None else front, figure.front.strokes)]
        self.objects.append(Placed(figure.name, [layer for layer in layers if layer[1]]))
        return len(self.objects) - 1

    def clasp(self, number: int, depth: float, sketch: Sketch) -> None:
        """Lay more strokes of object `number` over the scene at `depth`."""
        self.objects[number].layers.append((depth, sketch.strokes))

    def say(self, subject: int, predicate: str, object_: int) -> None:
        """Note what was meant."""
        self.intents.append((subject, predicate, object_))

    def size(self, name: str, factor: float = 1.0) -> float:
        """A size for a figure."""
        return SIZES[FAMILIES[name]] * factor * self.rng.uniform(0.88, 1.15)

    def draw(self, name: str, x: float, y: float, size: float, **how) -> Figure:
        """The figure of a name."""
        drawer = SEATS[name] if name in SEATS else DRAWERS[FAMILIES[name]]
        return drawer(self.rng, name, x, y, size, **how)

    def pick(self, *families: str) -> str | None:
        """A random name out of some families; None where the data set has none."""
        names = self.cast.names(families)
        return names[self.rng.integers(len(names))] if names else None

    def choose(self, families, outcomes: dict[str, float], partner: str, partner_first=False) -> tuple[str, str] | None:
        """A name and what it does to (or, `partner_first`, what is done to it by) `partner`.

        Names and predicates are drawn independently of each other, so that names say little about predicates;
        combinations that are held out are drawn again.
        """
        names, predicates = self.cast.names(families), list(outcomes)
        shares = np.array(list(outcomes.values())) / sum(outcomes.values())
        for _ in range(12 if names else 0):
            name = names[self.rng.integers(len(names))]
            predicate = predicates[self.rng.choice(len(predicates), p=shares)]
            pair = (partner, name) if partner_first else (name, partner)
            if self.cast.allows(pair[0], predicate, pair[1]):
                return name, predicate
        return None
