"""A bundle for photographs whose parts are as simple as can be, and known by heart."""

import json

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from segsg.files import digest
from segsg.photos.found import Found
from segsg.photos.parts import one_network

PREDICATES = ("on", "riding")


class Corners(nn.Module):
    """Finds a man in the left half of a photo and a horse in the right half."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5, 0.25]))

    def find(self, photos):
        scores = self.weight.detach().numpy().astype(float)
        return [Found(("man", "horse"), scores, halves(photo), (None, None)) for photo in photos]


def halves(photo):
    height, width = photo.shape[:2]
    return np.array([[0, 0, width / 2, height], [width / 2, 0, width, height]], dtype=float)


class Full(nn.Module):
    """The mask of a box is all of it."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def masks(self, photo, boxes):
        return np.ones((len(boxes), 4, 4)) * float(self.weight), boxes


class Rides(nn.Module):
    """A man rides a horse with 0.8; anything else is on anything with 0.1."""

    predicates = PREDICATES

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.1, 0.8]))

    def knows(self, name):
        return name in ("man", "horse")

    def relate(self, found, size, pairs):
        on, riding = self.weight.detach().double().tolist()
        rides = [(found.names[s], found.names[o]) == ("man", "horse") for s, o in pairs]
        return np.array([(0, riding) if each else (on, 0) for each in rides]).reshape(-1, 2)


PARTS = {"finder": Corners, "masker": Full, "relater": Rides}
FAKES = {step: {"fake": one_network(lambda settings, made=made: made(**settings))} for step, made in PARTS.items()}
"""loaders"""


def made_bundle(folder, *, steps=("finder", "masker", "relater")):
    """A folder with these parts."""
    for step in steps:
        (folder / step).mkdir(parents=True)
        save_file(PARTS[step]().state_dict(), folder / step / "weights.safetensors")
    (folder / "MODEL_CARD.md").write_text("# fakes\n")
    (folder / "NOTICE").write_text("nobody's\n")
    parts = {step: {"kind": "fake", "settings": {}} if step in steps else None for step in PARTS}
    manifest = {"format": "segsg-bundle", "version": 5, "kind": "photos", "name": "fakes", "licence": "MIT"}
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listed = {path.relative_to(folder).as_posix(): digest(path) for path in files}
    write(folder, manifest | {"trained": {}, "warning": None} | parts | {"files": listed})
    return folder


def write(folder, manifest):
    (folder / "bundle.json").write_text(json.dumps(manifest))


def changed(folder, **entries):
    """Other entries in its manifest."""
    write(folder, json.loads((folder / "bundle.json").read_text()) | entries)
