"""Stage 1: build, train, measure a detector, and store what it says once it is frozen."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import torch
from tqdm.auto import tqdm

from segsg.build import data, runs
from segsg.evaluation.detection import average_precision
from segsg.models.backbones import BACKBONES
from segsg.models.cached_look import CachedDetector, write_looks
from segsg.models.detector import Detector
from segsg.models.proposals import DetectionNumbers
from segsg.params import Params
from segsg.structures import Batch, Task
from segsg.training.files import load_weights

SPLITS = ("train", "validation", "test")


def folder(params: Params, key: str) -> Path:
    """Where the weights of a detector are."""
    return Path("runs") / params.profile / "detector" / key


def looks_folder(params: Params, key: str) -> Path:
    """Where the looks of a frozen detector are."""
    return Path("runs") / params.profile / "look" / key


def make_detector(params: Params, key: str) -> Detector:
    """The untrained detector of a row of `detectors`."""
    row = params.detectors[key]
    torch.manual_seed(params.seed + row.seed)
    classes = len(data.vocabulary(params).classes) + 1
    mask_classes = len(data.mask_vocabulary(params).classes) if row.joint else None
    numbers = DetectionNumbers(**dataclasses.asdict(params.detection))
    return Detector(BACKBONES[row.backbone], classes, mask_classes, numbers)


def train_detector(params: Params, key: str, out: Path) -> None:
    """Eq. 10: scene-graph images, and mask images if the row is joint."""
    row, numbers = params.detectors[key], params.stage1
    graphs = data.scene_graph_set(params, "train", keep_empty=True)
    seed = params.seed + row.seed
    sources = {"losses": data.training_batches(params, graphs, numbers.images, numbers.flip, seed, None)}
    if row.joint:
        masks = data.mask_set(params, "train")
        sources["mask_losses"] = data.training_batches(params, masks, numbers.mask_images, numbers.flip, seed, None)
    inputs = [runs.digest(params.data.scene_graphs.annotations), runs.digest(params.data.masks_train.annotations)]
    runs.train(make_detector(params, key), sources, params, numbers, key, seed, inputs, out)


def load_detector(params: Params, key: str) -> Detector:
    """The trained detector, frozen."""
    detector = make_detector(params, key)
    load_weights(detector, folder(params, key))
    return detector.eval().requires_grad_(False)


def tasks(params: Params, key: str) -> set[Task]:
    """Tasks of the experiments that use a detector."""
    return {row.task for row in params.experiments.values() if row.detector == key}


def cache_looks(params: Params, key: str, out: Path) -> None:
    """Stores what the frozen detector says about every scene-graph image, for the tasks that use it."""
    out.mkdir(parents=True, exist_ok=True)
    detector = load_detector(params, key).to(runs.device())
    # PredCls and SGCls share one set of looks.
    for task in sorted({"sgdet" if task == "sgdet" else "sgcls" for task in tasks(params, key)}):
        write_looks(detector, tqdm(_every_image(params), f"{key} {task}", mininterval=10), task, out)


def _every_image(params: Params) -> Iterator[Batch]:
    for split in SPLITS:
        batches = data.all_batches(params, data.scene_graph_set(params, split))
        yield from (batch.to(runs.device()) for batch in batches)


def look_at(params: Params, key: str) -> Detector | CachedDetector:
    """The frozen detector of a row, reading stored looks where the profile keeps them."""
    detector = load_detector(params, key)
    return CachedDetector(detector, looks_folder(params, key)) if params.cache_looks else detector


def evaluate_detector(params: Params, key: str) -> dict[str, dict]:
    """AP of boxes on scene-graph test images and, with a mask head, of boxes and masks on mask validation images."""
    detector = load_detector(params, key).to(runs.device())
    measured = {"boxes": _precision(params, detector, data.scene_graph_set(params, "test"), "graph", False)}
    if params.detectors[key].joint:
        masks = data.mask_set(params, "validation")
        measured["mask set boxes"] = _precision(params, detector, masks, "mask", False)
        measured["masks"] = _precision(params, detector, masks, "mask", True)
    return measured


def _precision(params: Params, detector: Detector, dataset, domain: str, masks: bool) -> dict:
    batches = (batch.to(runs.device()) for batch in data.all_batches(params, dataset))
    found = (image for batch in batches for image in detector.detect(batch, domain))
    names = data.mask_vocabulary(params) if domain == "mask" else data.vocabulary(params)
    true = (_truth(dataset, index, masks) for index in range(len(dataset)))
    return average_precision(true, map(_on_cpu, found), len(names.classes) + 1, masks)


def _truth(dataset, index: int, masks: bool) -> dict:
    boxes, labels, third = dataset.annotation(index)
    return {"boxes_original": boxes, "labels": labels} | ({"masks": third} if masks else {})


def _on_cpu(image: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.cpu() for name, value in image.items()}
