"""Photos of a data set, found and read."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from segsg.files import DAMAGED, DataError

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""Pillow's names of what is opened; decoders of rarer formats, some of them other programs, stay closed to any file"""
MOST_PIXELS = 2**30 // 12
"""of a photo, 89 million, where Pillow begins to warn: as three channels of float32 it takes 1 GiB"""
UNDECODABLE = (*DAMAGED, SyntaxError, ArithmeticError, Image.DecompressionBombError)
"""what Pillow raises for a file that is no photo, or a damaged one"""
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # `opened` has a limit of its own
Read = Callable[[Path], Tensor]
"""path of a photo -> its image, uint8 [3, h, w]"""
UNPACKED = ("", "VG_100K", "VG_100K_2")
"""A photo lies in the folder itself or in one of the two folders that Visual Genome's archives unpack to."""


def find_photo(folder: Path, name: str) -> Path:
    """Path of a photo in `folder`, which is flat or holds Visual Genome's two folders. DataError if there is none."""
    for part in UNPACKED:
        if os.path.isfile(path := folder / part / name):  # unlike Path.is_file false, no error, for a name too long
            return path
    way_out = f"put the photo into {folder} (or its {' or '.join(UNPACKED[1:])}), or correct the folder in the profile"
    raise DataError(folder / name, "photo", "is missing", way_out)


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A photo for reading in the block, of one of FORMATS. DataError if it is too large or cannot be decoded there."""
    try:
        with Image.open(path, formats=FORMATS) as photo:
            if photo.width * photo.height > MOST_PIXELS:
                raise ValueError(f"it has {photo.width} x {photo.height} pixels, more than {MOST_PIXELS}")
            yield photo
    except UNDECODABLE as error:
        known = not isinstance(error, Image.UnidentifiedImageError)
        reason = " ".join(str(error).split()) if known else "of no known format"
        way_out = f"store it again, with eight bits, as {', '.join(FORMATS)}"
        raise DataError(path, "photo", f"cannot be decoded ({reason:.200})", way_out) from error


def read_photo(path: Path) -> UInt8[Tensor, "3 h w"]:
    """A photo of any Pillow mode of whole numbers as RGB, in the frame in which it is stored.

    EXIF orientation is ignored: Visual Genome's and COCO's boxes and masks were drawn on the stored pixels.
    Transparency is dropped, 16-bit grey keeps its eight leading bits, of several frames the first is taken.
    DataError if the file cannot be decoded.
    """
    with opened(path) as photo:
        pixels = np.array(eight_bits(photo).convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


MEAN_COLOUR = (124, 116, 104)
"""ImageNet's mean RGB: a pixel of this colour is near zero once a backbone has normalised it"""


def blank(images: int, height: int, width: int) -> UInt8[Tensor, "images 3 height width"]:
    """Images of the mean colour, all of one stored pixel: they take no memory, and nothing may be written into them."""
    return torch.tensor(MEAN_COLOUR, dtype=torch.uint8).reshape(1, 3, 1, 1).expand(images, 3, height, width)


def is_blank(image: UInt8[Tensor, "*images 3 h w"]) -> bool:
    """Whether all pixels of an image, or of images, are one stored pixel of the mean colour, as in `blank`."""
    return image.stride()[-2:] == (0, 0) and bool((image[..., 0, 0] == image.new_tensor(MEAN_COLOUR)).all())


def blank_photo(path: Path) -> UInt8[Tensor, "3 h w"]:
    """A blank image of a photo's size, for readers that look at no pixel: of the file only the head is read.

    DataError if the file is missing or is no photo; damage behind its head is not found.
    """
    with opened(path) as photo:
        return blank(1, photo.height, photo.width)[0]


def eight_bits(photo: Image.Image) -> Image.Image:
    """The photo with 16-bit grey cut to its eight leading bits: Pillow would clip it to 255, hence make it white.

    ValueError for pixels of 32 bits, fractions or not: no file says which number is white.
    """
    if photo.mode in ("I", "F"):
        raise ValueError(f"pixels of 32 bits (mode {photo.mode}) have no known white")
    if not photo.mode.startswith("I;16"):
        return photo
    return Image.fromarray((np.asarray(photo) >> 8).astype(np.uint8))
