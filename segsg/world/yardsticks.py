"""How hard a drawn world is: what class names, boxes and true masks tell about the predicate of an annotated pair.

Measured beside the study: nothing that is trained or evaluated depends on it.
"""

import json
import multiprocessing
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from segsg.world.classes import GRAPH_CLASSES, PREDICATES
from segsg.world.draw import SETTINGS, Settings
from segsg.world.images import Drawn, Place, draw_image

ITERATIONS = 25
GRID, SAMPLES = 6, 24
"""the union box is sampled at 24 x 24 points and averaged over a 6 x 6 grid"""


@dataclass(frozen=True)
class Pairs:
    """Annotated pairs of a split: rows of class indices, features, predicates, and the image each comes from."""

    classes: np.ndarray
    boxes: np.ndarray
    masks: np.ndarray
    predicates: np.ndarray
    image: np.ndarray

    def table(self) -> np.ndarray:
        """Counts [classes, classes, predicates]."""
        table = np.zeros((len(GRAPH_CLASSES), len(GRAPH_CLASSES), len(PREDICATES)))
        np.add.at(table, (*self.classes.T, self.predicates), 1)
        return table

    def predicate_counts(self) -> dict[str, int]:
        """{predicate: number of its pairs}, most frequent first."""
        counts = np.bincount(self.predicates, minlength=len(PREDICATES))
        return {PREDICATES[i]: int(counts[i]) for i in np.argsort(-counts, kind="stable")}


def measure(folder: Path | str, train_images: int = 2000, workers: int = 2) -> dict:
    """Statistics of the world in `folder` and the accuracy of three yardstick classifiers on its test pairs.

    The images are drawn again from the world's settings, since training photos come without true masks. Returns
    counts per class and predicate, objects and relations per image, `entropy` (bits of a predicate that are left
    once the class pair is known) and `classifiers`: name -> {accuracy, mean_accuracy, mean_recall, per_predicate}.
    """
    places = Settings(**json.loads((Path(folder) / SETTINGS).read_text())).scene_graph_places()
    train = [place for place in places if place.split == "train"][:train_images]
    test = [place for place in places if place.split == "test"]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        images = pool.map(describe, train + test, chunksize=32)
    train_pairs, test_pairs = _pairs(images[: len(train)]), _pairs(images[len(train) :])
    names = [name for image_names, _ in images for name in image_names]
    return {
        "images": len(images),
        "objects per image": len(names) / len(images),
        "relations per image": (len(train_pairs.predicates) + len(test_pairs.predicates)) / len(images),
        "classes": dict(Counter(names).most_common()),
        "training predicates": train_pairs.predicate_counts(),
        "test predicates": test_pairs.predicate_counts(),
        "entropy": entropy(train_pairs),
        "unseen test relations": unseen(train_pairs, test_pairs),
        "classifiers": _classifiers(train_pairs, test_pairs),
    }


def table(measured: dict) -> pd.DataFrame:
    """The classifiers that `measure` returns, one per row; without rows if nothing was measured."""
    columns = ["accuracy", "mean_accuracy", "mean_recall"]
    return pd.DataFrame(measured.get("classifiers", {}), index=columns).T.astype(float).round(3)


def entropy(pairs: Pairs) -> float:
    """Bits of the predicate that are left on average once the class pair is known."""
    counts = pairs.table()
    totals = counts.sum(-1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    bits = -(shares * np.log2(np.maximum(shares, 1e-12))).sum(-1)
    return float((bits * totals[..., 0]).sum() / totals.sum())


def unseen(train: Pairs, test: Pairs) -> float:
    """The share of test relations whose triplet of names no training relation has."""
    return float((train.table()[(*test.classes.T, test.predicates)] == 0).mean())


def describe(place: Place) -> tuple[list[str], list[tuple]]:
    """Names of the objects of an image, and (classes, features of boxes, of masks, predicate) of annotated pairs."""
    drawn = draw_image(place)
    names, boxes = drawn.annotation.names, drawn.annotation.boxes
    rows = [
        (
            [GRAPH_CLASSES.index(names[i]) for i in (s, o)],
            box_features(boxes[s], boxes[o], place.side),
            mask_features(drawn, s, o),
            PREDICATES.index(predicate),
        )
        for s, predicate, o in drawn.annotation.relations
    ]
    return names, rows


def _pairs(images: list[tuple[list[str], list[tuple]]]) -> Pairs:
    columns = zip(*(row for _, rows in images for row in rows), strict=True)
    classes, boxes, masks, predicates = (np.array(column, np.float32) for column in columns)
    image = np.repeat(np.arange(len(images)), [len(rows) for _, rows in images])
    return Pairs(classes.astype(int), boxes, masks, predicates.astype(int), image)


def box_features(first: np.ndarray, second: np.ndarray, side: int) -> np.ndarray:
    """Relative places and sizes of two annotated boxes."""
    (w1, h1), (w2, h2) = first[2:] - first[:2], second[2:] - second[:2]
    overlap = np.maximum(np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2]), 0)
    size1, size2, inside = np.tile([w1, h1], 2), np.tile([w2, h2], 2), overlap.prod()
    shifts = np.concatenate([(second - first) / size1, (first - second) / size2])
    shares = [inside / (w1 * h1), inside / (w2 * h2), np.log(w1 / w2), np.log(h1 / h2)]
    return np.array([*np.clip(shifts, -4, 4), *shares, *(second - first), *(first / side), *(second / side)])


