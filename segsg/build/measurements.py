"""What a trained scene graph model is worth: recalls with intervals, and pictures of what it says."""

from collections.abc import Iterator

from segsg.build import data, scene_graphs
from segsg.evaluation.protocol import Protocol
from segsg.evaluation.ranks import Ranks
from segsg.evaluation.recall import Recall, evaluate
from segsg.evaluation.records import Truth
from segsg.evaluation.results import per_predicate, summarize
from segsg.params import Params


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
    """Every metric with its interval, and recall per predicate, for results.json."""
    numbers = params.evaluation
    return {
        "images": len(ranks),
        "metrics": summarize(ranks, numbers.resamples, numbers.confidence, params.seed),
        "predicates": {"names": list(data.vocabulary(params).predicates)} | per_predicate(ranks),
    }
