"""What a frozen detector says about every image: stored once, or asked for again."""

from collections.abc import Callable, Iterator
from pathlib import Path

from tqdm.auto import tqdm

from segsg.detection.cached_look import CachedDetector, write_looks
from segsg.detection.detector import Detector, Domain
from segsg.structures import Batch, Task
from segsg.study import data, runs
from segsg.study.detectors import load_detector
from segsg.study.params import DetectorRow, Params

SPLITS = ("train", "validation", "test")
STORED: tuple[Task, ...] = ("sgcls", "sgdet")
"""PredCls reads the looks of SGCls."""


def folder(params: Params, key: str) -> Path:
    """Where the looks of a frozen detector are."""
    return Path("runs") / params.profile / "look" / key


def cache_looks(params: Params, key: str, out: Path) -> None:
    """Stores what the frozen detector says about every scene-graph image, and about images that refinement needs."""
    out.mkdir(parents=True, exist_ok=True)
    if not params.cache_looks:
        (out / "README").write_text("This profile asks the detector again at every step (cache_looks: false).\n")
        return
    detector, row = load_detector(params, key).to(runs.device()), params.detectors[key]
    domains: dict[Domain, Callable[[Params, DetectorRow], list]] = {"graph": _graph_sets}
    if row.joint:
        domains["mask"] = _mask_sets
    for domain, sets in domains.items():
        for task in STORED:
            batches = tqdm(_every_image(params, sets(params, row)), f"{key} {domain} {task}", mininterval=10)
            write_looks(detector, batches, task, out, domain)


def _graph_sets(params: Params, detector: DetectorRow) -> list:
    return [data.scene_graph_set(params, split) for split in SPLITS]


def _mask_sets(params: Params, detector: DetectorRow) -> list:
    return [data.refinement_set(params, detector), data.judged_mask_set(params)]


def _every_image(params: Params, sets: list) -> Iterator[Batch]:
    for dataset in sets:
        yield from (batch.to(runs.device()) for batch in data.all_batches(params, dataset))


def look_at(params: Params, key: str) -> Detector | CachedDetector:
    """The frozen detector of a row, reading stored looks where the profile keeps them."""
    detector = load_detector(params, key)
    return CachedDetector(detector, folder(params, key)) if params.cache_looks else detector
