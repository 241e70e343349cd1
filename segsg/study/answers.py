"""Which of the relations that a model is surest of are annotated, and which of these were never seen in training."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from segsg.evaluation.matching import agreement
from segsg.evaluation.protocol import Protocol
from segsg.evaluation.ranking import Ranking
from segsg.evaluation.recall import is_member
from segsg.evaluation.records import Prediction, Truth


@dataclass(frozen=True)
class Answers:
    """The relations of `ranking`, best first."""

    ranking: Ranking
    true: Bool[np.ndarray, "ranked"]
    zero_shot: Bool[np.ndarray, "ranked"]

    def best(self, count: int) -> Int[np.ndarray, "chosen"]:
        """Places of `count` relations: true ones first, then the surest others, in the order of the ranking."""
        order = np.argsort(~self.true, kind="stable")[:count]
        return np.sort(order)


def answers(
    truth: Truth, prediction: Prediction, ranking: Ranking, zero_shot: Int[np.ndarray, "triplets 3"], protocol: Protocol
) -> Answers:
    """`zero_shot` are rows (subject class, predicate, object class) without an example in training."""
    agreeing = agreement(truth, prediction, protocol)
    subject, object_, predicate = truth.relations[:, :1], truth.relations[:, 1:2], truth.relations[:, 2:]
    covers = agreeing[subject, ranking.pairs[:, 0]] & agreeing[object_, ranking.pairs[:, 1]]
    true = (covers & (predicate == ranking.predicates)).any(axis=0)
    classes = prediction.labels[ranking.pairs]
    triplets = np.stack([classes[:, 0], ranking.predicates, classes[:, 1]], axis=1)
    return Answers(ranking, true, true & is_member(triplets, zero_shot))
