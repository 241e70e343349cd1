"""Average precision of a trained detector."""

from typing import Any

from torch import Tensor

from segsg.build import data, runs
from segsg.build.detectors import load_detector
from segsg.evaluation.detection import average_precision, encode
from segsg.models.detection.detector import Detector, Domain
from segsg.params import Params


def evaluate_detector(params: Params, key: str) -> dict[str, dict]:
    """AP of boxes on scene-graph test images and, with a mask head, of boxes and masks on mask validation images."""
    detector = load_detector(params, key).to(runs.device())
    graphs = data.scene_graph_set(params, "test")
    measured = {"boxes": _precision(graphs, _detections(params, detector, graphs, "graph"), masks=False)}
    if params.detectors[key].joint:
        masks = data.mask_set(params, "validation")
        found = _detections(params, detector, masks, "mask")
        measured["mask set boxes"] = _precision(masks, found, masks=False)
        measured["masks"] = _precision(masks, found, masks=True)
    return measured


def _detections(params: Params, detector: Detector, dataset: Any, domain: Domain) -> list[dict]:
    """Of every image, masks as run lengths: a few kilobytes an image."""
    batches = (batch.to(runs.device()) for batch in data.all_batches(params, dataset))
    return [_compact(image) for batch in batches for image in detector.detect(batch, domain)]


def _compact(image: dict[str, Tensor]) -> dict:
    return {name: encode(value.cpu()) if name == "masks" else value.cpu() for name, value in image.items()}


def _precision(dataset: Any, found: list[dict], masks: bool) -> dict:
    true = (_truth(dataset, index, masks) for index in range(len(dataset)))
    return average_precision(true, found, len(dataset.vocabulary.classes) + 1, masks)


def _truth(dataset: Any, index: int, masks: bool) -> dict:
    boxes, labels, third = dataset.annotation(index)
    return {"boxes_original": boxes, "labels": labels} | ({"masks": third} if masks else {})
