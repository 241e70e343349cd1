"""A scene under construction: placed figures, and what templates mean them to do to each other."""

from dataclasses import dataclass, field

import numpy as np

from segsg.world.classes import FAMILY, Cast
from segsg.world.figure import DRAWERS, SIZES, Figure, Point, Sketch, Stroke

BEHIND, BETWEEN, FRONT, BEFORE, CLASP = -0.3, 0.1, 0.2, 0.3, 0.4
"""depths relative to a template's anchor; CLASP is what an anchor lays over a figure it engages with"""
DEPTHS = {"behind": BEHIND, "in front of": BEFORE}


@dataclass
class Placed:
    """A figure in a scene: layers of strokes, each with its depth (greater is nearer). `number` is its index there."""

    number: int
    figure: Figure
    depth: float
    layers: list[tuple[float, list[Stroke]]]


@dataclass
class Scene:
    """Figures placed in one picture, and relations that are meant between them.

    `intents` are rows (subject, predicate, object) that pixels confirm or refute once the scene is rendered.
    """

    rng: np.random.Generator
    cast: Cast
    objects: list[Placed] = field(default_factory=list)
    intents: list[tuple[int, str, int]] = field(default_factory=list)

    def put(self, figure: Figure, depth: float, front: float | None = None) -> Placed:
        """Place a figure; its front layer lies at depth `front`."""
        layers = [(depth, figure.back.strokes), (depth + FRONT if front is None else front, figure.front.strokes)]
        self.objects.append(Placed(len(self.objects), figure, depth, [layer for layer in layers if layer[1]]))
        return self.objects[-1]

    def clasp(self, placed: Placed) -> Sketch:
        """A new sketch whose strokes belong to a placed figure and lie over the figure that it touches."""
        sketch = Sketch()
        placed.layers.append((placed.depth + CLASP, sketch.strokes))
        return sketch

    def say(self, subject: Placed, predicate: str, object_: Placed) -> None:
        """Note that a relation is meant between two placed figures."""
        self.intents.append((subject.number, predicate, object_.number))

    def add(self, figure: Figure, predicate: str, host: Placed, depth: float = BETWEEN) -> None:
        """Place a figure that does something to a placed one; `depth` is its own where the predicate leaves it open."""
        self.say(self.put(figure, host.depth + DEPTHS.get(predicate, depth)), predicate, host)

    def give(self, host: Placed, predicate: str, figure: Figure, depth: float = BETWEEN) -> None:
        """Place a figure that a placed one does something to."""
        self.say(host, predicate, self.put(figure, host.depth + (BEHIND if predicate == "in front of" else depth)))

    def size(self, name: str, factor: float = 1.0) -> float:
        """A size for a figure."""
        return SIZES[FAMILY[name]] * factor * self.rng.uniform(0.88, 1.15)

    def draw(self, name: str, x: float, y: float, size: float, **how) -> Figure:
        """The figure of a name."""
        figure = Figure(name, x)
        DRAWERS[FAMILY[name]](figure, self.rng, x, y, size, **how)
        return figure

    def draw_by(self, mark: str, place: Point, name: str, size: float, **how) -> Figure:
        """A figure whose mark is at `place`: drawn once to see where the mark is, and again there."""
        state = self.rng.bit_generator.state
        x, y = self.draw(name, 0.0, 0.0, size, **how).marks[mark]
        self.rng.bit_generator.state = state
        return self.draw(name, place[0] - x, place[1] - y, size, **how)

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
