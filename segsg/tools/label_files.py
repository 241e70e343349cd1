"""Lists of class names as people have them: a text file, Visual Genome's vocabulary, or COCO's instances."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from segsg.data.visual_genome import read_vocabulary
from segsg.files import DataError, field, read_json

ACCEPTED = 'give a text file with one name a line, a JSON list, a VG-SGG-dicts.json or a file of COCO "categories"'


@dataclass(frozen=True)
class Labels:
    """Distinct names in the order of their file; `repeated` are those that the file has more than once."""

    names: tuple[str, ...]
    repeated: tuple[str, ...] = ()


def read_labels(path: Path) -> Labels:
    """Names of a file in lower case, as word vectors have them; blank lines and surrounding spaces are ignored.

    DataError if the file is of no such kind or holds no name.
    """
    if not path.is_file():
        raise DataError(path, "file", "does not exist", ACCEPTED)
    names = _of_json(path) if path.suffix == ".json" else _of_text(path)
    labels = distinct(name.strip().lower() for name in names if name.strip())
    if not labels.names:
        raise DataError(path, "file", "holds no name", ACCEPTED)
    return labels


def distinct(names: Iterable[str]) -> Labels:
    """Each name once, where it comes first."""
    counts = Counter(names)
    return Labels(tuple(counts), tuple(name for name, count in counts.items() if count > 1))


def _of_text(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except ValueError as error:
        raise DataError(path, "file", f"is not text in UTF-8 ({error})", ACCEPTED) from error


def _of_json(path: Path) -> list[str]:
    content = read_json(path)
    if isinstance(content, dict) and "label_to_idx" in content:
        return list(read_vocabulary(path).classes)
    if isinstance(content, dict) and "categories" in content:
        return _of_categories(path, field(path, "file", content, "categories", list))
    if not isinstance(content, list) or not all(isinstance(name, str) for name in content):
        raise DataError(path, "file", "is no list of names", ACCEPTED)
    return content


def _of_categories(path: Path, categories: list) -> list[str]:
    """In the order of their ids, as the readers of the study number them."""
    places = [f"category at place {place}" for place in range(len(categories))]
    ids = [field(path, place, entry, "id", int) for place, entry in zip(places, categories, strict=True)]
    names = [field(path, place, entry, "name", str) for place, entry in zip(places, categories, strict=True)]
    return [name for _, name in sorted(zip(ids, names, strict=True), key=lambda entry: entry[0])]
