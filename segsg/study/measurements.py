"""What trained models and borrowed masks are worth: recalls with intervals, precision and overlap of masks."""

import copy
import re
from collections.abc import Iterator

import numpy as np

from segsg.evaluation.bootstrap import summarize
from segsg.evaluation.metrics import per_predicate
from segsg.evaluation.protocol import Protocol
from segsg.evaluation.ranks import Ranks, Recall, evaluate, paper_images
from segsg.evaluation.records import Truth
from segsg.structures import Batch, Look
from segsg.study import facts, refiners, scene_graphs, sets
from segsg.study.borrowed import fit, true_regions
from segsg.study.named_masks import by_pixels, precisions
from segsg.study.params import Params
from segsg.study.rows import row_of

CHOSEN_BY = re.compile(r"m?R@\d+")
"""metrics of the validation split"""


def protocol(params: Params) -> Protocol:
    """The evaluation rules of the profile."""
    numbers = params.evaluation
    return Protocol(tuple(numbers.ks), numbers.iou, overlapping_pairs=numbers.pair_overlap)


def truths(params: Params, split: str) -> Iterator[Truth]:
    """Annotations of a split in the frame of the photos, in order."""
    dataset = sets.scene_graph_set(params, split)
    for index, image_id in enumerate(dataset.image_ids):
        yield Truth(*dataset.annotation(index), image_id)


def rank_truth(params: Params, key: str, split: str = "test") -> Ranks:
    """Predicts all images of a split and returns the rank of each true relation in the predictions."""
    known, task = facts.load(params), params.experiments[key].task
    recall = Recall(task, known.predicates, known.zero_shot, known.predicate_counts, protocol(params))
    return evaluate(truths(params, split), scene_graphs.predict(params, key, split), recall)


def measure(params: Params, ranks: Ranks) -> dict:
    """Every metric with its interval, and recall per predicate, for results.json.

    `unshared` has the metrics on test images that are not in the mask set, `paper_images` on those that the paper's
    protocol keeps; each is None where that is all images or none.
    """

    def part(chosen: Ranks | None) -> dict | None:
        return None if chosen is None else {"images": len(chosen), "metrics": _summary(params, chosen)}

    return {
        "images": len(ranks),
        "metrics": _summary(params, ranks),
        "predicates": {"names": list(facts.load(params).names.predicates)} | per_predicate(ranks),
        "unshared": part(unshared(params, ranks)),
        "paper_images": part(paper_images(ranks)),
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
    dataset = sets.scene_graph_set(params, "test")
    shared = {i for i, other in zip(dataset.image_ids, dataset.shared_ids, strict=True) if other is not None}
    apart = np.array([image_id not in shared for image_id in ranks.image_ids.tolist()], dtype=bool)
    return ranks.some(apart)


def mask_precision(params: Params, key: str) -> dict:
    """AP of the masks of mask validation images in the task of a refining experiment; nothing for others.

    `unrefined_masks` are the detector's own, `masks` refined ones (eq. 8), and `pixel_masks` what the pixel refiner of
    the detector makes of refined ones. PredCls: true boxes and classes, every score 1; SGCls: true boxes, the class
    that the detector names and its probability; SGDet: the regions that a scene graph is made of, named as in SGCls, so
    fewer than the detections that `segsg.study.precision.evaluate_detector` judges.
    """
    row = row_of(params, key)
    if not row.is_refined:
        return {}
    model = scene_graphs.load_model(params, key)
    refiner = refiners.trained_refiner(params, row.detector_key, model.detector)

    def looks(batch: Batch) -> dict[str, Look]:
        unrefined, refined = model.detector.look(batch, model.task, "mask"), model.mask_look(batch)
        pixels = by_pixels(refined, refiner, batch.images)
        return {"unrefined_masks": unrefined, "masks": refined, "pixel_masks": pixels}

    return precisions(params, looks)


def borrowed_masks(params: Params, key: str) -> dict:
    """`borrowed_masks`: mean IoU by class, "unrefined" and "refined", in true boxes of test images.

    Whether refinement also helps the masks that scene graphs borrow. Nothing for experiments that do not refine, for
    SGDet, whose boxes are not the true ones, and where true masks are not known.
    """
    row, known = row_of(params, key), params.data.scene_graphs.true_masks is not None
    if not known or not row.is_refined or row.task == "sgdet":
        return {}
    model, names = scene_graphs.load_model(params, key), facts.load(params).names.classes
    segmenter = copy.deepcopy(model.extractor.segmenter).cpu()
    looks = {"unrefined": lambda batch: model.detector.look(batch, model.task), "refined": model.look}
    return {"borrowed_masks": {name: fit(true_regions(params, look), segmenter, names) for name, look in looks.items()}}
