"""The diagram of a photo's graph: nodes are apart, and so are labels, also of two arrows between one pair."""

from itertools import combinations

import numpy as np
import pytest
from made_graphs import graph, nothing

from segsg.photos.diagram import diagram
from segsg.photos.drawing import drawing
from segsg.photos.graph import PhotoGraph, Region, Relation


def drawn(relations, made=graph):
    return diagram(drawing(made(relations)))


def apart(a, b) -> bool:
    return a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y


def two(centres) -> PhotoGraph:
    """Two regions of 8 pixels about these points of a photo of 100, related in both directions."""
    regions = tuple(Region("person", 0.9, (x - 4.0, y - 4.0, x + 4.0, y + 4.0), None) for x, y in centres)
    relations = (Relation(0, "in the front of", 1, 0.5), Relation(1, "in the front of", 0, 0.4))
    return PhotoGraph(np.zeros((100, 100, 3), dtype=np.uint8), regions, relations)


@pytest.mark.parametrize("angle", range(0, 180, 15))
@pytest.mark.parametrize("distance", [0.0, 10.0, 45.0])
def test_labels_of_two_opposite_arrows_are_apart_whatever_their_direction(angle, distance):
    way = distance * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    shown = diagram(drawing(two([(50 + way[0], 50 + way[1]), (50 - way[0], 50 - way[1])])))
    there, back = (edge.label for edge in shown.edges)
    assert apart(there, back)
    for label in (there, back):
        assert all(apart(label, node.tag) for node in shown.nodes)


def test_nodes_and_labels_of_three_regions_are_apart_and_in_the_view():
    relations = [(0, "rides", 1), (1, "under", 0), (2, "on", 0), (0, "has", 2)]
    shown = drawn(relations)
    tags = [*(node.tag for node in shown.nodes), *(edge.label for edge in shown.edges)]
    assert all(apart(a, b) for a, b in combinations(tags, 2))
    for tag in tags:
        assert shown.left <= tag.x <= tag.x + tag.width <= shown.left + shown.width
        assert shown.top <= tag.y <= tag.y + tag.height <= shown.top + shown.height
    assert [edge.relation.predicate for edge in shown.edges] == ["rides", "under", "on", "has"]


def test_a_graph_without_relations_has_an_empty_diagram():
    shown = diagram(drawing(nothing()))
    assert (shown.nodes, shown.edges) == ((), ())
