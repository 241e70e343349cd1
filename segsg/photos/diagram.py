"""The graph of a photo as a diagram: its nodes, the arrows between them, and where each arrow's label is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from segsg.figures.overlay import spread
from segsg.photos.drawing import LETTER, Drawing, DrawnRegion, DrawnRelation, Tag, hidden

LETTERS, NODE_HEIGHT, HALF_SIDE = 17.0, 32.0, 215.0
"""size of a node's letters, height of a node, and half the side of the photo, in units of the diagram"""
SPACING = (180.0, 125.0)
"""least distance of the middles of two nodes, across and down"""
LEAST_SCALE = 0.62
"""pixels of a unit; a page that is too narrow for them scrolls the diagram"""
NAMED = 8
"""relations whose predicate is written even when nobody points at them; more and nobody reads any"""
BEND, APART, ARROW = 0.14, 0.34, 11.0
"""how far an arrow bends, in its lengths; how far where another comes back; length of its head"""
LABEL, LABEL_HEIGHT = 18.0, 1.15
"""size of a label's letters on a phone, where they are largest (photo.css); height that a line of them needs, in it"""
STEPS, NEAR_ENDS = 32, 7
"""points along an arrow, and how many at either end are no place for its label"""
BESIDE = 14.0
"""how far from its arrow a label may be"""
CROSSED = 12.0
"""of area that labels share: what a point of another arrow behind a label costs"""
MARGIN, LEAST_VIEW = 14.0, (480.0, 220.0)
"""around nodes and labels; least width and height of the view"""
Point = Float[np.ndarray, "2"]
Arc = Float[np.ndarray, "3 2"]
"""a quadratic Bezier curve: start, the point that it bends towards, end"""


@dataclass(frozen=True)
class Node:
    """A region of the graph."""

    region: DrawnRegion
    tag: Tag


@dataclass(frozen=True)
class Edge:
    """A relation: an arc and its head as SVG paths, and where its label is; `width` grows with its score."""

    relation: DrawnRelation
    arc: str
    head: str
    label: Tag
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
    least_scale: float = LEAST_SCALE


def diagram(drawn: Drawing) -> Diagram:
    """Nodes near where their objects are in the photo, pushed apart until they are readable."""
    related = sorted((region for region in drawn.regions if region.tag is not None), key=lambda region: region.place)
    centres = np.array([_centre(region, drawn) for region in related]).reshape(-1, 2)
    middles = spread(centres, SPACING)
    nodes = tuple(Node(region, _tag(region.name, middle)) for region, middle in zip(related, middles, strict=True))
    tags = {node.region.place: node.tag for node in nodes}
    edges = _edges(drawn.relations, tags)
    return Diagram(*_view([*tags.values(), *(edge.label for edge in edges)]), nodes, edges)


def _view(tags: list[Tag]) -> tuple[float, float, float, float]:
    """A view box around all nodes and labels, and not too small: letters of a small graph do not grow with the page."""
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


def _edges(relations: Sequence[DrawnRelation], tags: dict[int, Tag]) -> tuple[Edge, ...]:
    """All relations, in their order; `tags` are those of the nodes, by the place of their region."""
    ends = [(relation.subject.place, relation.object.place) for relation in relations]
    arcs = [_arc(tags[s], tags[o], APART if (o, s) in ends else BEND) for s, o in ends]
    labels = _labels(arcs, [relation.predicate for relation in relations], list(tags.values()))
    return tuple(_edge(*each) for each in zip(relations, arcs, labels, strict=True))


def _arc(first: Tag, last: Tag, bend: float) -> Arc:
    """From node to node, to the right of its direction, so that the arrows of a pair in both directions are apart."""
    start, end = np.array(first.middle), np.array(last.middle)
    towards = (start + end) / 2 + bend * np.array([start[1] - end[1], end[0] - start[0]])
    return np.stack([_border(first, towards, 2.0), towards, _border(last, towards, 3.0)])


def _labels(arcs: Sequence[Arc], words: Sequence[str], nodes: Sequence[Tag]) -> list[Tag]:
    """Each label on the point of its arrow, near the middle, or a little outside of it, where it hides least.

    Earlier labels come first: later ones keep clear of them, of nodes, and of other arrows.
    """
    shares = np.linspace(0, 1, STEPS + 1)[:, None]
    weights = np.hstack([(1 - shares) ** 2, 2 * shares * (1 - shares), shares**2])
    paths = [weights @ arc for arc in arcs]
    inner = np.arange(NEAR_ENDS, STEPS + 1 - NEAR_ENDS)
    inner = inner[np.abs(inner - STEPS / 2).argsort(kind="stable")]
    taken = list(nodes)
    for place, word in enumerate(words):
        half = np.array([len(word) * LETTER * LABEL, LABEL_HEIGHT * LABEL]) / 2
        outside = arcs[place][1] - (arcs[place][0] + arcs[place][2]) / 2
        outside = BESIDE * outside / max(np.linalg.norm(outside), 1e-6)
        spots = np.concatenate([paths[place][inner], paths[place][inner] + outside])
        others = np.concatenate([np.zeros((0, 2)), *paths[:place], *paths[place + 1 :]])
        crossed = (np.abs(spots[:, None] - others) < half).all(axis=2)
        x, y = spots[(hidden(spots, half, taken) + CROSSED * crossed.sum(axis=1)).argmin()] - half
        taken.append(Tag(float(x), float(y), *(2 * half).tolist(), LABEL))
    return taken[len(nodes) :]


def _edge(relation: DrawnRelation, arc: Arc, label: Tag) -> Edge:
    start, bend, end = arc
    way = (end - bend) / max(np.linalg.norm(end - bend), 1e-6)
    across = np.array([-way[1], way[0]])
    back = end - ARROW * way
    corners = [end, back + 0.42 * ARROW * across, back - 0.42 * ARROW * across]
    return Edge(
        relation,
        f"M{_text(start)}Q{_text(bend)} {_text(end - 0.6 * ARROW * way)}",
        "M" + "L".join(_text(corner) for corner in corners) + "Z",
        label,
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
