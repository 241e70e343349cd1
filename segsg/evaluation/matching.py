"""Which true relations a prediction finds: candidates in order, boxes that overlap, and the first that covers."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from segsg.evaluation.protocol import Protocol
from segsg.evaluation.records import Prediction, Truth

MISSED = np.iinfo(np.int32).max
"""the rank of a true relation that nothing covers; larger than every K"""


@dataclass(frozen=True)
class Ranking:
    """Predicted relations of one image, best first: pairs of region indices, and the predicate of each."""

    pairs: Int[np.ndarray, "ranked 2"]
    predicates: Int[np.ndarray, "ranked"]

    def __len__(self) -> int:
        return len(self.predicates)


def largest(scores: Float[np.ndarray, "candidates"], depth: int) -> Int[np.ndarray, "ranked"]:
    """Indices of the `depth` largest scores, largest first; of equal scores the lower index comes first."""
    if len(scores) <= depth:
        return np.argsort(-scores, kind="stable")
    threshold = np.partition(scores, -depth)[-depth]
    survivors = np.flatnonzero(scores >= threshold)
    return survivors[np.argsort(-scores[survivors], kind="stable")[:depth]]


def best_probability(probabilities: Float[np.ndarray, "pairs predicates"]) -> Float[np.ndarray, "pairs"]:
    """Largest foreground probability of each pair, 0 where there is no foreground.

    Reduces the flat array at the bounds of background and foreground: half the time of a maximum along short rows.
    """
    pairs, columns = probabilities.shape
    if not pairs or columns < 2:
        return np.zeros(pairs)
    bounds = np.add.outer(np.arange(pairs) * columns, (1, columns)).ravel()[:-1]
    return np.maximum.reduceat(probabilities.ravel(), bounds)[::2]


def rank(prediction: Prediction, depth: int) -> tuple[Ranking, Ranking]:
    """The best `depth` relations with graph constraint, and without.

    The score of a relation is s_subject * p * s_object, in float64. With graph constraint a pair competes with its
    best foreground predicate (the lower one of equals). Ties go to the earlier pair, then to the lower predicate.
    """
    pairs = prediction.pairs
    foreground = prediction.predicate_probabilities[:, 1:]
    scores = prediction.scores.astype(np.float64)
    subject_object = scores[pairs[:, 0]] * scores[pairs[:, 1]]
    best = largest(best_probability(prediction.predicate_probabilities) * subject_object, depth)
    constrained = Ranking(pairs[best], foreground[best].argmax(axis=1) + 1 if len(best) else best)

    # A relation among the best `depth` of all belongs to a pair among the best `depth` pairs: every better pair has
    # at least one better relation. So the free list needs no look at the other pairs.
    kept = np.sort(best)
    cells = foreground[kept] * subject_object[kept, None]
    row, column = np.divmod(largest(cells.ravel(), depth), max(foreground.shape[1], 1))
    return constrained, Ranking(pairs[kept[row]], column + 1)


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
    covered = covers[np.arange(len(covers)), first]
    return np.where(covered, first, MISSED).astype(np.int32)
