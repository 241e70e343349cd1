"""Networks whose weights come with the project, as safetensors."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from segsg.files import DataError


def filled(network: nn.Module, path: Path, way_out: str) -> nn.Module:
    """The network with the weights of a file, in its own precision, frozen. DataError if they do not fit."""
    try:
        weights = load_file(path)
        network.load_state_dict(weights)
    except (OSError, SafetensorError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise DataError(path, "weights", f"are not those of {type(network).__name__} ({first})", way_out) from error
    for name, value in weights.items():
        if not value.isfinite().all():
            raise DataError(path, f"weights '{name}'", "are not all finite numbers", way_out)
    return network.eval().requires_grad_(False)
