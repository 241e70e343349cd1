"""Where everything is on the page of a photo: masks and tags on the photo, nodes and arrows of the graph beside it."""

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from contourpy import contour_generator
from jaxtyping import Bool, Float
from PIL import Image

from segsg.figures.overlay import spread
from segsg.figures.style import PALETTE, data_uri, ink_on
from segsg.photos.graph import Box, PhotoGraph, Relation

TAG = 0.031
"""size of letters on the photo, in longer sides"""
LETTER, LINE = 0.6, 1.5
"""width and height that a letter needs, in sizes"""
IDLE = "#8a97a3"
"""colour of regions without relation"""
GRID = 192
"""cells along the longer side from which an outline is read; masks are no finer"""
HEAT_SIDE = 112
COLD, HOT = np.array([230.0, 60.0, 20.0]), np.array([255.0, 240.0, 120.0])


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
    mask_from: str


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
    """All regions, largest first so that small ones lie on top, and the relations, surest first."""

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
        yield DrawnRegion(
            place, name, region.score, colour, ink_on(colour), region.box, shape, tags.get(place), region.mask_from
        )


def _relation(place: int, relation: Relation, regions: dict[int, DrawnRegion]) -> DrawnRelation:
    triplet = regions[relation.subject], relation.predicate, regions[relation.object]
    if (where := relation.where) is None:
        return DrawnRelation(place, *triplet, relation.score, "", None)
    return DrawnRelation(place, *triplet, relation.score, heat(where.weights), where.box)


def _smallness(region: DrawnRegion) -> float:
    left, top, right, bottom = region.box
    return -(right - left) * (bottom - top)


def numbered(names: list[str]) -> list[str]:
    """Names that occur twice get numbers, so that a reader can tell one from the other."""
    total, seen, unique = Counter(names), Counter(), []
    for name in names:
        seen[name] += 1
        unique.append(f"{name} {seen[name]}" if total[name] > 1 else name)
    return unique


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


def outline(mask: Bool[np.ndarray, "h w"]) -> str:
    """The mask as an SVG path in pixels of the photo, to be filled by the even-odd rule; empty for an empty mask."""
    height, width = mask.shape
    cells = [max(1, round(side * min(1, GRID / max(height, width)))) for side in (width, height)]
    covered = Image.fromarray(mask.astype(np.uint8) * 255).resize(cells, Image.Resampling.BOX)
    framed = np.pad(np.asarray(covered, dtype=np.float64) / 255, 1)
    step = np.array([width / cells[0], height / cells[1]])
    lines = contour_generator(z=framed).lines(0.5)
    # Cell (1, 1) of the framed grid has its centre half a cell inside the photo.
    return "".join(_path(((line - 0.5) * step).clip(0, (width, height))) for line in lines)


def _path(points: Float[np.ndarray, "points 2"]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points[:-1]) + "Z"


def heat(weights: Float[np.ndarray, "side side"]) -> str:
    """A pair region as a PNG in a data URI: where both masks weigh more, it is brighter and less transparent.

    Its scale is its own, from nothing to its largest weight, since products of smoothed masks are small.
    """
    share = weights / max(float(weights.max()), 1e-9)
    smooth = Image.fromarray(share.astype(np.float32)).resize((HEAT_SIDE, HEAT_SIDE), Image.Resampling.BICUBIC)
    share = np.asarray(smooth).clip(0, 1)[..., None]
    pixels = np.concatenate([COLD + (HOT - COLD) * share, 235 * share**0.7], axis=2)
    return embedded(Image.fromarray(pixels.round().astype(np.uint8), "RGBA"), "png")


def embedded(image: Image.Image, kind: str, **options) -> str:
    """An image as a data URI; `kind` is "png" or "jpeg", and `options` are Pillow's for it."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return data_uri(stream.getvalue(), kind)


LETTERS, NODE_HEIGHT, HALF_SIDE = 17.0, 32.0, 215.0
"""size of a node's letters, height of a node, and half the side of the photo, in units of the diagram"""
SPACING = (175.0, 100.0)
"""least distance of the middles of two nodes, across and down"""
NAMED = 8
"""relations whose predicate is written even when nobody points at them; more and nobody reads any"""
BEND, ARROW = 0.14, 11.0
"""how far an arrow leaves the straight line, in its lengths; length of its head"""
MARGIN, LEAST_VIEW = 14.0, (480.0, 220.0)
"""around all nodes; least width and height of the view"""
Point = Float[np.ndarray, "2"]


