"""Which photos a user means, and what their results are called."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from segsg.photos.record import FORMAT

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
INDEX = "index"
RESULTS = (".json", ".png", ".html")
MARK = "Written by <code>segsg predict</code>"
"""what all our pages say"""


@dataclass(frozen=True)
class Named:
    """A photo and the name of its results, without ending."""

    path: Path
    name: str

    @property
    def file(self) -> str:
        """The photo's own name as text: a name that is not UTF-8 gets question marks."""
        return _text(self.path.name)


def find(places: Iterable[Path], out: Path) -> list[Named]:
    """The photos at `places`: files, whatever they are called, and folders with all that is below them.

    Each photo once, in the order given, those of a folder by name. Left out are hidden files, what lies in `out`, and
    pictures that an earlier run made of a photo.
    Names are those of the files; one that is taken, or would be index.html, gets a number. ValueError if a place is
    not there, there is no photo at all, or results would replace what is none.
    """
    places = list(places)
    found: dict[Path, Path] = {}
    for path in (path for place in places for path in _photos(place, out)):
        found.setdefault(path.resolve(), path)
    paths = list(found.values())
    if not paths:
        said = ", ".join(str(place) for place in places)
        raise ValueError(f"{said}: no photo in it; give files or folders with {', '.join(ENDINGS)}")
    named = [Named(path, name) for path, name in zip(paths, _names(paths), strict=True)]
    for foreign in _foreign(named, out):
        raise ValueError(f"{foreign}: would be replaced, and is no result of segsg; name another folder for --out")
    return named


def has_index(out: Path) -> bool:
    """Whether an earlier run left its index there."""
    index = out / f"{INDEX}.html"
    return index.is_file() and MARK in index.read_text(encoding="utf-8", errors="replace")


def _foreign(named: list[Named], out: Path) -> Iterator[Path]:
    """Files in the way of results that are not results themselves."""
    for photo in named:
        if not _is_record(out / f"{photo.name}.json"):
            yield from filter(Path.exists, (out / f"{photo.name}{ending}" for ending in RESULTS))
    if len(named) > 1 and not has_index(out):
        yield from filter(Path.exists, [out / f"{INDEX}.html"])


def _photos(place: Path, out: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise ValueError(f"{place}: no such photo or folder; correct the path")
    found = sorted(path for path in place.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    seen = (path for path in found if not _is_hidden(path.relative_to(place)) and not _is_below(path, out))
    return [path for path in seen if not _is_result(path)]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _is_below(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _is_result(path: Path) -> bool:
    """Whether a record of ours lies beside a picture of the same name."""
    return path.suffix == ".png" and _is_record(path.with_suffix(".json"))


def _is_record(path: Path) -> bool:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("format") == FORMAT


def _names(paths: list[Path]) -> list[str]:
    """Different even where files of different case are one."""
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
