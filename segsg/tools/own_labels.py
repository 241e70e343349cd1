"""What any list of class names would borrow from any list of mask classes (eq. 3), and which names to look at."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from segsg.data.entries import read_lists
from segsg.data.visual_genome import read_vocabulary
from segsg.data.words import WordVectors
from segsg.files import DataError, read_json
from segsg.grounding.transfer import Transfer, transfer_matrix
from segsg.tools.word_source import read_words
from segsg.values import field

NAMED = 12
"""classes in an error"""
FLAT = 5.0
"""mask classes; a name that borrows from more of them at once is called flat"""
Kind = Literal["no mask", "weak", "flat", "repeated"]
ACCEPTED = 'give a text file with one name a line, a JSON list, a VG-SGG-dicts.json or a file of COCO "categories"'
ALIAS_HINT = "spell it otherwise (several words apart by spaces), or name another word for it: --alias WORD=OTHER"


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
    names = _json_names(path) if path.suffix == ".json" else _text_names(path)
    counts = Counter(name.strip().lower() for name in names if name.strip())
    if not counts:
        raise DataError(path, "file", "holds no name", ACCEPTED)
    return Labels(tuple(counts), tuple(name for name, count in counts.items() if count > 1))


def _text_names(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except ValueError as error:
        raise DataError(path, "file", f"is not text in UTF-8 ({error})", ACCEPTED) from error


def _json_names(path: Path) -> list[str]:
    """Names of a list, of Visual Genome's vocabulary, or of COCO's categories in the order of their ids."""
    if (categories := _categories(path)) is not None:
        return categories
    content = read_json(path)
    if isinstance(content, dict) and "label_to_idx" in content:
        return list(read_vocabulary(path).classes)
    if not isinstance(content, list) or not all(isinstance(name, str) for name in content):
        raise DataError(path, "file", "is no list of names", ACCEPTED)
    return content


def _categories(path: Path) -> list[str] | None:
    """Names of COCO's categories, of a file that may have a million annotations beside them; None if it has none."""
    with path.open("rb") as file:
        if not file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return None
    for key, entries in read_lists(path):
        if key == "categories":
            items = [(f"category at place {place}", entry) for place, entry in enumerate(entries)]
            numbered = [(field(path, i, entry, "id", int), field(path, i, entry, "name", str)) for i, entry in items]
            return [name for _, name in sorted(numbered, key=lambda entry: entry[0])]
    return None


@dataclass(frozen=True)
class Vectors:
    """Word vectors of both lists; `missing` is {name: word} of the classes whose row is zeros, for want of a word."""

    rows: Float[Tensor, "classes words"]
    mask_rows: Float[Tensor, "mask_classes words"]
    missing: Mapping[str, str]


def read_vectors(path: Path, classes: Labels, mask_classes: Labels, aliases: Mapping[str, str]) -> Vectors:
    """Vectors of both lists. DataError if a mask class lacks one: nothing could mix it."""
    names = (*classes.names, *mask_classes.names)
    words = read_words(path, names, aliases)
    lost = {name: word for name in names if (word := _missing_word(words, aliases.get(name, name))) is not None}
    if masks := [name for name in mask_classes.names if name in lost]:
        listed = ", ".join(f"'{lost[name]}' of '{name}'" for name in masks[:NAMED])
        more = f" and {len(masks) - NAMED} more" if len(masks) > NAMED else ""
        raise DataError(path, "mask classes", f"no vector for {listed}{more}", ALIAS_HINT)
    mask_rows = words.matrix(mask_classes.names)
    nothing = torch.zeros(mask_rows.shape[1])
    rows = [nothing if name in lost else words.vector(name) for name in classes.names]
    return Vectors(torch.stack(rows), mask_rows, lost)


def _missing_word(words: WordVectors, name: str) -> str | None:
    """The first word of a name that has no vector."""
    for word in name.split():
        try:
            words.vector(word)
        except DataError:
            return word
    return None


@dataclass(frozen=True)
class Concern:
    """A name that somebody should look at, and why."""

    kind: Kind
    name: str
    detail: str


@dataclass(frozen=True)
class Borrowed:
    """The matrix of eq. 3 with its names, and what to look at."""

    transfer: Transfer
    concerns: tuple[Concern, ...]

    @property
    def bare(self) -> tuple[str, ...]:
        """Names that borrow no mask at all."""
        return tuple(concern.name for concern in self.concerns if concern.kind == "no mask")


def borrow(
    classes: Labels,
    mask_classes: Labels,
    vectors: Vectors,
    *,
    mode: str,
    threshold: float,
    name_pairs: Mapping[str, str],
) -> Borrowed:
    """Which mask classes each name takes its mask from. A name without a vector and without a partner takes none.

    `mode` is one of `grounding.transfer.MODES`, `threshold` what it drops; `name_pairs` {class: mask class} are copied.
    ValueError for an unknown mode, or a name pair whose mask class is not in the list.
    """
    names, rows = (classes.names, mask_classes.names), (vectors.rows, vectors.mask_rows)
    full = transfer_matrix(*names, *rows, name_pairs=name_pairs, mode=mode, threshold=0.0)
    weights = transfer_matrix(*names, *rows, name_pairs=name_pairs, mode=mode, threshold=threshold)
    # Only softmax copies and drops; the other ways mix whatever the names are.
    partnered = {*mask_classes.names, *name_pairs} if mode == "softmax" else set()
    weights[torch.tensor([name in vectors.missing and name not in partnered for name in classes.names])] = 0
    transfer = Transfer(weights, *names, tuple(name in partnered for name in classes.names))
    weak = (full.amax(1) < threshold).tolist() if mode == "softmax" else [False] * len(full)
    concerns = _concerns(transfer, full, weak, vectors.missing)
    return Borrowed(transfer, (*concerns, *(Concern("repeated", name, "counted once") for name in classes.repeated)))


def _concerns(transfer: Transfer, full: Tensor, weak: list[bool], missing: Mapping[str, str]) -> list[Concern]:
    """At most one for each name, the gravest; `full` is the matrix without threshold."""
    concerns, partners = [], effective_partners(transfer.matrix).tolist()
    for i, (name, row) in enumerate(zip(transfer.classes, transfer.matrix, strict=True)):
        if not row.any():
            why = f"no vector for '{missing[name]}'" if name in missing else "its vector is zero"
            concerns.append(Concern("no mask", name, why))
        elif weak[i]:
            best = transfer.mask_classes[int(row.argmax())]
            concerns.append(Concern("weak", name, f"takes {best} alone, whose weight was {full[i].max():.3f}"))
        elif partners[i] > FLAT:
            concerns.append(Concern("flat", name, f"borrows from about {partners[i]:.1f} at once"))
    return concerns


def effective_partners(matrix: Float[Tensor, "classes mask_classes"]) -> Float[Tensor, "classes"]:
    """From how many mask classes a name borrows: exp of the entropy of its weights' shares; 0 without any weight.

    Equal weights on n mask classes give n, and weights near zero hardly count.
    """
    shares = torch.nn.functional.normalize(matrix.abs(), p=1)
    return torch.special.entr(shares).sum(1).exp() * matrix.any(1)
