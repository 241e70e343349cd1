"""Graphs of photos that nobody took, and the bundle that comes with the project."""

import numpy as np

from segsg.files import ROOT
from segsg.photos.graph import PairRegion, PhotoGraph, Region, Relation, runs_of

MINI = ROOT / "bundles" / "mini"
HEIGHT, WIDTH = 60, 80


def region(name, left, top, right, bottom, score=0.9, masked=True):
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[top + 2 : bottom - 2, left + 2 : right - 2] = True
    return Region(
        name, score, (float(left), float(top), float(right), float(bottom)), runs_of(mask) if masked else None
    )


def graph(relations=((0, "rides", 1),), names=("man", "horse", "hat"), masked=True):
    """Three regions, and relations with ever smaller scores."""
    places = ((10, 5, 30, 40), (20, 20, 70, 58), (12, 2, 24, 10))
    regions = tuple(region(name, *place, masked=masked) for name, place in zip(names, places, strict=True))
    weights = np.zeros((28, 28), dtype=np.float32)
    weights[10:14, 8:20] = 0.2
    where = PairRegion((10.0, 5.0, 70.0, 58.0), weights) if masked else None
    found = tuple(Relation(s, p, o, 0.8 / (i + 1), where) for i, (s, p, o) in enumerate(relations))
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return PhotoGraph(image, regions, found)


def nothing():
    """A photo in which nothing was found."""
    return PhotoGraph(np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8), (), ())
