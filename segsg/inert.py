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
"""what `read` raises for a file that it cannot open, that was cut short, or whose bytes say something else

Its texts may be torch's own, which advise to run the file's code: show their type only.
"""


def read(path: Path, stand_ins: Iterable[tuple[type, str]] = ()) -> Any:
    """The content of a PyTorch file: tensors, plain containers, and inert `stand_ins` (class, its name in the file).

    Tensors of a file of today's layout stay on disk until used. Raises one of `DAMAGED` for anything else.
    """
    with torch.serialization.safe_globals(list(stand_ins)):
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))


def is_table(content: Any, columns: int) -> bool:
    """Whether it is a tensor `[rows, columns]`."""
    return isinstance(content, torch.Tensor) and content.ndim == 2 and content.shape[1] == columns
