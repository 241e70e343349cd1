"""Stage 1: build, train and load a detector."""

import dataclasses
from pathlib import Path

import torch

from segsg.detection.backbones import BACKBONES
from segsg.detection.detector import Detector
from segsg.detection.pretrained import read_weights, start_from
from segsg.detection.proposals import DetectionNumbers
from segsg.study import batches, data, runs
from segsg.study.params import Params
from segsg.training.files import load_weights


def folder(params: Params, key: str) -> Path:
    """Where the weights of a detector are."""
    return Path("runs") / params.profile / "detector" / key


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
    sources = {"losses": batches.object_batches(params, graphs, numbers, seed)}
    if row.joint:
        masks = data.mask_training_set(params, row)
        sources["mask_losses"] = batches.mask_batches(params, masks, numbers, seed)
    files = [runs.digest(params.data.scene_graphs.annotations), runs.digest(params.data.masks_train.annotations)]
    facts = [params.data, params.detection, params.pretrained, row, files]
    detector = make_detector(params, key)
    if row.backbone in params.pretrained:
        start_from(detector, read_weights(params.pretrained[row.backbone]))
    runs.train(detector, sources, numbers, key, seed, facts, out)


def load_detector(params: Params, key: str) -> Detector:
    """The trained detector, frozen."""
    detector = make_detector(params, key)
    load_weights(detector, folder(params, key))
    return detector.eval().requires_grad_(False)
