"""Stage 1: make, train and load a detector, and store what it says about every image."""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import torch
from tqdm.auto import tqdm

from segsg.detection.backbones import BACKBONES
from segsg.detection.detector import Detector
from segsg.detection.looks import CachedDetector, write_looks
from segsg.detection.pretrained import start_from
from segsg.detection.proposals import DetectionNumbers
from segsg.files import digest
from segsg.structures import Batch, Domain, Task
from segsg.study import code, facts, runs, sets
from segsg.study.facts import Facts
from segsg.study.params import DetectorRow, Numbers, Params
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


def make_detector(facts: Facts, numbers: Numbers, row: DetectorRow) -> Detector:
    """The untrained detector of a row of `detectors`, from the seeds of the study and of the row."""
    torch.manual_seed(numbers.seed + row.seed)
    mask_classes = len(facts.mask_names) if row.joint else None
    counts = DetectionNumbers(**dataclasses.asdict(numbers.detection))
    return Detector(BACKBONES[row.backbone], facts.classes, mask_classes, counts)


def train_detector(params: Params, key: str, out: Path) -> None:
    """Eq. 10: scene-graph images, and mask images if the row is joint."""
    row, seed = params.detectors[key], params.seed + params.detectors[key].seed
    graphs = sets.scene_graph_set(params, "train", keep_empty=True)
    sources = {"losses": sets.object_batches(params, graphs, seed)}
    if row.joint:
        masks = sets.mask_training_set(params, row)
        sources["mask_losses"] = sets.mask_batches(params, masks, numbers=params.stage1, seed=seed)
    started_from = [digest(Path(source)) for source in params.pretrained.values() if Path(source).is_file()]
    depends_on = [params.data, params.detection, params.pretrained, started_from, row, sets.trained_on(params)]
    depends_on += [code.meaning([__name__])]
    detector = make_detector(facts.load(params), params.numbers, row)
    if row.backbone in params.pretrained:
        start = start_from(detector, params.pretrained[row.backbone])
        if os.environ.get("RANK", "0") == "0":  # of several processes one says it
            print(start)
    runs.train(detector, sources, numbers=params.stage1, key=key, seed=seed, depends_on=depends_on, out=out)


def load_detector(params: Params, key: str) -> Detector:
    """The trained detector, frozen."""
    detector = make_detector(facts.load(params), params.numbers, params.detectors[key])
    load_weights(detector, folder(params, key))
    return detector.eval().requires_grad_(False)


def looks_digests(params: Params, key: str) -> list[str]:
    """SHA-256 of the files that list the stored looks of a detector, with their sizes; empty where none are stored."""
    folder = looks_folder(params, key)
    sizes = [str(path.stat().st_size) for path in sorted(folder.rglob("*.raw"))]
    return [*(digest(path) for path in sorted(folder.rglob("index.json"))), *sizes]


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
