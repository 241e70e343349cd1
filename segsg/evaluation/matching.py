"""Where in a ranking each true relation is first covered. One pass gives the hits at every K and of every variant."""

import numpy as np
from jaxtyping import Bool, Float, Int

from segsg.evaluation.protocol import Protocol
from segsg.evaluation.ranking import Ranking
from segsg.evaluation.records import Prediction, Truth

MISSED = np.iinfo(np.int32).max
"""the rank of a true relation that nothing covers; larger than every K"""


def _sides(boxes: Float[np.ndarray, "n 4"], pixel: float) -> Float[np.ndarray, "n 2"]:
    return boxes[:, 2:] - boxes[:, :2] + pixel


def intersection(
    first: Float[np.ndarray, "n 4"], second: Float[np.ndarray, "m 4"], pixel: float = 0.0
) -> Float[np.ndarray, "n m"]:
    """Areas in which boxes xyxy overlap; with `pixel` 1 coordinates are inclusive."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.maximum(high - low + pixel, 0)
    return sides[..., 0] * sides[..., 1]


def overlap(
    first: Float[np.ndarray, "n 4"], second: Float[np.ndarray, "m 4"], pixel: float = 0.0
) -> Float[np.ndarray, "n m"]:
    """IoU of boxes xyxy. Of two boxes without area, 1 if they are the same box."""
    first, second = first.astype(np.float64), second.astype(np.float64)
    common = intersection(first, second, pixel)
    joint = _sides(first, pixel).prod(1)[:, None] + _sides(second, pixel).prod(1)[None] - common
    empty = joint <= 0
    if empty.any():
        common[empty], joint[empty] = (first[:, None] == second[None]).all(axis=2)[empty], 1
    return common / joint


def agreement(truth: Truth, prediction: Prediction, protocol: Protocol) -> Bool[np.ndarray, "n m"]:
    """Which predicted regions stand for which true regions: equal labels, boxes that overlap enough."""
    same_label = truth.labels[:, None] == prediction.labels[None]
    return same_label & (overlap(truth.boxes, prediction.boxes, protocol.pixel) >= protocol.iou)


def first_covering(
    relations: Int[np.ndarray, "relations 3"], agreeing: Bool[np.ndarray, "n m"], ranking: Ranking
) -> Int[np.ndarray, "relations"]:
    """Rank, from 0, of the first prediction that covers each true row; `MISSED` where none does.

    A prediction covers a row if the predicates are equal and both regions agree. It may cover several rows, and
    equal rows are covered together.
    """
    if not len(ranking):
        return np.full(len(relations), MISSED, dtype=np.int32)
    subject, role_object, predicate = relations[:, :1], relations[:, 1:2], relations[:, 2:]
    covers = agreeing[subject, ranking.pairs[:, 0]] & agreeing[role_object, ranking.pairs[:, 1]]
    covers &= predicate == ranking.predicates
    first = covers.argmax(axis=1)
    found = covers[np.arange(len(covers)), first]
    return np.where(found, first, MISSED).astype(np.int32)
