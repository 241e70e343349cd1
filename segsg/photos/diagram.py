"""The node-link graph beside a photo, laid out once here, so that the page needs no library for it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from segsg.figures.overlay import spread
from segsg.photos.drawing import LETTER, Drawing, DrawnRegion, DrawnRelation, Tag

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
