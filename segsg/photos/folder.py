"""Which photos a user means, and what their results are called."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from segsg.photos.graph import FORMAT

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
INDEX = "index"
RESULTS = (".json", ".png", ".html")
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
    """The photos at `places`: files, whatever they are called, and folders with all that is below them.

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
    if len(photos) > 1 and not has_index(out):
        yield from filter(Path.exists, [out / f"{INDEX}.html"])


def _photos(place: Path, out: Path) -> list[Path]:
    if place.is_file():
        return [place]
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
    """Whether a file is the JSON of a photo's graph."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("format") == FORMAT


def _names(paths: list[Path]) -> list[str]:
    """A name for each photo, different also on disks that take "a" and "A" for one file."""
    taken, names = {INDEX}, []
    for path in paths:
        stem = _text(path.stem)
        name, number = stem, 2
        while name.casefold() in taken:
            name, number = f"{stem}-{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names


def _text(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")
