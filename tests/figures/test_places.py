"""Readable places for the nodes of a graph."""

import numpy as np
import pytest

from segsg.figures.places import spread

APART = (0.5, 0.3)


def gaps(places):
    away = np.abs(places[:, None] - places[None]) / APART
    return np.linalg.norm(away, axis=2)[~np.eye(len(places), dtype=bool)]


@pytest.mark.parametrize("points", [np.zeros((6, 2)), np.random.default_rng(0).uniform(-0.3, 0.3, (10, 2))])
def test_crowded_nodes_move_apart(points):
    assert gaps(spread(points, APART)).min() > 0.7


def test_nodes_with_room_stay():
    points = np.array([[-1.0, -1.0], [1.0, 1.0], [1.0, -1.0]])
    assert np.abs(spread(points, APART) - points).max() < 0.01


def test_same_points_same_places():
    points = np.random.default_rng(1).normal(size=(5, 2))
    assert np.array_equal(spread(points, APART), spread(points, APART))


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one(count):
    assert spread(np.zeros((count, 2)), APART).shape == (count, 2)
