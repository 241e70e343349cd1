"""Loads any bundle: one that comes with the project by its name, a folder, or a zip file by its address."""

import os
from pathlib import Path

import torch

from segsg.files import ROOT, digest
from segsg.photos.any_bundle import AnyBundle
from segsg.photos.bundle import load_bundle
from segsg.photos.download import fetched, is_address
from segsg.photos.finders.torchvision_coco import MODELS, finder_from
from segsg.photos.folder import MANIFEST, PHOTOS, read_raw
from segsg.photos.photo_bundle import PhotoBundle, load_photo_bundle

SHIPPED = ROOT / "bundles"
TORCHVISION = "torchvision"


def load(bundle: str | os.PathLike = "photos", device: str | torch.device | None = None) -> AnyBundle:
    """The bundle with its `predict(photo)`, on a GPU if there is one and `device` does not say otherwise.

    `bundle` is a folder, the name of one that comes with the project, or https://...zip#sha256=... ValueError, in one
    line with the way out, if there is no such bundle, or anything in it is missing, changed or of another version.
    """
    chosen, folder = device_of(device), folder_of(bundle)
    if read_raw(folder)["kind"] == PHOTOS:
        return load_photo_bundle(folder, chosen)
    return load_bundle(folder, chosen)


def with_finder(
    bundle: AnyBundle, finder: str, weights: Path | None = None, device: str | torch.device | None = None
) -> PhotoBundle:
    """The bundle with another finder: "torchvision:MODEL", with weights of a file or, without one, torchvision's own.

    ValueError, in one line with the way out, for another finder, a bundle of one network, or weights of anything else.
    """
    kind, _, model = finder.partition(":")
    if kind != TORCHVISION:
        raise ValueError(f"finder {finder}: unknown; give {TORCHVISION}:MODEL with one of {', '.join(MODELS)}")
    if not isinstance(bundle, PhotoBundle):
        raise ValueError(f"finder {finder}: the bundle {bundle.name} finds regions itself; leave --finder out")
    made = finder_from(model, weights).to(device_of(device))
    return bundle.with_finder(made, finder, "" if weights is None else digest(weights))


def folder_of(bundle: str | os.PathLike) -> Path:
    """Where a bundle is, after it was downloaded if it is an address."""
    text = os.fspath(bundle)
    if is_address(text):
        return fetched(text)
    path = Path(text).expanduser()
    if path.is_dir() or path.name != text:
        return path
    if not (SHIPPED / text / MANIFEST).is_file():
        names = ", ".join(sorted(place.parent.name for place in SHIPPED.glob(f"*/{MANIFEST}")))
        raise ValueError(f"{text}: no such bundle; give a folder, an address, or one of {names or 'none'}")
    return SHIPPED / text


def device_of(device: str | torch.device | None) -> torch.device:
    """The device of this name, or the best there is. ValueError for one that is not there."""
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device {device}: cannot be used here; give cpu, or leave --device out") from error
    return chosen
