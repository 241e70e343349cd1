"""What enters the evaluation: the truth of an image and its predicted graph, checked and turned into NumPy."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from segsg.structures import ImageGraph, Task

ROUNDING = 1e-3
"""by how much a probability in half precision may exceed 1"""
MOST_REGIONS = 2000
"""of one image; every predicted box is compared with every true one"""
MOST_PREDICATES = 10_000
"""background included; numbers are counted for each"""
MOST_CLASSES = 2**20 - 1
"""largest label; three of them make one key of 64 bits"""


@dataclass(frozen=True)
class Truth:
    """The annotation of one image in the frame of the original photo; tensors or arrays.

    `labels` count from 1; `relations` are rows (subject, object, predicate) with duplicates kept.
    `image_id`, where given, must be that of the predicted graph.
    """

    boxes: Float[Tensor, "regions 4"] | Float[np.ndarray, "regions 4"]
    labels: Int[Tensor, "regions"] | Int[np.ndarray, "regions"]
    relations: Int[Tensor, "relations 3"] | Int[np.ndarray, "relations 3"]
    image_id: int | None = None


@dataclass(frozen=True)
class Prediction:
    """An `ImageGraph` as arrays, after the task has put the truth in place of what it gives away."""

    boxes: Float[np.ndarray, "regions 4"]
    labels: Int[np.ndarray, "regions"]
    scores: Float[np.ndarray, "regions"]
    pairs: Int[np.ndarray, "pairs 2"]
    predicate_probabilities: Float[np.ndarray, "pairs predicates"]


def as_array(values) -> np.ndarray:
    """A tensor of any device, or anything array-like, as a NumPy array (no copy where none is needed)."""
    if isinstance(values, Tensor):
        values = values.detach().cpu()
    return np.asarray(values)


def _require(holds: bool | np.bool_, image_id: int, rule: str) -> None:
    if not holds:
        raise ValueError(f"image {image_id}: {rule}")


def _check_boxes(boxes: Float[np.ndarray, "regions 4"], image_id: int, whose: str) -> None:
    rule = f"{len(boxes)} {whose} boxes; at most {MOST_REGIONS} are compared"
    _require(len(boxes) <= MOST_REGIONS, image_id, rule)
    rule = f"{whose} boxes must be (x1, y1, x2, y2) with x1 <= x2 and y1 <= y2, no NaN; are they (cx, cy, w, h)?"
    _require((boxes[:, 2:] >= boxes[:, :2]).all(), image_id, rule)
    _require(np.isfinite(boxes).all(), image_id, f"{whose} boxes must be finite numbers")


def _check_labels(labels: Int[np.ndarray, "regions"], image_id: int, whose: str) -> None:
    if labels.size:
        found = f"found {labels.min()}..{labels.max()}"
        rule = f"{whose} labels must count from 1, 0 being background, to {MOST_CLASSES}; {found}"
        _require(labels.min() > 0 and labels.max() <= MOST_CLASSES, image_id, rule)


def _check_indices(rows: Int[np.ndarray, "_ 2"], regions: int, image_id: int, what: str) -> None:
    if rows.size:
        rule = f"{what} must index the image's {regions} regions from 0; found {rows.min()}..{rows.max()}"
        _require(rows.min() >= 0 and rows.max() < regions, image_id, rule)


def check_truth(truth: Truth, image_id: int, predicates: int) -> Truth:
    """`truth` as arrays. `predicates` counts background.

    Raises ValueError that names the image and the broken rule.
    """
    boxes, labels, relations = (as_array(values) for values in (truth.boxes, truth.labels, truth.relations))
    same = truth.image_id in (None, image_id)
    _require(same, image_id, f"truth is of image {truth.image_id}; give truths and graphs in the same order")
    _check_boxes(boxes, image_id, "true")
    _check_indices(relations[:, :2], len(boxes), image_id, "true relations")
    _check_labels(labels, image_id, "true")
    known = not len(relations) or (relations[:, 2].min() > 0 and relations[:, 2].max() < predicates)
    _require(known, image_id, f"true predicates must be 1..{predicates - 1}; 0 is background")
    return Truth(boxes, labels, relations, image_id)


def _check_pairs(pairs: Int[np.ndarray, "pairs 2"], regions: int, image_id: int) -> None:
    _check_indices(pairs, regions, image_id, "pairs")
    subject, role_object = pairs[:, 0], pairs[:, 1]
    _require((subject != role_object).all(), image_id, "a pair joins a region with itself; leave such pairs out")
    repeats = np.bincount(subject.astype(np.int64) * regions + role_object)
    _require(not repeats.size or repeats.max() == 1, image_id, "a pair is listed twice; keep one row for each")


def _check_share(values: Float[np.ndarray, "..."], image_id: int, what: str) -> None:
    if values.size:
        # NaN is carried by both extremes and fails both comparisons.
        low, high = values.min(), values.max()
        rule = f"{what} must be within 0..1, no NaN; found {low:g}..{high:g}. Are they logits?"
        _require(low >= 0 and high <= 1 + ROUNDING, image_id, rule)


def check_graph(graph: ImageGraph, truth: Truth, task: Task, predicates: int) -> Prediction:
    """`graph` as arrays, with the boxes (PredCls, SGCls) and the labels (PredCls) of `truth`, a checked one.

    In PredCls object scores are 1. Raises ValueError that names the image and the broken rule.
    """
    image_id, probabilities, pairs = graph.image_id, as_array(graph.predicate_probabilities), as_array(graph.pairs)
    boxes, labels, scores = as_array(graph.boxes_original), as_array(graph.labels), as_array(graph.scores)
    if task != "sgdet":
        rule = f"{task} needs the {len(truth.boxes)} true regions in their order; the graph has {len(boxes)}"
        _require(len(boxes) == len(truth.boxes), image_id, rule)
        boxes = truth.boxes
    if task == "predcls":
        labels, scores = truth.labels, np.ones(len(boxes))
    _check_boxes(boxes, image_id, "predicted")
    _check_labels(labels, image_id, "predicted")
    _check_pairs(pairs, len(boxes), image_id)
    columns = probabilities.shape[1]
    rule = f"{columns} predicate columns where {predicates} are needed, column 0 being background"
    _require(columns == predicates, image_id, rule)
    _check_share(scores, image_id, "object scores")
    _check_share(probabilities, image_id, "predicate probabilities")
    return Prediction(boxes, labels, scores, pairs, probabilities)
