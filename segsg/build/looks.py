"""What a frozen detector says about every image: stored once, or asked for again."""

from collections.abc import Iterator
from pathlib import Path

from tqdm.auto import tqdm

from segsg.build import data, runs
from segsg.build.detectors import load_detector
from segsg.models.detection.cached_look import CachedDetector, write_looks
from segsg.models.detection.detector import Detector
from segsg.params import Params
from segsg.structures import Batch, Task

SPLITS = ("train", "validation", "test")
STORED: tuple[Task, ...] = ("sgcls", "sgdet")
"""PredCls reads the looks of SGCls."""


def folder(params: Params, key: str) -> Path:
    """Where the looks of a frozen detector are."""
    return Path("runs") / params.profile / "look" / key


def cache_looks(params: Params, key: str, out: Path) -> None:
    """Stores what the frozen detector says about every scene-graph image."""
    out.mkdir(parents=True, exist_ok=True)
    if not params.cache_looks:
        (out / "README").write_text("This profile asks the detector again at every step (cache_looks: false).\n")
        return
    detector = load_detector(params, key).to(runs.device())
    for task in STORED:
        write_looks(detector, tqdm(_every_image(params), f"{key} {task}", mininterval=10), task, out)


def _every_image(params: Params) -> Iterator[Batch]:
    for split in SPLITS:
        batches = data.all_batches(params, data.scene_graph_set(params, split))
        yield from (batch.to(runs.device()) for batch in batches)


def look_at(params: Params, key: str) -> Detector | CachedDetector:
    """The frozen detector of a row, reading stored looks where the profile keeps them."""
    detector = load_detector(params, key)
    return CachedDetector(detector, folder(params, key)) if params.cache_looks else detector
