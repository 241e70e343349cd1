"""Average precision of a trained detector, and the true masks that precision of masks is judged by."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from segsg.data.coco import MaskSet
from segsg.detection.detector import Detector
from segsg.evaluation.detection import average_precision, encode
from segsg.structures import Domain
from segsg.study import runs, sets
from segsg.study.detectors import load_detector
from segsg.study.params import Params


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
