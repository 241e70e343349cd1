"""What any list of class names would borrow from any list of mask classes (eq. 3), and which names to look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from segsg.data.word_vectors import WordVectors
from segsg.files import DataError
from segsg.grounding.transfer import transfer_matrix
from segsg.study.transfer import Transfer
from segsg.tools.label_files import Labels

FLAT = 5.0
"""mask classes; a name that borrows from more of them at once is called flat"""
Kind = Literal["no mask", "weak", "flat", "repeated"]
ALIAS_HINT = "spell it otherwise (several words apart by spaces), or name another word for it: --alias WORD=OTHER"


@dataclass(frozen=True)
class Wanted:
    """How to transfer: a mode of `grounding.transfer.MODES`, what it drops, and the classes that copy by name."""

    mode: str
    threshold: float
    name_pairs: Mapping[str, str]


@dataclass(frozen=True)
class Concern:
    """A name that somebody should look at, and why."""

    kind: Kind
    name: str
    detail: str


@dataclass(frozen=True)
class Vectors:
    """Word vectors of names, a row of zeros where a word is `missing` ({name: word})."""

    rows: Float[Tensor, "classes words"]
    missing: Mapping[str, str]


@dataclass(frozen=True)
class Borrowed:
    """The matrix of eq. 3 with its names, and what to look at."""

    transfer: Transfer
    concerns: tuple[Concern, ...]

    @property
    def bare(self) -> tuple[str, ...]:
        """Names that borrow no mask at all."""
        return tuple(concern.name for concern in self.concerns if concern.kind == "no mask")


def read_vectors(
    path: Path, classes: Labels, mask_classes: Labels, aliases: Mapping[str, str]
) -> tuple[Vectors, Vectors]:
    """Vectors of both lists from GloVe's text format. DataError if a mask class lacks one: nothing could mix it."""
    if not path.is_file():
        raise DataError(path, "file", "does not exist", "give word vectors in GloVe's text format, a word a line")
    words = WordVectors.read(path, [*classes.names, *mask_classes.names], aliases)
    if lost := _missing(words, mask_classes, aliases):
        listed = ", ".join(f"'{word}' of '{name}'" for name, word in lost.items())
        raise DataError(path, "mask classes", f"no vector for {listed}", ALIAS_HINT)
    mask_rows, missing = words.matrix(mask_classes.names), _missing(words, classes, aliases)
    nothing = torch.zeros(mask_rows.shape[1])
    rows = [nothing if name in missing else words.vector(name) for name in classes.names]
    return Vectors(torch.stack(rows), missing), Vectors(mask_rows, {})


def _missing(words: WordVectors, labels: Labels, aliases: Mapping[str, str]) -> dict[str, str]:
    found = {name: _missing_word(words, aliases.get(name, name)) for name in labels.names}
    return {name: word for name, word in found.items() if word is not None}


def _missing_word(words: WordVectors, name: str) -> str | None:
    """The first word of a name that has no vector."""
    for word in name.split():
        try:
            words.vector(word)
        except DataError:
            return word
    return None


def borrow(classes: Labels, mask_classes: Labels, vectors: tuple[Vectors, Vectors], wanted: Wanted) -> Borrowed:
    """Which mask classes each name takes its mask from. A name without a vector and without a partner takes none.

    ValueError for an unknown mode, or a name pair whose mask class is not in the list.
    """
    matrix = _matrix(classes, mask_classes, vectors, wanted, wanted.threshold)
    copied = tuple(_copies(name, mask_classes, wanted) for name in classes.names)
    lost = [name in vectors[0].missing and not copy for name, copy in zip(classes.names, copied, strict=True)]
    matrix[torch.tensor(lost)] = 0
    borrowed = Transfer(matrix, classes.names, mask_classes.names, copied)
    before = _matrix(classes, mask_classes, vectors, wanted, 0.0)
    repeated = [Concern("repeated", name, "counted once") for name in classes.repeated]
    return Borrowed(borrowed, (*_concerns(borrowed, before, vectors[0].missing, wanted), *repeated))


def _matrix(classes: Labels, mask_classes: Labels, vectors: tuple[Vectors, Vectors], wanted: Wanted, threshold: float):
    rows, mask_rows = (part.rows for part in vectors)
    return transfer_matrix(
        classes.names, mask_classes.names, rows, mask_rows, wanted.name_pairs, wanted.mode, threshold
    )


def _copies(name: str, mask_classes: Labels, wanted: Wanted) -> bool:
    """Only `softmax` copies; the other ways mix whatever the names are."""
    return wanted.mode == "softmax" and (name in mask_classes.names or name in wanted.name_pairs)


def _concerns(borrowed: Transfer, before: Tensor, missing: Mapping[str, str], wanted: Wanted) -> list[Concern]:
    """At most one for each name, the gravest; `before` is the matrix without threshold."""
    concerns = []
    partners = effective_partners(borrowed.matrix).tolist()
    largest = before.amax(1).tolist()
    for name, row, weight, count in zip(borrowed.classes, borrowed.matrix, largest, partners, strict=True):
        if not row.any():
            why = f"no vector for '{missing[name]}'" if name in missing else "its vector is zero"
            concerns.append(Concern("no mask", name, why))
        elif wanted.mode == "softmax" and weight < wanted.threshold:
            best = borrowed.mask_classes[int(row.argmax())]
            concerns.append(Concern("weak", name, f"takes {best} alone, whose weight was {weight:.3f}"))
        elif count > FLAT:
            concerns.append(Concern("flat", name, f"borrows from about {count:.1f} at once"))
    return concerns


def effective_partners(matrix: Float[Tensor, "classes mask_classes"]) -> Float[Tensor, "classes"]:
    """From how many mask classes a name borrows: exp of the entropy of its weights' shares; 0 without any weight.

    Equal weights on n mask classes give n, and weights near zero hardly count.
    """
    shares = torch.nn.functional.normalize(matrix.abs(), p=1)
    return torch.special.entr(shares).sum(1).exp() * matrix.any(1)
