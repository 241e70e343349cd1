"""Where everything is on the page of a photo: masks and tags on the photo, nodes and arrows of the graph beside it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from segsg.figures.places import spread
from segsg.figures.style import INK, PALETTE
from segsg.photos.contours import heat, outline
from segsg.photos.graph import Box, PhotoGraph, Relation

TAG = 0.031
"""size of letters on the photo, in longer sides"""
LETTER, LINE = 0.6, 1.5
"""width and height that a letter needs, in sizes"""
IDLE = "#8a97a3"
"""colour of regions without relation"""
BRIGHT = 0.4
"""relative luminance from which letters on a colour are dark"""


@dataclass(frozen=True)
class Tag:
    """A name on a rectangle: top left corner, width and height, size of its letters."""

    x: float
    y: float
    width: float
    height: float
    size: float

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class DrawnRegion:
    """`place` counts the graph's regions. Only related regions have a `tag` on the photo."""

    place: int
    name: str
    score: float
    colour: str
    ink: str
    box: Box
    outline: str
    tag: Tag | None


@dataclass(frozen=True)
class DrawnRelation:
    """A line of the list; `heat` is a data URI that fills `union`, empty where the model has no pair region."""

    place: int
    subject: DrawnRegion
    predicate: str
    object: DrawnRegion
    score: float
    heat: str
    union: Box | None


@dataclass(frozen=True)
class Drawing:
    """All regions, largest first so that small ones lie on top, and the relations."""

    width: int
    height: int
    regions: tuple[DrawnRegion, ...]
    relations: tuple[DrawnRelation, ...]


def drawing(graph: PhotoGraph) -> Drawing:
    """A graph, at the size of a screen, drawn on its photo."""
    regions = {region.place: region for region in _regions(graph)}
    relations = tuple(_relation(place, relation, regions) for place, relation in enumerate(graph.relations))
    height, width = graph.size
    return Drawing(width, height, tuple(sorted(regions.values(), key=_smallness)), relations)


def _regions(graph: PhotoGraph) -> Iterator[DrawnRegion]:
    related = graph.related()
    names = dict(zip(related, numbered([graph.regions[i].name for i in related]), strict=True))
    tags = dict(zip(related, _tags(graph, names), strict=True))
    colours = {place: PALETTE[i % len(PALETTE)] for i, place in enumerate(related)}
    for place, region in enumerate(graph.regions):
        colour, name = colours.get(place, IDLE), names.get(place, region.name)
        shape = "" if region.runs is None else outline(region.mask)
        yield DrawnRegion(place, name, region.score, colour, ink_on(colour), region.box, shape, tags.get(place))


def _relation(place: int, relation: Relation, regions: dict[int, DrawnRegion]) -> DrawnRelation:
    ends = regions[relation.subject], relation.predicate, regions[relation.object]
    if (where := relation.where) is None:
        return DrawnRelation(place, *ends, relation.score, "", None)
    return DrawnRelation(place, *ends, relation.score, heat(where.weights), where.box)


def _smallness(region: DrawnRegion) -> float:
    left, top, right, bottom = region.box
    return -(right - left) * (bottom - top)


def numbered(names: list[str]) -> list[str]:
    """Names that occur twice get numbers, so that a reader can tell one from the other."""
    total, seen, found = Counter(names), Counter(), []
    for name in names:
        seen[name] += 1
        found.append(f"{name} {seen[name]}" if total[name] > 1 else name)
    return found


def _tags(graph: PhotoGraph, names: dict[int, str]) -> list[Tag]:
    """Tags of regions by their names: above the boxes if there is room, inside the photo in any case."""
    height, width = graph.size
    size = TAG * max(height, width)
    sides = np.array([((len(name) + 1) * LETTER * size, LINE * size) for name in names.values()]).reshape(-1, 2)
    corners = np.array([graph.regions[place].box for place in names]).reshape(-1, 4)[:, :2]
    middles = corners + sides * (0.5, -0.5)
    room = (0.9 * sides[:, 0].max(initial=1.0), 1.1 * LINE * size)
    corners = (spread(middles, room) - sides / 2).clip(0, np.maximum((width, height) - sides, 0))
    return [Tag(*map(float, (*corner, *side)), size) for corner, side in zip(corners, sides, strict=True)]


def ink_on(colour: str) -> str:
    """White or the dark ink, whichever is readable on a colour."""
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return INK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > BRIGHT else "#ffffff"


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
