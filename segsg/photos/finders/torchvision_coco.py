"""torchvision's detectors of COCO's 80 classes as finders: boxes and names of photographs, and masks of Mask R-CNN.

Their weights are a file of the user's, or torchvision downloads its own.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import detection, get_model, get_model_weights, list_models

from segsg.detection.coco_classes import COCO_CLASSES
from segsg.files import DAMAGED, DataError, is_plain, read_torch
from segsg.photos.found import Found, nothing
from segsg.photos.graph import runs_of
from segsg.photos.input import Pixels

MODELS = tuple(list_models(module=detection, exclude="keypoint*"))
IDS = max(COCO_CLASSES) + 1
"""outputs of a classifier: COCO's ids with their gaps, and background"""
SURE = 0.5
"""least probability of a cell of a mask, and the least score of a region that a graph is made of by default"""


class TorchvisionFinder(nn.Module):
    """A `Finder`. It keeps regions with a score of at least `least` and one of COCO's 80 names."""

    def __init__(self, network: nn.Module, least: float = SURE):
        super().__init__()
        self.network, self.least = network, least

    @torch.no_grad()
    def find(self, photos: Sequence[Pixels]) -> list[Found]:
        """The regions of each photo, one photo at a time: masks have the size of the photo."""
        return [self._find(photo) for photo in photos]

    def _find(self, photo: Pixels) -> Found:
        device = next(self.network.parameters()).device
        image = torch.from_numpy(photo).to(device).permute(2, 0, 1).float() / 255
        (found,) = self.network([image])
        found = {name: value.cpu() for name, value in found.items()}
        named = torch.tensor([label in COCO_CLASSES for label in found["labels"].tolist()], dtype=torch.bool)
        solid = (found["boxes"][:, 2:] > found["boxes"][:, :2]).all(dim=1)
        kept = ((found["scores"] >= self.least) & named & solid).nonzero()[:, 0]
        if not len(kept):
            return nothing()
        names = tuple(COCO_CLASSES[label] for label in found["labels"][kept].tolist())
        masks = (None,) * len(kept)
        if "masks" in found:
            masks = tuple(runs_of((mask[0] >= SURE).numpy()) for mask in found["masks"][kept])
        scores, boxes = (found[name][kept].double().numpy() for name in ("scores", "boxes"))
        return Found(names, scores.clip(0, 1), boxes, masks)


def torchvision_finder(settings: dict) -> TorchvisionFinder:
    """The untrained finder; `settings` are {"model": one of `MODELS`}, and perhaps "least", a score in 0..1.

    ValueError for anything else.
    """
    model, least = settings.get("model"), settings.get("least", SURE)
    if model not in MODELS:
        raise ValueError(f"torchvision's model {model}: unknown; give one of {', '.join(MODELS)}")
    if settings.keys() - {"model", "least"} or type(least) not in (int, float) or not 0 <= least <= 1:
        raise ValueError(f"settings {settings} of torchvision: only 'model', and 'least', a number from 0 to 1")
    network = get_model(model, weights=None, weights_backbone=None, num_classes=IDS)
    return TorchvisionFinder(network.eval(), float(least))


def finder_from(model: str, weights: Path | None, least: float = SURE) -> TorchvisionFinder:
    """The finder with weights of a file (.pth or .safetensors), or with torchvision's own, which it downloads.

    DataError for a file that holds something else, whose code is never run, and where there is no internet. ValueError
    for a model that torchvision has not.
    """
    finder = torchvision_finder({"model": model, "least": least})
    if weights is None:
        state, source = _downloaded(model), f"torchvision's {model}"
    else:
        state, source = _read(weights, model), weights
    try:
        finder.network.load_state_dict(state)  # it also knows the names of older files
    except RuntimeError as error:
        first = " ".join(str(error).split("\n\t")[-1].split())[:160]
        raise DataError(source, "weights", f"are not of {model} ({first})", _way_out(model)) from error
    return finder.eval().requires_grad_(False)


def _way_out(model: str) -> str:
    return f"give torchvision's file of {model}, or one that was trained from it"


def _downloaded(model: str) -> dict[str, Tensor]:
    try:
        return get_model_weights(model).DEFAULT.get_state_dict(progress=True, check_hash=True)
    except OSError as error:
        rule = f"its weights cannot be downloaded ({getattr(error, 'reason', error)})"
        raise DataError(f"torchvision's {model}", "file", rule, "give a file of them: --finder-weights") from error


def _read(path: Path, model: str) -> dict[str, Tensor]:
    """Weights by name, all of them finite numbers."""
    try:
        state = load_file(path) if path.suffix == ".safetensors" else read_torch(path)
    except FileNotFoundError as error:
        raise DataError(path, "file", "is not there", "correct the path") from error
    except (*DAMAGED, SafetensorError) as error:
        raise DataError(path, "file", f"is no file of weights ({type(error).__name__})", _way_out(model)) from error
    if not isinstance(state, dict) or not all(
        isinstance(value, Tensor) and is_plain(value) for value in state.values()
    ):
        raise DataError(path, "file", "holds something else than weights by name", _way_out(model))
    for name, value in state.items():
        if not value.isfinite().all():
            raise DataError(path, f"weights {str(name)[:60]!r}", "are not all finite numbers", _way_out(model))
    return state
