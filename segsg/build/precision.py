"""Average precision of a trained detector."""

import torch

from segsg.build import data, runs
from segsg.build.detectors import load_detector
from segsg.evaluation.detection import average_precision
from segsg.models.detection.detector import Detector
from segsg.params import Params


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
