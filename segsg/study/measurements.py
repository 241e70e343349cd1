"""What trained models and borrowed masks are worth: recalls with intervals, precision and overlap of masks."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from segsg.evaluation.bootstrap import compare, summarize
from segsg.evaluation.metrics import per_predicate
from segsg.evaluation.protocol import Protocol
from segsg.evaluation.ranks import Ranks, Recall, evaluate, paper_images, save
from segsg.evaluation.records import Truth
from segsg.files import digest, write_metrics
from segsg.structures import Batch, Look
from segsg.study import code, facts, refiners, runs, scene_graphs, sets
from segsg.study.borrowed import fit, true_regions
from segsg.study.named_masks import by_pixels, precisions
from segsg.study.params import Params
from segsg.study.rows import row_of
from segsg.training.checkpoint import EARLY, WEIGHTS

RANKS, UNSHARED = "ranks.npz", "unshared.npz"
"""files of ranks: of all test images, and of those that the mask set does not hold"""
CHOSEN_BY = re.compile(r"m?R@\d+")
"""metrics of the validation split"""


def fingerprint(params: Params, key: str) -> str:
    """One name for all that decides the measurements of a trained row beside its weights."""
    row = row_of(params, key)
    read = sets.judged_on(params)
    if row.is_refined:
        read = [*read, digest(refiners.folder(params, row.detector_key) / WEIGHTS)]
    unused = scene_graphs.unused(row.follows_pixels or row.is_refined)
    return runs.fingerprint(params.evaluation, params.seed, read, code.meaning([__name__], [row.model], unused))


def write(params: Params, key: str, out: Path) -> None:
    """Measures a trained row: `metrics.json` with intervals, and ranks, from which every other metric can be computed
    without predicting again."""
    ranks = rank_truth(params, key)
    measured = measure(params, ranks) | {"validation": measure_validation(params, key)}
    measured |= mask_precision(params, key) | borrowed_masks(params, key)
    save(out / RANKS, ranks)
    if (apart := unshared(params, ranks)) is not None:
        save(out / UNSHARED, apart)
    write_metrics(out, measured)


def protocol(params: Params) -> Protocol:
    """The evaluation rules of the profile."""
    numbers = params.evaluation
    return Protocol(tuple(numbers.ks), numbers.iou, overlapping_pairs=numbers.pair_overlap)


def truths(params: Params, split: str) -> Iterator[Truth]:
    """Annotations of a split in the frame of the photos, in order."""
    dataset = sets.scene_graph_set(params, split)
    for index, image_id in enumerate(dataset.image_ids):
        yield Truth(*dataset.annotation(index), image_id)


def rank_truth(params: Params, key: str, split: str = "test", *, weights: str = WEIGHTS) -> Ranks:
    """Predicts all images of a split and returns the rank of each true relation in the predictions.

    `weights` is a file of the experiment's folder.
    """
    known, task = facts.load(params), params.experiments[key].task
    recall = Recall(task, known.predicates, known.zero_shot, known.predicate_counts, protocol(params))
    return evaluate(truths(params, split), scene_graphs.predict(params, key, split, weights=weights), recall)


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

    Only R@K and mR@K under graph constraint, with their intervals. Experiments that were trained also have `early`, the
    same metrics after three quarters of the steps, and `gain`, what the last quarter brought on the same images.
    """
    ranks = rank_truth(params, key, "validation")
    measured = {"images": len(ranks), "metrics": _choosing(_summary(params, ranks))}
    if (scene_graphs.folder(params, key) / EARLY).is_file():
        early = rank_truth(params, key, "validation", weights=EARLY)
        measured["early"] = _choosing(_summary(params, early))
        measured["gain"] = _choosing(compare(early, ranks, *_options(params)))
    return measured


def _choosing(metrics: dict[str, dict]) -> dict[str, dict]:
    return {name: value for name, value in metrics.items() if CHOSEN_BY.fullmatch(name)}


def _summary(params: Params, ranks: Ranks) -> dict:
    return summarize(ranks, *_options(params))


def _options(params: Params) -> tuple[int, float, int]:
    """Draws of the bootstrap, confidence of its intervals, and seed."""
    return params.evaluation.resamples, params.evaluation.confidence, params.seed


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
