"""PyTorch files from elsewhere. A pickle can do anything to whoever opens it, so nothing in one is ever run."""

import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

DAMAGED = (
    OSError,
    EOFError,
    RuntimeError,
    UnpicklingError,
    struct.error,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""what torch.load raises for a file that it cannot open, that was cut short, or whose bytes say something else"""


def load(path: Path, readable: str = "tensors", stand_ins: Iterable[tuple[type, str]] = ()) -> Any:
    """The content of a PyTorch file: tensors, plain containers, and inert `stand_ins` (class, its name in the file).

    Tensors of a file of today's layout stay on disk until used. ValueError that names the file, and says that only
    `readable` is read, for one that is damaged or holds anything else; torch's own words would advise to run its code.
    """
    try:
        with torch.serialization.safe_globals(list(stand_ins)):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except DAMAGED as error:
        reason = type(error).__name__
        raise ValueError(
            f"{path}: refused; damaged, or more than {readable}, and code is never run ({reason})"
        ) from error


def columns(path: Path, count: int) -> torch.Tensor:
    """A file of one tensor `[rows, count]`. ValueError that names the file for anything else."""
    tensor = load(path, "a tensor")
    if not isinstance(tensor, torch.Tensor) or tensor.ndim != 2 or tensor.shape[1] != count:
        raise ValueError(f"{path}: not a tensor of {count} columns")
    return tensor
