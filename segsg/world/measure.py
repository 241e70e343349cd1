"""How hard a drawn world is: what class names, boxes and masks tell about the predicate of an annotated pair."""

import json
import multiprocessing
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from segsg.world.classes import GRAPH_CLASSES, PREDICATES
from segsg.world.draw import SETTINGS, Settings
from segsg.world.images import Place, draw_image
from segsg.world.pair_features import box_features, mask_features

ITERATIONS = 25


@dataclass(frozen=True)
class Pairs:
    """Annotated pairs of a split: rows of class indices, features, predicates, and the image each comes from."""

    classes: np.ndarray
    boxes: np.ndarray
    masks: np.ndarray
    predicates: np.ndarray
    image: np.ndarray


def measure(folder: Path | str, train_images: int = 2000, workers: int = 2) -> dict:
    """Statistics of the world in `folder` and the accuracy of three yardstick classifiers on its test pairs.

    The images are drawn again from the world's settings, since training photos come without true masks. Returns
    counts per class and predicate, objects and relations per image, `entropy` (bits of a predicate that are left
    once the class pair is known) and `classifiers`: name -> {accuracy, mean_accuracy, mean_recall, per_predicate}.
    """
    settings = Settings(**json.loads((Path(folder) / SETTINGS).read_text()))
    places = settings.scene_graph_places()
    train = [place for place in places if place.split == "train"][:train_images]
    test = [place for place in places if place.split == "test"]
    images = _studied(train + test, workers)
    train_pairs, test_pairs = _pairs(images[: len(train)]), _pairs(images[len(train) :])
    names = [name for image in images for name in image["names"]]
    return {
        "images": len(images),
        "objects per image": len(names) / len(images),
        "relations per image": (len(train_pairs.predicates) + len(test_pairs.predicates)) / len(images),
        "classes": dict(Counter(names).most_common()),
        "training predicates": _predicate_counts(train_pairs),
        "test predicates": _predicate_counts(test_pairs),
        "entropy": _entropy(train_pairs),
        "unseen test relations": _unseen(train_pairs, test_pairs),
        "classifiers": _classifiers(train_pairs, test_pairs),
    }


def study(place: Place) -> dict:
    """Names of the objects of an image, and features of its annotated pairs."""
    drawn = draw_image(place)
    annotation = drawn.annotation
    rows = [
        (
            [GRAPH_CLASSES.index(annotation.names[i]) for i in (s, o)],
            box_features(annotation.boxes[s], annotation.boxes[o], place.side),
            mask_features(drawn, s, o),
            PREDICATES.index(predicate),
        )
        for s, predicate, o in annotation.relations
    ]
    return {"names": annotation.names, "rows": rows}


def _studied(places: list[Place], workers: int) -> list[dict]:
    if workers <= 1:
        return list(map(study, places))
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        return pool.map(study, places, chunksize=32)


def _pairs(images: list[dict]) -> Pairs:
    rows = [row for image in images for row in image["rows"]]
    columns = [np.array(column, np.float32) for column in zip(*rows, strict=True)]
    image = np.repeat(np.arange(len(images)), [len(image["rows"]) for image in images])
    return Pairs(columns[0].astype(int), columns[1], columns[2], columns[3].astype(int), image)


def _predicate_counts(pairs: Pairs) -> dict[str, int]:
    counts = np.bincount(pairs.predicates, minlength=len(PREDICATES))
    return {PREDICATES[i]: int(counts[i]) for i in np.argsort(-counts, kind="stable")}


def _table(pairs: Pairs) -> np.ndarray:
    """Counts [classes, classes, predicates]."""
    table = np.zeros((len(GRAPH_CLASSES), len(GRAPH_CLASSES), len(PREDICATES)))
    np.add.at(table, (*pairs.classes.T, pairs.predicates), 1)
    return table


def _entropy(pairs: Pairs) -> float:
    table = _table(pairs)
    totals = table.sum(-1, keepdims=True)
    shares = table / np.maximum(totals, 1)
    bits = -(shares * np.log2(np.maximum(shares, 1e-12))).sum(-1)
    return float((bits * totals[..., 0]).sum() / totals.sum())


def _unseen(train: Pairs, test: Pairs) -> float:
    """The share of test relations whose triplet of names no training relation has."""
    return float((_table(train)[(*test.classes.T, test.predicates)] == 0).mean())


def _classifiers(train: Pairs, test: Pairs) -> dict[str, dict]:
    frequency = _table(train) + 1e-3 * np.bincount(train.predicates, minlength=len(PREDICATES)) / len(train.image)
    report = partial(_report, test)
    return {
        "class names": report(frequency[tuple(test.classes.T)].argmax(-1)),
        "class names, boxes": report(_boosted(train, test, ("boxes",))),
        "class names, boxes, masks": report(_boosted(train, test, ("boxes", "masks"))),
    }


def _boosted(train: Pairs, test: Pairs, kinds: tuple[str, ...]) -> np.ndarray:
    x_train, x_test = (np.hstack([p.classes, *(getattr(p, kind) for kind in kinds)]) for p in (train, test))
    model = HistGradientBoostingClassifier(
        max_iter=ITERATIONS,
        learning_rate=0.15,
        max_leaf_nodes=24,
        categorical_features=[0, 1],
        random_state=0,
    )
    return model.fit(x_train, train.predicates).predict(x_test)


def _report(test: Pairs, predicted: np.ndarray) -> dict:
    right = predicted == test.predicates
    present = [p for p in range(len(PREDICATES)) if (test.predicates == p).any()]
    accuracy = {PREDICATES[p]: float(right[test.predicates == p].mean()) for p in present}
    recall = [_image_mean(right[test.predicates == p], test.image[test.predicates == p]) for p in present]
    return {
        "accuracy": float(right.mean()),
        "mean_accuracy": float(np.mean(list(accuracy.values()))),
        "mean_recall": float(np.mean(recall)),
        "per_predicate": accuracy,
    }


def _image_mean(right: np.ndarray, image: np.ndarray) -> float:
    """Recall of each image first, then the mean over images, as mR does."""
    _, rows = np.unique(image, return_inverse=True)
    return float((np.bincount(rows, right) / np.bincount(rows)).mean())
