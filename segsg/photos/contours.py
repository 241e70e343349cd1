"""Masks as outlines, and pair regions as heat, for pages that draw in vectors."""

import base64
import io

import numpy as np
from contourpy import contour_generator
from jaxtyping import Bool, Float
from PIL import Image

GRID = 192
"""cells along the longer side from which an outline is read; masks are no finer"""
HEAT_SIDE = 112
COLD, HOT = np.array([230.0, 60.0, 20.0]), np.array([255.0, 240.0, 120.0])


def outline(mask: Bool[np.ndarray, "h w"]) -> str:
    """The mask as an SVG path in pixels of the photo, to be filled by the even-odd rule; empty for an empty mask."""
    height, width = mask.shape
    cells = [max(1, round(side * min(1, GRID / max(height, width)))) for side in (width, height)]
    covered = Image.fromarray(mask.astype(np.uint8) * 255).resize(cells, Image.Resampling.BOX)
    framed = np.pad(np.asarray(covered, dtype=np.float64) / 255, 1)
    step = np.array([width / cells[0], height / cells[1]])
    lines = contour_generator(z=framed).lines(0.5)
    # Cell (1, 1) of the framed grid has its centre half a cell inside the photo.
    return "".join(_path(((line - 0.5) * step).clip(0, (width, height))) for line in lines)


def _path(points: Float[np.ndarray, "points 2"]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points[:-1]) + "Z"


def heat(weights: Float[np.ndarray, "side side"]) -> str:
    """A pair region as a PNG in a data URI: the more of both, the brighter and the less transparent.

    On its own scale, from nothing to its largest weight, since products of smoothed masks are small.
    """
    share = weights / max(float(weights.max()), 1e-9)
    smooth = Image.fromarray(share.astype(np.float32)).resize((HEAT_SIDE, HEAT_SIDE), Image.Resampling.BICUBIC)
    share = np.asarray(smooth).clip(0, 1)[..., None]
    pixels = np.concatenate([COLD + (HOT - COLD) * share, 235 * share**0.7], axis=2)
    return data_uri(Image.fromarray(pixels.round().astype(np.uint8), "RGBA"), "png")


def data_uri(image: Image.Image, kind: str, **options) -> str:
    """An image in a URI that pages can hold; `kind` is png or jpeg."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
