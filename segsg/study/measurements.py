"""What a trained scene graph model is worth: recalls with intervals, and pictures of what it says."""

import re
from collections.abc import Iterator

import numpy as np

from segsg.evaluation.protocol import Protocol
from segsg.evaluation.ranks import Ranks
from segsg.evaluation.recall import Recall, evaluate
from segsg.evaluation.records import Truth
from segsg.evaluation.results import per_predicate, summarize
from segsg.study import data, scene_graphs
from segsg.study.params import Params

CHOSEN_BY = re.compile(r"m?R@\d+")
"""metrics of the validation split"""


def protocol(params: Params) -> Protocol:
    """The evaluation rules of the profile."""
    numbers = params.evaluation
    return Protocol(tuple(numbers.ks), numbers.iou, overlapping_pairs=numbers.pair_overlap)


def truths(params: Params, split: str) -> Iterator[Truth]:
    """Annotations of a split in the frame of the photos, in order."""
    dataset = data.scene_graph_set(params, split)
    for index, image_id in enumerate(dataset.image_ids):
        yield Truth(*dataset.annotation(index), image_id)


def rank_truth(params: Params, key: str, split: str = "test") -> Ranks:
    """Predicts a split and finds at which rank each true relation is answered."""
    counts = data.statistics(params)
    recall = Recall(
        params.experiments[key].task,
        counts.counts.shape[2],
        counts.zero_shot,
        counts.predicate_counts,
        protocol(params),
    )
    return evaluate(truths(params, split), scene_graphs.predict(params, key, split), recall)


def measure(params: Params, ranks: Ranks) -> dict:
    """Every metric with its interval, and recall per predicate, for results.json.

    `unshared` has the metrics on test images that are not in the mask set, or None where that is all or nothing.
    """
    apart = unshared(params, ranks)
    return {
        "images": len(ranks),
        "metrics": _summary(params, ranks),
        "predicates": {"names": list(data.vocabulary(params).predicates)} | per_predicate(ranks),
        "unshared": None if apart is None else {"images": len(apart), "metrics": _summary(params, apart)},
    }


def measure_validation(params: Params, key: str) -> dict:
    """What choices between experiments look at, never at test images: {"images", "metrics"} of the validation split.

    Only R@K and mR@K under graph constraint, with their intervals.
    """
    ranks = rank_truth(params, key, "validation")
    metrics = {name: value for name, value in _summary(params, ranks).items() if CHOSEN_BY.fullmatch(name)}
    return {"images": len(ranks), "metrics": metrics}


def _summary(params: Params, ranks: Ranks) -> dict:
    numbers = params.evaluation
    return summarize(ranks, numbers.resamples, numbers.confidence, params.seed)


def unshared(params: Params, ranks: Ranks) -> Ranks | None:
    """The test images that the mask set does not hold; None if it holds all of them or none."""
    dataset = data.scene_graph_set(params, "test")
    shared = {i for i, other in zip(dataset.image_ids, dataset.shared_ids, strict=True) if other is not None}
    apart = np.array([image_id not in shared for image_id in ranks.image_ids.tolist()], dtype=bool)
    return ranks.among(apart) if apart.any() and not apart.all() else None