@dataclass(frozen=True)
class Node:
    """A region of the graph."""

    region: DrawnRegion
    tag: Tag


@dataclass(frozen=True)
class Edge:
    """A relation: an arc and its head as SVG paths, and the middle of its label; `width` grows with its score."""

    relation: DrawnRelation
    arc: str
    head: str
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Diagram:
    """`left`, `top`, `width`, `height` are the view box; the first `named` relations are always labelled."""

    left: float
    top: float
    width: float
    height: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    named: int = NAMED


def diagram(drawn: Drawing) -> Diagram:
    """Nodes near where their objects are in the photo, pushed apart until they are readable."""
    related = sorted((region for region in drawn.regions if region.tag is not None), key=lambda region: region.place)
    centres = np.array([_centre(region, drawn) for region in related]).reshape(-1, 2)
    middles = spread(centres, SPACING)
    nodes = tuple(Node(region, _tag(region.name, middle)) for region, middle in zip(related, middles, strict=True))
    tags = {node.region.place: node.tag for node in nodes}
    edges = tuple(_edge(relation, tags) for relation in drawn.relations)
    return Diagram(*_view(list(tags.values())), nodes, edges)


def _view(tags: list[Tag]) -> tuple[float, float, float, float]:
    """A view box around all nodes, and not too small, so that letters of a small graph do not grow with the page."""
    corners = np.array([[(t.x, t.y), (t.x + t.width, t.y + t.height)] for t in tags]).reshape(-1, 2)
    low, high = corners.min(axis=0, initial=np.inf), corners.max(axis=0, initial=-np.inf)
    sides = np.maximum(high - low + 2 * MARGIN, LEAST_VIEW) if tags else np.array(LEAST_VIEW)
    left, top = (low + high - sides) / 2 if tags else (0.0, 0.0)
    return float(left), float(top), float(sides[0]), float(sides[1])


def _centre(region: DrawnRegion, drawn: Drawing) -> tuple[float, float]:
    """The centre of a region's box in units of the diagram."""
    left, top, right, bottom = region.box
    return (left + right) / drawn.width * HALF_SIDE, (top + bottom) / drawn.height * HALF_SIDE


def _tag(name: str, middle: Point) -> Tag:
    width = len(name) * LETTER * LETTERS + 20
    return Tag(float(middle[0] - width / 2), float(middle[1] - NODE_HEIGHT / 2), width, NODE_HEIGHT, LETTERS)


def _edge(relation: DrawnRelation, tags: dict[int, Tag]) -> Edge:
    first, last = tags[relation.subject.place], tags[relation.object.place]
    start, end = np.array(first.middle), np.array(last.middle)
    # To the right of its direction, so that the arrows of a pair in both directions are apart.
    bend = (start + end) / 2 + BEND * np.array([start[1] - end[1], end[0] - start[0]])
    start, end = _border(first, bend, 2.0), _border(last, bend, 3.0)
    way = (end - bend) / max(np.linalg.norm(end - bend), 1e-6)
    across = np.array([-way[1], way[0]])
    back = end - ARROW * way
    corners = [end, back + 0.42 * ARROW * across, back - 0.42 * ARROW * across]
    middle = 0.25 * start + 0.5 * bend + 0.25 * end
    return Edge(
        relation,
        f"M{_text(start)}Q{_text(bend)} {_text(end - 0.6 * ARROW * way)}",
        "M" + "L".join(_text(corner) for corner in corners) + "Z",
        float(middle[0]),
        float(middle[1]),
        1.4 + 2.2 * relation.score,
    )


def _border(tag: Tag, towards: Point, gap: float) -> Point:
    """The point where a line from the middle of a node `towards` another leaves the node, and `gap` farther out."""
    middle = np.array(tag.middle)
    way = towards - middle
    reach = np.abs(way) / np.array([tag.width / 2 + gap, tag.height / 2 + gap])
    return middle + way / max(float(reach.max()), 1e-6)


def _text(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
