"""The two lists in which the relations of an image compete: one predicate for each pair, and all predicates."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from segsg.evaluation.records import Prediction


@dataclass(frozen=True)
class Ranking:
    """Predicted relations, best first."""

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
