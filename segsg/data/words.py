"""Words of a data set: names of classes and predicates, pairs of names, and word vectors as GloVe's files have them."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from segsg.files import DataError, read_json
from segsg.structures import BACKGROUND
from segsg.values import CORRECT, once, proper_name, shown

TEXT = "give a text file with a word and its numbers on each line, as GloVe's"
ALIAS = "spell it differently, or give another word for it under data: word_aliases in the profile"
BACKGROUND_NAME = "background"
MOST_BYTES = 2**20
"""of a line; 300 numbers take 3,000"""
PROBED = 100
"""lines, from which the number of numbers on a line is known"""
LARGEST = 1e6
"""number of a vector; squares and sums of such numbers stay finite in float32, and GloVe's are below 10"""
PACKED = {b"PK\3\4": "a zip archive", b"\x1f\x8b": "compressed by gzip"}


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


def check_names(path: Path, item: str, names: Iterable) -> None:
    """DataError if names of labels are no names, are none at all, are not distinct, or take the name of background."""
    names = [proper_name(path, item, each) for each in names]
    if not names:
        raise DataError(path, item, "has no name", "list at least one")
    once(path, f"{item}:", names)
    if BACKGROUND_NAME in names:
        rule = f"'{BACKGROUND_NAME}' is the name of label {BACKGROUND}, which is no thing and no relation"
        raise DataError(path, item, rule, "give it another name, or leave it out")


def read_name_pairs(path: Path) -> dict[str, str]:
    """Which mask class shows a scene-graph class, for classes that share a mask but not a name: {class: mask class}."""
    pairs = read_json(path)
    if type(pairs) is not dict:
        raise DataError(path, "file", "is not one JSON object of names", 'write {"bike": "motorcycle", ...}')
    return {
        proper_name(path, "name pair", each): proper_name(path, f"name pair '{each}'", pairs[each]) for each in pairs
    }


class WordVectors:
    """Vectors of lower-case words. A name of several words, apart by spaces, has the mean of its words' vectors."""

    def __init__(self, path: Path, vectors: dict[str, np.ndarray], aliases: Mapping[str, str]):
        self._path, self._vectors, self._aliases = path, vectors, aliases

    @classmethod
    def read(cls, path: Path, names: Iterable[str], aliases: Mapping[str, str] | None = None) -> "WordVectors":
        """Reads a text file of lines `word number number ...`, keeping only the words that `names` need.

        `aliases` says which other word or name to look up instead. The file is streamed, not held in memory.
        DataError if it is no such file, or if a needed row has the wrong length, numbers beyond `LARGEST` or a double;
        a word that is missing is an error when it is asked for.
        """
        aliases = aliases or {}
        needed = {word.encode("utf-8", "replace"): word for name in names for word in _words(name, aliases)}
        try:
            with open(path, "rb") as file:
                return cls(path, _read_vectors(path, iter(partial(file.readline, MOST_BYTES), b""), needed), aliases)
        except OSError as error:
            rule = f"cannot be read ({error.strerror})"
            raise DataError(path, "file", rule, "correct its path: data: word_vectors in the profile") from error

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


def _read_vectors(path: Path, lines: Iterator[bytes], needed: Mapping[bytes, str]) -> dict[str, np.ndarray]:
    """Vectors of the needed words, which are given as they stand in the file and as text."""
    lines = _whole_lines(path, lines)
    probe = list(itertools.islice(lines, PROBED))
    width, header = _width(path, probe)
    vectors: dict[str, np.ndarray] = {}
    places: dict[str, int] = {}
    for number, line in enumerate(itertools.chain(probe, lines), start=1):
        word = needed.get(b"".join(line.split(None, 1)[:1]))
        if word is None or (header and number == 1):
            continue
        item = f"line {number} ({shown(word)})"
        vector = _vector(path, item, line.split()[1:], width)
        if vector is None:
            continue
        if word in vectors:
            raise DataError(path, item, f"this word has line {places[word]} already", "remove one of the two")
        vectors[word], places[word] = vector, number
    return vectors


def _whole_lines(path: Path, lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines, of which none is too long or binary."""
    for number, line in enumerate(lines, start=1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
            for start, kind in PACKED.items():
                if line.startswith(start):
                    raise DataError(path, "file", f"is {kind}", f"unpack it, and {TEXT}")
        if len(line) == MOST_BYTES:
            raise DataError(path, f"line {number}", f"is longer than {MOST_BYTES} bytes", TEXT)
        if b"\0" in line:
            raise DataError(path, f"line {number}", "is not text in UTF-8", TEXT)
        yield line


def _width(path: Path, probe: list[bytes]) -> tuple[int, bool]:
    """How many numbers most lines have, and whether the first line is a header: counts of words and of numbers."""
    lengths = Counter(len(line.split()) - 1 for line in probe if line.strip())
    if not lengths:
        raise DataError(path, "file", "is empty", TEXT)
    first = probe[0].split()
    header = len(first) == 2 and all(part.isdigit() for part in first) and lengths.total() > 1
    lengths.subtract([1] if header else [])
    width = lengths.most_common(1)[0][0]
    fits = header and first[1] == str(width).encode()
    if header and width > 1 and not fits:
        rule = f"says that lines have {first[1].decode():.20} numbers, but they have {width}"
        raise DataError(path, "line 1", rule, "correct the line, or remove it")
    usual = next(i for i, line in enumerate(probe) if len(line.split()) == width + 1 and i >= fits)
    if width == 0:
        raise DataError(path, f"line {usual + 1}", "has no numbers after its word", TEXT)
    _vector(path, f"line {usual + 1}", probe[usual].split()[1:], width)
    return width, fits


def _vector(path: Path, item: str, numbers: list[bytes], width: int) -> np.ndarray | None:
    """The vector of one line. None for an entry of several words: GloVe 840B has some, as "at name@domain.com"."""
    try:
        vector = np.array(numbers, dtype=np.float32)
    except ValueError as error:
        if len(numbers) > width:
            return None
        raise DataError(path, item, f"is not a row of numbers ({error})", TEXT) from error
    if len(vector) != width:
        raise DataError(path, item, f"has {len(vector)} numbers, most lines have {width}", CORRECT)
    if not (np.abs(vector) <= LARGEST).all():
        raise DataError(path, item, f"has numbers that are not finite or beyond {LARGEST:g}", CORRECT)
    return vector
