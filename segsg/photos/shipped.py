"""The parts of the shipped bundle `photos`: SSDLite finds, a head without classes masks, names and boxes relate."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import nn

from segsg.detection.mobilenet import MobileNetV2
from segsg.detection.ssd import Limits, SsdLite
from segsg.grounding.box_masks import BoxMasks, PhotoMasks
from segsg.photos.found import Found
from segsg.photos.input import Pixels
from segsg.photos.relater import Relater as PairRelater
from segsg.photos.relater import load_relater
from segsg.study.params import read_section

WIDEST = 512
"""channels of a mask head's own layers that a bundle may ask for"""


class CocoSsd(nn.Module):
    """SSDLite as a `Finder`: COCO's 80 classes, boxes without masks."""

    def __init__(self, network: SsdLite, limits: Limits):
        super().__init__()
        self.network, self.limits = network, limits

    def find(self, photos: Sequence[Pixels]) -> list[Found]:
        """The regions of each photo, surest first."""
        tensors = [torch.from_numpy(photo).permute(2, 0, 1) for photo in photos]
        return [
            Found(each.names, each.scores.double().cpu().numpy(), each.boxes.cpu().numpy(), (None,) * len(each.labels))
            for each in self.network.find(tensors, self.limits)
        ]


def coco_ssd(settings: dict) -> CocoSsd:
    """The untrained finder; `settings` may change any of its `Limits`. ValueError for anything else."""
    return CocoSsd(SsdLite().eval(), read_section(Limits, vars(Limits()) | settings, "settings"))


class BoxMasker(nn.Module):
    """The head without classes as a `Masker`."""

    def __init__(self, network: PhotoMasks):
        super().__init__()
        self.network = network

    def masks(
        self, photo: Pixels, boxes: Float[np.ndarray, "regions 4"]
    ) -> tuple[Float[np.ndarray, "regions side side"], Float[np.ndarray, "regions 4"]]:
        """Probabilities of the cells of each frame, and the frames, which are larger than the boxes."""
        device = next(self.network.parameters()).device
        pixels = torch.from_numpy(photo).permute(2, 0, 1).to(device)
        cells, frames = self.network(pixels, torch.from_numpy(boxes).float().to(device))
        return cells.cpu().numpy(), frames.cpu().numpy()


def box_masks(settings: dict) -> BoxMasker:
    """The untrained masker; `settings` are {"width": channels of the head's own layers}. ValueError for others."""
    width = settings.get("width")
    if settings.keys() != {"width"} or type(width) is not int or not 1 <= width <= WIDEST:
        raise ValueError(f"settings {settings} of box-masks: only 'width', a whole number from 1 to {WIDEST}")
    trunk = MobileNetV2()
    return BoxMasker(PhotoMasks(trunk, BoxMasks(trunk, width)))


class NamesAndBoxes(nn.Module):
    """The networks of names and boxes as a `Relater`."""

    def __init__(self, network: PairRelater):
        super().__init__()
        self.network = network
        self.predicates = network.predicates

    def knows(self, name: str) -> bool:
        """Whether it has a vector of this name."""
        return name in self.network.names

    def relate(
        self, found: Found, size: tuple[int, int], pairs: Int[np.ndarray, "pairs 2"]
    ) -> Float[np.ndarray, "pairs predicates"]:
        """Calibrated probability of each predicate for each (subject, object). The size of the photo does not count."""
        device = self.network.lift.device
        boxes = torch.from_numpy(found.boxes).float().to(device)
        said = self.network.relate(found.names, boxes, torch.from_numpy(pairs).to(device))
        return said[:, 1:].double().cpu().numpy()


def names_and_boxes(folder: Path, settings: dict) -> NamesAndBoxes:
    """The trained relater of a folder; it has no settings. DataError if the folder is damaged."""
    if settings:
        raise ValueError(f"settings {settings} of names-and-boxes: it has none")
    return NamesAndBoxes(load_relater(folder))
