"""What of its data sets a model is made from, as one noun: names, word vectors, counts.

The data stage writes `data/PROFILE/facts` once; everything else reads it. A bundle is this folder and weights.
"""

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from segsg.data.words import Vocabulary, check_names
from segsg.files import DataError, check_seal, read_json, whole, write_text
from segsg.study import sets
from segsg.study.params import Params
from segsg.study.shared import shared
from segsg.values import field, proper_name

NAMES, NUMBERS = "names.json", "numbers.safetensors"
TENSORS = ("vectors", "mask_vectors", "counts", "zero_shot")
LISTS = ("classes", "predicates", "mask_classes")
ANY = -1
"""length of a side that names do not fix"""
AGAIN = "write it again: `dvc repro data@PROFILE`, or copy the whole bundle again"


@dataclass(frozen=True)
class Facts:
    """Names of both data sets, their word vectors, and what the training split counts.

    Sizes of `counts` include background, and column 0 counts pairs without a predicate; the other tensors have no row
    for background. `name_pairs` are classes that share a mask class under another name; `drawn_as` is what a drawn
    world knows, the mask class that draws each class, and empty elsewhere. `zero_shot` are rows (subject class,
    predicate, object class) that training never shows.
    """

    names: Vocabulary
    mask_names: tuple[str, ...]
    name_pairs: dict[str, str]
    drawn_as: dict[str, str]
    vectors: Float[Tensor, "classes words"]
    mask_vectors: Float[Tensor, "mask_classes words"]
    counts: Int[Tensor, "all_classes all_classes all_predicates"]
    zero_shot: Int[Tensor, "triplets 3"]

    @property
    def classes(self) -> int:
        """Number of classes, with background."""
        return len(self.names.classes) + 1

    @property
    def predicates(self) -> int:
        """Number of predicates, with background."""
        return len(self.names.predicates) + 1

    @cached_property
    def predicate_counts(self) -> Int[Tensor, "all_predicates"]:
        """Number of training relations of each predicate; at index 0, of training pairs without a relation."""
        return self.counts.sum(dim=(0, 1))

    def to(self, device: torch.device | str) -> "Facts":
        """The facts with their tensors on a device."""
        return replace(self, **{name: getattr(self, name).to(device) for name in TENSORS})

    def save(self, folder: Path) -> None:
        """Writes `names.json` and `numbers.safetensors`."""
        names = {"classes": self.names.classes, "predicates": self.names.predicates, "mask_classes": self.mask_names}
        names |= {"name_pairs": self.name_pairs, "drawn_as": self.drawn_as}
        write_text(folder / NAMES, json.dumps(names, indent=1, ensure_ascii=False) + "\n")
        with whole(folder / NUMBERS) as part:
            save_file({name: getattr(self, name).contiguous() for name in TENSORS}, part)

    @classmethod
    def load(cls, folder: Path) -> "Facts":
        """The inverse of `save`. DataError if a file is missing, damaged, or says what no `save` writes."""
        for name in (NAMES, NUMBERS):
            check_seal(folder / name)
        path, names = folder / NAMES, read_json(folder / NAMES)
        classes, predicates, mask_classes = (_names(path, names, key) for key in LISTS)
        pairs = (_pairs(path, names, key) for key in ("name_pairs", "drawn_as"))
        path = folder / NUMBERS
        try:
            tensors = load_file(path)
        except (OSError, SafetensorError, ValueError) as error:
            raise DataError(path, "facts", f"are damaged ({type(error).__name__}: {error})", AGAIN) from error
        _check(path, tensors, len(classes), len(predicates), len(mask_classes))
        return cls(Vocabulary(classes, predicates), mask_classes, *pairs, **{name: tensors[name] for name in TENSORS})


def _check(path: Path, tensors: dict[str, Tensor], classes: int, predicates: int, mask_classes: int) -> None:
    """DataError if tensors are not of the kinds and shapes of so many names, or have values that nobody counted."""

    def must(good: Tensor | bool, rule: str) -> None:
        if not good:
            raise DataError(path, "facts", rule, AGAIN)

    shapes = {
        "vectors": (torch.float32, (classes, ANY)),
        "mask_vectors": (torch.float32, (mask_classes, ANY)),
        "counts": (torch.int64, (classes + 1, classes + 1, predicates + 1)),
        "zero_shot": (torch.int64, (ANY, 3)),
    }
    for name, (kind, shape) in shapes.items():
        must(name in tensors, f"'{name}' is missing")
        found = tensors[name]
        fits = len(found.shape) == len(shape) and all(
            want in (ANY, n) for want, n in zip(shape, found.shape, strict=True)
        )
        must(
            found.dtype == kind and fits, f"'{name}' is {found.dtype} {tuple(found.shape)}, not what the names ask for"
        )
    vectors, mask_vectors, counts, zero_shot = (tensors[name] for name in TENSORS)
    widths = vectors.shape[1], mask_vectors.shape[1]
    must(widths[0] == widths[1], f"word vectors have {widths[0]} and {widths[1]} numbers")
    must(vectors.isfinite().all() and mask_vectors.isfinite().all(), "word vectors are not finite")
    must((counts >= 0).all(), "counts are negative")
    known = (zero_shot >= 1) & (zero_shot <= torch.tensor([classes, predicates, classes]))
    must(known.all(), "zero-shot triplets have labels beyond the vocabulary")


def _names(path: Path, record: Any, key: str) -> tuple[str, ...]:
    names = field(path, "facts", record, key, list)
    check_names(path, f"'{key}'", names)
    return tuple(names)


def _pairs(path: Path, record: Any, key: str) -> dict[str, str]:
    pairs = field(path, "facts", record, key, dict)
    return {name: proper_name(path, f"'{key}'", pairs[name]) for name in pairs}


def label_vectors(vectors: Float[Tensor, "classes words"], width: int) -> Float[Tensor, "all_classes words"]:
    """Where label embeddings start: word vectors if they have the wanted width, otherwise noise. Row 0: background."""
    if vectors.shape[1] != width:
        vectors = torch.randn(len(vectors), width)
    return torch.cat([vectors.new_zeros(1, width), vectors])


def folder(params: Params) -> Path:
    """The folder to which the data stage writes the facts of a study."""
    return sets.folder(params) / "facts"


@shared
def load(params: Params) -> Facts:
    """The facts of a study. ValueError if its data stage has not run."""
    if not (folder(params) / NAMES).is_file():
        raise ValueError(f"{folder(params)}: missing; run its stage with `dvc repro data@{params.profile}`")
    return Facts.load(folder(params))
