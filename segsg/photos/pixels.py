"""A photo from anywhere as pixels: upright, opaque, eight bits."""

import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps

from segsg.data.photos import eight_bits
from segsg.files import DataError
from segsg.structures import Sample

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""that are decoded; Pillow's decoders of rarer formats stay closed, since a file may come from anywhere"""
Photo = str | os.PathLike | Image.Image | np.ndarray
Pixels = UInt8[np.ndarray, "h w 3"]


def read(photo: Photo) -> Pixels:
    """Pixels of a file, of a Pillow image, or of an array of uint8 `[h, w]`, `[h, w, 3]` or `[h, w, 4]`.

    EXIF orientation is applied, transparency becomes white, 16-bit grey keeps its eight leading bits; of several
    frames the first is taken. DataError if a file cannot be decoded, ValueError for any other kind of array.
    """
    if isinstance(photo, np.ndarray):
        return _of_array(photo)
    if isinstance(photo, Image.Image):
        return _of_image(photo)
    path = Path(photo)
    if not path.is_file():
        raise DataError(path, "photo", "no such file", "correct the path")
    try:
        with Image.open(path, formats=FORMATS) as opened:
            return _of_image(opened)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = "of no known format" if isinstance(error, Image.UnidentifiedImageError) else error
        rule = f"cannot be decoded ({reason})"
        raise DataError(path, "photo", rule, f"give a photo as {', '.join(FORMATS)}") from error


def sample(pixels: Pixels) -> Sample:
    """A photo as a sample without any annotation."""
    image = torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
    nothing = torch.zeros(0, dtype=torch.int64)
    return Sample(0, image, torch.zeros(0, 4), nothing, nothing.reshape(0, 3))


def _of_array(array: np.ndarray) -> Pixels:
    colours = array.shape[2] if array.ndim == 3 else 1
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or colours not in (1, 3, 4) or array.size == 0:
        raise ValueError(f"array {array.dtype} {array.shape}: a photo is uint8 [h, w], [h, w, 3] or [h, w, 4]")
    return _of_image(Image.fromarray(array.squeeze(2) if array.ndim == 3 and colours == 1 else array))


def _of_image(image: Image.Image) -> Pixels:
    image = eight_bits(ImageOps.exif_transpose(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))
