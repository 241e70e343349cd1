"""Between the stages: train the pixel refiner of a joint detector on the mask set, and load it."""

from pathlib import Path

import torch
from torch import nn

from segsg.files import digest
from segsg.grounding.refiner import PixelRefinedDetector, PixelRefiner, RefinerTraining
from segsg.structures import FrozenDetector
from segsg.study import code, detectors, facts, runs, sets
from segsg.study.models import make_refiner, pixel_refined
from segsg.study.params import Grounding, Params
from segsg.training.checkpoint import WEIGHTS, load_weights

NONE = "A detector that never saw a mask has none to refine.\n"


def folder(params: Params, key: str) -> Path:
    """Where the pixel refiner of a detector is."""
    return Path("runs") / params.profile / "refiner" / key


def train_refiner(params: Params, key: str, out: Path) -> None:
    """The pixel refiner of a detector, from mask-set images that the detector may see; a note for a plain detector."""
    row = params.detectors[key]
    if not row.joint:
        out.mkdir(parents=True, exist_ok=True)
        (out / "README").write_text(NONE)
        return
    numbers, seed = params.pixel_training, params.seed + row.seed
    known, detector = facts.load(params), detectors.load_detector(params, key)
    torch.manual_seed(seed)
    training = RefinerTraining(detector, make_refiner(known, params.numbers, detector))
    masks = sets.mask_batches(params, sets.mask_training_set(params, row), numbers=numbers, seed=seed)
    read = [digest(detectors.folder(params, key) / WEIGHTS), *sets.trained_on(params)]
    depends_on = [params.data, params.detection, params.pixel_refiner, row, read, code.meaning([__name__])]
    sources = {"mask_losses": masks}
    runs.train(training, sources, numbers=numbers, key=f"{key}-refiner", seed=seed, depends_on=depends_on, out=out)


def trained_refiner(params: Params, key: str, detector: FrozenDetector) -> PixelRefiner:
    """The trained pixel refiner of a detector, frozen."""
    refiner = make_refiner(facts.load(params), params.numbers, detector)
    load_refiner(params, key, refiner)
    return refiner.eval().requires_grad_(False).to(runs.device())


def with_refiner(params: Params, key: str, wanted: Grounding, detector: FrozenDetector) -> PixelRefinedDetector:
    """A detector with its trained pixel refiner, which starts from masks transferred as `wanted` has it."""
    refined = pixel_refined(facts.load(params), params.numbers, wanted, detector).to(runs.device())
    load_refiner(params, key, refined.refiner)
    return refined


def load_refiner(params: Params, key: str, refiner: PixelRefiner) -> None:
    """Loads the trained weights of a detector's pixel refiner into an untrained one, in place."""
    load_weights(nn.ModuleDict({"refiner": refiner}), folder(params, key))
