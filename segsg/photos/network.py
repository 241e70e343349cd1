"""Networks from files of weights that anybody may have written: shapes before memory, then only finite numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import nn

from segsg.files import DAMAGED, DataError
from segsg.photos.folder import AGAIN, MANIFEST

FLOATS = ("F16", "BF16", "F32")
"""how safetensors calls the real numbers of a bundle"""
Network = TypeVar("Network", bound=nn.Module)
Make = Callable[[str], Network]
"""device, "cpu" or "meta" -> an untrained network, made from what is there"""


def load_network(path: Path, make: Make, *, also: bool = False) -> Network:
    """The network that `make` makes, in float32 and frozen, with the weights of a file.

    `also`: the file may have more than it needs. DataError if weights are of another network, or no numbers.
    `make` is called twice, first without memory: numbers of a bundle may ask for any amount of it.
    """
    check_shapes(path, make, also=also)
    model = _made(make, "cpu")
    wanted = model.state_dict().keys()
    try:
        found = load_file(path).items()
        weights = {
            name: value.float() if value.is_floating_point() else value for name, value in found if name in wanted
        }
        model.load_state_dict(weights)
    except (SafetensorError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise DataError(path, "weights", f"do not fit the model of {MANIFEST} ({first})", AGAIN) from error
    for name, value in weights.items():
        if not value.isfinite().all():
            raise DataError(path, f"weights '{name}'", "are not all finite numbers", "train again, then bundle again")
    return model.eval().requires_grad_(False)


def check_shapes(path: Path, make: Make, *, also: bool = False) -> None:
    """DataError unless the header of a file of weights has just the shapes that the network has."""
    try:
        with torch.device("meta"):
            model = _made(make, "meta")
        wanted = {name: (list(value.shape), value.is_floating_point()) for name, value in model.state_dict().items()}
        with safe_open(path, "pt") as file:
            slices = [(name, file.get_slice(name)) for name in list(file.keys())]
            found = {name: (part.get_shape(), part.get_dtype() in FLOATS) for name, part in slices}
    except (*DAMAGED, SafetensorError) as error:
        first = " ".join(str(error).split())[:200]
        raise DataError(path, "weights", f"are of no model that can be made ({first})", AGAIN) from error
    for name in sorted(wanted.keys() if also else wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            rule = f"are {found.get(name)}, {MANIFEST} asks for {wanted.get(name)} (shape, whether real)"
            raise DataError(path, f"weights '{name}'", f"do not fit the model of {MANIFEST}: {rule}", AGAIN)


def _made(make: Make, device: str) -> Network:
    # Making a model seeds PyTorch, which is not a loader's to do.
    with torch.random.fork_rng(devices=[]):
        return make(device)