def mask_features(drawn: Drawn, subject: int, object_: int) -> np.ndarray:
    """Contact, gap, who owns the overlap of the boxes, fill, and where in the union box each object is seen."""
    picture, boxes = drawn.picture, drawn.annotation.boxes[[subject, object_]]
    numbers = [drawn.annotation.numbers[i] for i in (subject, object_)]
    extents = np.array([picture.extent(i) for i in numbers])
    fills = picture.area[numbers] / (extents[:, 2:] - extents[:, :2]).prod(1)
    shared = _window(picture.owner, extents[:, :2].max(0), extents[:, 2:].min(0))
    shares = [(shared == i).mean() if shared.size else -1.0 for i in numbers]
    border = _contact(picture.owner, numbers, extents)
    grid = _grid(picture.owner, numbers, np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)]))
    return np.array([picture.gap(*numbers), *fills, *shares, *border, *grid])


def _window(owner: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    return owner[first[1] : max(last[1], first[1]), first[0] : max(last[0], first[0])]


def _contact(owner: np.ndarray, numbers: list[int], extents: np.ndarray) -> np.ndarray:
    """Length of the common border, and its middle and spread relative to both boxes."""
    first = (extents[:, :2].max(0) - 1).clip(0)
    window = _window(owner, first, extents[:, 2:].min(0) + 1)
    is_a, is_b = (window == i for i in numbers)
    border = np.zeros_like(is_a)
    border[:, :-1] |= is_a[:, :-1] & is_b[:, 1:]
    border[:, 1:] |= is_a[:, 1:] & is_b[:, :-1]
    border[:-1] |= is_a[:-1] & is_b[1:]
    border[1:] |= is_a[1:] & is_b[:-1]
    points = np.argwhere(border)[:, ::-1] + first
    if not len(points):
        return np.array([0.0] + [np.nan] * 12)
    places = [(points - box[:2]) / (box[2:] - box[:2]) for box in extents]
    return np.array([len(points), *(v for p in places for q in (p.mean(0), p.min(0), p.max(0)) for v in q)])


def _grid(owner: np.ndarray, numbers: list[int], union: np.ndarray) -> np.ndarray:
    steps, last, cell = (np.arange(SAMPLES) + 0.5) / SAMPLES, len(owner) - 1, SAMPLES // GRID
    columns, rows = ((union[i] + steps * (union[i + 2] - union[i])).astype(int).clip(0, last) for i in (0, 1))
    cells = owner[np.ix_(rows, columns)].reshape(GRID, cell, GRID, cell)
    return np.concatenate([(cells == i).mean((1, 3), dtype=np.float32).ravel() for i in numbers])


def _classifiers(train: Pairs, test: Pairs) -> dict[str, dict]:
    frequency = train.table() + 1e-3 * np.bincount(train.predicates, minlength=len(PREDICATES)) / len(train.image)
    report = partial(_report, test)
    return {
        "class names": report(frequency[tuple(test.classes.T)].argmax(-1)),
        "class names, boxes": report(_boosted(train, test, ("boxes",))),
        "class names, boxes, masks": report(_boosted(train, test, ("boxes", "masks"))),
    }


def _boosted(train: Pairs, test: Pairs, kinds: tuple[str, ...]) -> np.ndarray:
    x_train, x_test = (np.hstack([p.classes, *(getattr(p, kind) for kind in kinds)]) for p in (train, test))
    model = HistGradientBoostingClassifier(
        max_iter=ITERATIONS, learning_rate=0.15, max_leaf_nodes=24, categorical_features=[0, 1], random_state=0
    )
    return model.fit(x_train, train.predicates).predict(x_test)


def _report(test: Pairs, predicted: np.ndarray) -> dict:
    right = predicted == test.predicates
    rows = {PREDICATES[p]: test.predicates == p for p in np.unique(test.predicates)}
    accuracy = {name: float(right[chosen].mean()) for name, chosen in rows.items()}
    return {
        "accuracy": float(right.mean()),
        "mean_accuracy": float(np.mean(list(accuracy.values()))),
        "mean_recall": float(np.mean([_image_mean(right[chosen], test.image[chosen]) for chosen in rows.values()])),
        "per_predicate": accuracy,
    }


def _image_mean(right: np.ndarray, image: np.ndarray) -> float:
    """Recall of each image first, then the mean over images, as mR does."""
    _, rows = np.unique(image, return_inverse=True)
    return float((np.bincount(rows, right) / np.bincount(rows)).mean())
