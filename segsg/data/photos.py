"""Photos of a data set, found and read."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from segsg.files import DataError

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""Pillow's names of what is opened; decoders of rarer formats, some of them other programs, stay closed to any file"""
UNPACKED = ("", "VG_100K", "VG_100K_2")
"""A photo lies in the folder itself or in one of the two folders that Visual Genome's archives unpack to."""


def find_photo(folder: Path, name: str) -> Path:
    """Path of a photo in `folder`, which is flat or holds Visual Genome's two folders. DataError if there is none."""
    for part in UNPACKED:
        if (path := folder / part / name).is_file():
            return path
    way_out = f"put the photo into {folder} (or its {' or '.join(UNPACKED[1:])}), or correct the folder in the profile"
    raise DataError(folder / name, "photo", "is missing", way_out)


def read_photo(path: Path) -> UInt8[Tensor, "3 h w"]:
    """A photo of any Pillow mode as RGB, in the frame in which it is stored.

    EXIF orientation is ignored: Visual Genome's and COCO's boxes and masks were drawn on the stored pixels.
    Transparency is dropped, 16-bit grey keeps its eight leading bits. DataError if the file cannot be decoded.
    """
    try:
        with Image.open(path, formats=FORMATS) as photo:
            pixels = np.array(eight_bits(photo).convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(path, "photo", f"cannot be decoded ({error})", "download or draw it again") from error
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


def eight_bits(photo: Image.Image) -> Image.Image:
    """The photo with wider grey cut to its eight leading bits: Pillow would clip it to 255, hence make it white."""
    if not photo.mode.startswith("I"):
        return photo
    return Image.fromarray((np.asarray(photo).clip(0, 65535).astype(np.uint32) >> 8).astype(np.uint8))
