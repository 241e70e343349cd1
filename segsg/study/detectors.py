"""Stage 1: train and load a detector, store what it says about every image, and judge it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from segsg.data.coco import MaskSet
from segsg.detection.detector import Detector, read_weights, start_from
from segsg.detection.looks import CachedDetector, write_looks
from segsg.evaluation.detection import average_precision, encode
from segsg.files import digest
from segsg.structures import Batch, Domain, Task
from segsg.study import facts, runs, sets
from segsg.study.models import make_detector
from segsg.study.params import DetectorRow, Params
from segsg.training.checkpoint import load_weights

SPLITS = ("train", "validation", "test")
STORED: tuple[Task, ...] = ("sgcls", "sgdet")
"""PredCls reads the looks of SGCls."""


def folder(params: Params, key: str) -> Path:
    """Where the weights of a detector are."""
    return Path("runs") / params.profile / "detector" / key


def looks_folder(params: Params, key: str) -> Path:
    """Where the looks of a frozen detector are."""
    return Path("runs") / params.profile / "look" / key


def train_detector(params: Params, key: str, out: Path) -> None:
    """Eq. 10: scene-graph images, and mask images if the row is joint."""
    row, seed = params.detectors[key], params.seed + params.detectors[key].seed
    graphs = sets.scene_graph_set(params, "train", keep_empty=True)
    sources = {"losses": sets.object_batches(params, graphs, seed)}
    if row.joint:
        masks = sets.mask_training_set(params, row)
        sources["mask_losses"] = sets.mask_batches(params, masks, numbers=params.stage1, seed=seed)
    files = [digest(params.data.scene_graphs.annotations), digest(params.data.masks_train.annotations)]
    depends_on = [params.data, params.detection, params.pretrained, row, files]
    detector = make_detector(facts.load(params), params.numbers, row)
    if row.backbone in params.pretrained:
        start_from(detector, read_weights(params.pretrained[row.backbone]))
    runs.train(detector, sources, numbers=params.stage1, key=key, seed=seed, depends_on=depends_on, out=out)


def load_detector(params: Params, key: str) -> Detector:
    """The trained detector, frozen."""
    detector = make_detector(facts.load(params), params.numbers, params.detectors[key])
    load_weights(detector, folder(params, key))
    return detector.eval().requires_grad_(False)


def cache_looks(params: Params, key: str, out: Path) -> None:
    """Stores what the frozen detector says about every scene-graph image, and about images that refinement needs."""
    out.mkdir(parents=True, exist_ok=True)
    if not params.cache_looks:
        (out / "README").write_text("This profile asks the detector again at every step (cache_looks: false).\n")
        return
    detector, row = load_detector(params, key).to(runs.device()), params.detectors[key]
    for domain in ("graph", "mask") if row.joint else ("graph",):
        for task in STORED:
            batches = tqdm(_every_image(params, row, domain), f"{key} {domain} {task}", mininterval=10)
            write_looks(detector, batches, out, task=task, domain=domain)


def _every_image(params: Params, row: DetectorRow, domain: Domain) -> Iterator[Batch]:
    if domain == "graph":
        images = [sets.scene_graph_set(params, split) for split in SPLITS]
    else:
        images = [sets.refinement_set(params, row), sets.judged_mask_set(params)]
    for dataset in images:
        yield from (batch.to(runs.device()) for batch in sets.all_batches(params, dataset))


def look_at(params: Params, key: str) -> Detector | CachedDetector:
    """The frozen detector of a row, reading stored looks where the profile keeps them."""
    detector = load_detector(params, key)
    return CachedDetector(detector, looks_folder(params, key)) if params.cache_looks else detector


def evaluate_detector(params: Params, key: str) -> dict[str, dict]:
    """AP of boxes on scene-graph test images and, with a mask head, of boxes and masks on mask validation images."""
    detector = load_detector(params, key).to(runs.device())
    graphs = sets.scene_graph_set(params, "test")
    found = _detections(params, detector, graphs, "graph")
    measured = {"boxes": average_precision(_true_boxes(graphs), found, len(graphs.vocabulary.classes) + 1)}
    if params.detectors[key].joint:
        photos = sets.judged_mask_set(params)
        true, found = list(mask_truths(photos)), _detections(params, detector, photos, "mask")
        for name, masks in (("mask set boxes", False), ("masks", True)):
            measured[name] = average_precision(true, found, len(photos.vocabulary.classes) + 1, masks)
    return measured


def mask_truths(photos: MaskSet) -> Iterator[dict]:
    """Instances and crowds of each photo for `average_precision`; found in a crowd is neither right nor wrong."""
    for index in range(len(photos)):
        instances, crowds = photos.annotation(index), photos.crowds(index)
        boxes, labels, masks = (torch.cat(parts) for parts in zip(instances, crowds, strict=True))
        crowd = torch.arange(len(labels)) >= len(instances[1])
        yield _compact({"boxes_original": boxes, "labels": labels, "masks": masks, "crowd": crowd})


def _true_boxes(graphs: Any) -> Iterator[dict]:
    for index in range(len(graphs)):
        boxes, labels, _ = graphs.annotation(index)
        yield {"boxes_original": boxes, "labels": labels}


def _detections(params: Params, detector: Detector, dataset: Any, domain: Domain) -> list[dict]:
    batches = (batch.to(runs.device()) for batch in sets.all_batches(params, dataset))
    return [_compact(image) for batch in batches for image in detector.detect(batch, domain)]


def _compact(image: dict[str, Tensor]) -> dict:
    """On the CPU, masks as run lengths: a few kilobytes an image."""
    return {name: encode(value.cpu()) if name == "masks" else value.cpu() for name, value in image.items()}
