"""Which photos a user means, what their results are called, and photos as pixels: upright, opaque, eight bits."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from glob import glob
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import ExifTags, Image

from segsg.data.photos import eight_bits, opened
from segsg.files import LONGEST_NAME, DataError
from segsg.photos.graph import FORMAT
from segsg.structures import Sample

TURNS = dict(
    enumerate(
        (
            Image.Transpose.FLIP_LEFT_RIGHT,
            Image.Transpose.ROTATE_180,
            Image.Transpose.FLIP_TOP_BOTTOM,
            Image.Transpose.TRANSPOSE,
            Image.Transpose.ROTATE_270,
            Image.Transpose.TRANSVERSE,
            Image.Transpose.ROTATE_90,
        ),
        start=2,
    )
)
"""EXIF orientation -> what makes the photo upright; 1 is upright already"""
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
INDEX = "index"
RESULTS = (".json", ".png", ".html")
TABLE, LINES = "relations.csv", "graphs.jsonl"
"""of all photos of a run"""
MARK = "Written by <code>segsg predict</code>"
"""on every page that `segsg predict` writes"""


@dataclass(frozen=True)
class Named:
    """A photo and the name of its results, without ending."""

    path: Path
    name: str

    @property
    def file(self) -> str:
        """The name of the photo's file as text; what is not UTF-8 becomes question marks."""
        return _text(self.path.name)


def find(places: Iterable[Path], out: Path) -> list[Named]:
    """The photos at `places`: files, whatever they are called, folders with all that is below them, and patterns.

    Each photo once, in the order given, those of a folder by name. Left out are hidden files, what lies in `out`, and
    pictures that an earlier run made of a photo.
    Names are those of the files; a name that is taken, or would be index.html, gets a number. ValueError if a place is
    not there, if there is no photo at all, or if a result would replace a file that is not a result.
    """
    places = list(places)
    unique: dict[Path, Path] = {}
    for path in (path for place in places for path in _photos(place, out)):
        unique.setdefault(path.resolve(), path)
    paths = list(unique.values())
    if not paths:
        listed = ", ".join(str(place) for place in places)
        raise ValueError(f"{listed}: no photo in it; give files or folders with {', '.join(ENDINGS)}")
    photos = [Named(path, name) for path, name in zip(paths, _names(paths), strict=True)]
    for foreign in _foreign(photos, out):
        raise ValueError(f"{foreign}: would be replaced, and is no result of segsg; name another folder for --out")
    return photos


def has_index(out: Path) -> bool:
    """Whether an earlier run left its index in the folder `out`."""
    index = out / f"{INDEX}.html"
    return index.is_file() and MARK in index.read_text(encoding="utf-8", errors="replace")


def _foreign(photos: list[Named], out: Path) -> Iterator[Path]:
    """Files in the way of results that are not results themselves."""
    for photo in photos:
        if not _is_record(out / f"{photo.name}.json"):
            yield from filter(Path.exists, (out / f"{photo.name}{ending}" for ending in RESULTS))
    if (out / TABLE).exists() and not (out / LINES).exists():
        yield out / TABLE
    if (out / LINES).exists() and not _is_record(out / LINES):
        yield out / LINES
    if len(photos) > 1 and not has_index(out):
        yield from filter(Path.exists, [out / f"{INDEX}.html"])


def _photos(place: Path, out: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.exists() and set(str(place)) & set("*?["):
        return [path for found in sorted(glob(str(place), recursive=True)) for path in _photos(Path(found), out)]
    if not place.is_dir():
        raise ValueError(f"{place}: no such photo or folder; correct the path")
    pictures = sorted(path for path in place.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    return [
        path
        for path in pictures
        if not any(part.startswith(".") for part in path.relative_to(place).parts)
        and not path.resolve().is_relative_to(out.resolve())
        and not _is_result(path)
    ]


def _is_result(path: Path) -> bool:
    """Whether a picture has the JSON of a graph beside it."""
    return path.suffix == ".png" and _is_record(path.with_suffix(".json"))


def _is_record(path: Path) -> bool:
    """Whether a file is the JSON of a photo's graph, or has one on its first line."""
    try:
        content = path.read_bytes()
        content = json.loads(content.splitlines()[0] if path.suffix == ".jsonl" and content else content)
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("format") == FORMAT


def _names(paths: list[Path]) -> list[str]:
    """A name for each photo, different also on disks that take "a" and "A" for one file."""
    taken, names = {INDEX}, []
    for path in paths:
        stem = _text(path.stem).encode()[:LONGEST_NAME].decode("utf-8", "ignore")
        name, number = stem, 2
        while name.casefold() in taken:
            name, number = f"{stem}-{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names


def _text(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")


Photo = str | os.PathLike | Image.Image | np.ndarray
Pixels = UInt8[np.ndarray, "_ _ 3"]


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
    with opened(path) as image:
        return _of_image(image)


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


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF orientation says. Other tags, which may be malformed, are not looked at."""
    turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    return image if turn is None else image.transpose(turn)


def _of_image(image: Image.Image) -> Pixels:
    image = eight_bits(_upright(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))
