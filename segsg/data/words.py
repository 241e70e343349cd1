"""Words of a data set: names of classes and predicates, pairs of names, and word vectors as GloVe's files have them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from segsg.files import DataError, read_json
from segsg.structures import BACKGROUND

AGAIN = "download or draw the file again"
ALIAS = "spell it differently, or give another word for it under data: word_aliases in the profile"
BACKGROUND_NAME = "background"


@dataclass(frozen=True)
class Vocabulary:
    """Class and predicate names in label order. Background is not among them: label i is the name at i - 1."""

    classes: tuple[str, ...]
    predicates: tuple[str, ...] = ()

    def class_name(self, label: int) -> str:
        """Name of a class label; IndexError if there is no such label."""
        return _name(self.classes, label)

    def predicate_name(self, label: int) -> str:
        """Name of a predicate label; IndexError if there is no such label."""
        return _name(self.predicates, label)


def _name(names: tuple[str, ...], label: int) -> str:
    if label == BACKGROUND:
        return BACKGROUND_NAME
    if not 0 < label <= len(names):
        raise IndexError(f"label {label} is not among 0..{len(names)}")
    return names[label - 1]


def read_name_pairs(path: Path) -> dict[str, str]:
    """Which mask class shows a scene-graph class, for classes that share a mask but not a name: {class: mask class}."""
    pairs = read_json(path)
    if not isinstance(pairs, dict) or not all(isinstance(name, str) for name in pairs.values()):
        raise DataError(path, "file", "is not one JSON object of names", 'write {"bike": "motorcycle", ...}')
    return pairs


class WordVectors:
    """Vectors of lower-case words. A name of several words, apart by spaces, has the mean of its words' vectors."""

    def __init__(self, path: Path, vectors: dict[str, np.ndarray], aliases: Mapping[str, str]):
        self._path, self._vectors, self._aliases = path, vectors, aliases

    @classmethod
    def read(
        cls, path: Path, words: Iterable[str] | None = None, aliases: Mapping[str, str] | None = None
    ) -> "WordVectors":
        """Reads a text file of lines `word number number ...`, keeping only what the names in `words` need.

        `aliases` says which other word or name to look up instead. The file is streamed, not held in memory.
        DataError if a needed row has the wrong length; a word that is missing is an error when it is asked for.
        """
        aliases = aliases or {}
        needed = None if words is None else {word for name in words for word in _words(name, aliases)}
        try:
            with open(path, "rb") as lines:
                return cls(path, dict(_rows(path, lines, needed)), aliases)
        except OSError as error:
            rule = f"cannot be read ({error.strerror})"
            raise DataError(path, "file", rule, "check data: word_vectors in the profile") from error

    def vector(self, name: str) -> Float[Tensor, "words"]:
        """Mean vector of the words of `name`, float32. DataError names a word that the file does not have."""
        words = _words(name, self._aliases)
        for word in words:
            if word not in self._vectors:
                raise DataError(self._path, f"word '{word}' of '{name}'", "has no vector", ALIAS)
        return torch.from_numpy(np.mean([self._vectors[word] for word in words], axis=0, dtype=np.float32))

    def matrix(self, names: Iterable[str]) -> Float[Tensor, "classes words"]:
        """Word vectors of names, one row for each name; DataError for a name that has none."""
        return torch.stack([self.vector(name) for name in names])


def _words(name: str, aliases: Mapping[str, str]) -> list[str]:
    name = aliases.get(name, name).lower()
    return [part for word in name.split() for part in aliases.get(word, word).lower().split()]


def _rows(path: Path, lines: Iterable[bytes], needed: set[str] | None) -> Iterator[tuple[str, np.ndarray]]:
    """(word, vector) of the needed words; stops reading at the last of them."""
    missing, length = None if needed is None else set(needed), None
    for number, line in enumerate(lines, start=1):
        length = length or len(line.split()) - 1
        start, _, numbers = line.partition(b" ")
        word = start.decode("utf-8", "replace")
        if missing is not None and word not in missing:
            continue
        vector = _vector(path, f"line {number} ('{word}')", numbers.split(), length)
        if vector is None:
            continue
        yield word, vector
        if missing is not None:
            missing.discard(word)
            if not missing:
                return


def _vector(path: Path, item: str, numbers: list[bytes], length: int) -> np.ndarray | None:
    """The vector of one entry. None for an entry of several words: GloVe 840B has some, as "at name@domain.com"."""
    try:
        vector = np.array(numbers, dtype=np.float32)
    except ValueError as error:
        if len(numbers) > length:
            return None
        raise DataError(path, item, f"is not a row of numbers ({error})", AGAIN) from error
    if len(vector) != length or not np.isfinite(vector).all():
        raise DataError(path, item, f"has {len(vector)} numbers, finite or not; the first row has {length}", AGAIN)
    return vector
