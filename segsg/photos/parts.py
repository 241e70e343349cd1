"""What the parts of a bundle for photographs are: a kind in its manifest -> what loads a part of that kind.

A loader gets the folder of its part, whose files have the digests of the manifest, and the settings of the manifest.
It returns an `nn.Module` that is a `Finder`, a `Masker` or a `Relater`. It checks all that it reads: shapes before
memory, finite numbers, settings (ValueError). It runs no code of the folder. A new kind of part is one line here.
"""

from collections.abc import Callable
from pathlib import Path

from torch import nn

from segsg.photos.finders.torchvision_coco import torchvision_finder
from segsg.photos.folder import WEIGHTS
from segsg.photos.network import load_network
from segsg.photos.shipped import box_masks, coco_ssd, names_and_boxes

Loader = Callable[[Path, dict], nn.Module]
Loaders = dict[str, dict[str, Loader]]


def one_network(make: Callable[[dict], nn.Module]) -> Loader:
    """A loader of what `make` makes from settings, with the weights of one file."""

    def load(folder: Path, settings: dict) -> nn.Module:
        return load_network(folder / WEIGHTS, lambda device: make(settings))

    return load


LOADERS: Loaders = {
    "finder": {"coco-ssd": one_network(coco_ssd), "torchvision": one_network(torchvision_finder)},
    "masker": {"box-masks": one_network(box_masks)},
    "relater": {"names-and-boxes": names_and_boxes},
}
"""step -> kind -> loader"""
