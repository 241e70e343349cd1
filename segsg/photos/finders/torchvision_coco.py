"""torchvision's Mask R-CNN with COCO's 80 classes as a finder: boxes, names and masks of photographs.

Its weights are a file of the user's, or torchvision downloads its own. (He et al., Mask R-CNN, ICCV 2017; the variant
of Li et al. 2021, ResNet-50-FPN v2.)
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN_ResNet50_FPN_V2_Weights, maskrcnn_resnet50_fpn_v2

from segsg.detection.coco_classes import COCO_CLASSES
from segsg.files import DAMAGED, DataError, is_plain, read_torch
from segsg.photos.found import Found, nothing
from segsg.photos.graph import runs_of
from segsg.photos.input import Pixels

IDS = max(COCO_CLASSES) + 1
"""outputs of its classifier: COCO's ids with their gaps, and background"""
SURE = 0.5
"""least probability of a cell of a mask, and the least score of a region that a graph is made of by default"""
WAY_OUT = "give torchvision's file of maskrcnn_resnet50_fpn_v2, or one that was trained from it"


class MaskRCNN(nn.Module):
    """A `Finder`. It keeps regions with a score of at least `least` and one of COCO's 80 names."""

    def __init__(self, network: nn.Module, least: float = SURE):
        super().__init__()
        self.network, self.least = network, least

    @torch.no_grad()
    def find(self, photos: Sequence[Pixels]) -> list[Found]:
        """The regions of each photo with their masks, one photo at a time: masks have the size of the photo."""
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
        masks = tuple(runs_of((mask[0] >= SURE).numpy()) for mask in found["masks"][kept])
        scores, boxes = (found[name][kept].double().numpy() for name in ("scores", "boxes"))
        return Found(names, scores.clip(0, 1), boxes, masks)


def mask_rcnn(settings: dict) -> MaskRCNN:
    """The untrained finder. `settings` may have `least`, a score in 0..1. ValueError for anything else."""
    unknown, least = settings.keys() - {"least"}, settings.get("least", SURE)
    if unknown or type(least) not in (int, float) or not 0 <= least <= 1:
        raise ValueError(f"settings {settings} of torchvision-mask-rcnn: only 'least', a number from 0 to 1")
    network = maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None, num_classes=IDS)
    return MaskRCNN(network.eval(), float(least))


def finder_from(weights: Path | None, least: float = SURE) -> MaskRCNN:
    """The finder with weights of a file (.pth or .safetensors), or with torchvision's own, which it downloads.

    DataError for a file that holds something else; no code of it is run. OSError where there is no internet.
    """
    finder = mask_rcnn({"least": least})
    if weights is None:
        state = MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1.get_state_dict(progress=True, check_hash=True)
    else:
        state = _checked(weights, _read(weights), finder.network.state_dict())
    finder.network.load_state_dict(state)
    return finder.eval().requires_grad_(False)


def _read(path: Path) -> Any:
    try:
        return load_file(path) if path.suffix == ".safetensors" else read_torch(path)
    except OSError as error:
        raise DataError(path, "file", f"cannot be read ({error.strerror or 'damaged'})", WAY_OUT) from error
    except Exception as error:
        if not isinstance(error, DAMAGED) and type(error).__name__ != "SafetensorError":
            raise
        raise DataError(path, "file", f"is no file of weights ({type(error).__name__})", WAY_OUT) from error


def _checked(path: Path, state: Any, wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights, each of the right shape and finite."""
    if not isinstance(state, dict):
        raise DataError(path, "file", f"holds {type(state).__name__}, not weights by name", WAY_OUT)
    for name in wanted.keys() | state.keys():
        if name not in wanted or name not in state:
            rule = "is missing" if name in wanted else "is of another network"
            raise DataError(path, f"weights {str(name)[:60]!r}", rule, WAY_OUT)
        value = state[name]
        if not isinstance(value, Tensor) or not is_plain(value) or value.shape != wanted[name].shape:
            shape = f"shape {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
            raise DataError(path, f"weights '{name}'", f"are {shape}, not {list(wanted[name].shape)}", WAY_OUT)
        if not np.isfinite(float(value.float().abs().max() if value.numel() else 0)):
            raise DataError(path, f"weights '{name}'", "are not all finite numbers", WAY_OUT)
    return state
