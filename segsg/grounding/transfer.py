"""Which mask classes show a scene-graph class, and how much of each: the matrix S of eq. 3.

Masks of the scene-graph classes are sigmoid(S @ mask logits), eq. 4. Row and column order are the vocabularies'
without background.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Rows = Float[Tensor, "classes words"]
MaskRows = Float[Tensor, "mask_classes words"]
Matrix = Float[Tensor, "classes mask_classes"]


@dataclass(frozen=True)
class Transfer:
    """The matrix of eq. 3 with the names of its rows and columns."""

    matrix: Float[Tensor, "classes mask_classes"]
    classes: tuple[str, ...]
    mask_classes: tuple[str, ...]
    copied: tuple[bool, ...]
    """classes whose mask is one mask class by name"""


def transfer_matrix(
    classes: Sequence[str],
    mask_classes: Sequence[str],
    class_vectors: Rows,
    mask_class_vectors: MaskRows,
    *,
    name_pairs: Mapping[str, str],
    mode: str,
    threshold: float,
) -> Matrix:
    """The matrix of one of MODES, float32, from word vectors whose row i is the vector of name i.

    `name_pairs` names the mask class of classes that copy it whatever their vectors say: with `softmax` in addition
    to classes of the same name, with `oracle` instead of them. Pairs of other classes are ignored, so one table serves
    several vocabularies. ValueError for an unknown mode or mask class, or vectors of other names.
    """
    if mode not in MODES:
        raise ValueError(f"transfer mode '{mode}' is not one of {', '.join(MODES)}; correct grounding: transfer")
    _check(classes, class_vectors)
    _check(mask_classes, mask_class_vectors)
    same = {} if mode == "oracle" else {name: name for name in classes if name in mask_classes}
    copies = _copies(classes, mask_classes, same | dict(name_pairs))
    return MODES[mode](class_vectors, mask_class_vectors, copies, threshold)


def _check(names: Sequence[str], vectors: Tensor) -> None:
    if len(vectors) != len(names):
        raise ValueError(
            f"{len(vectors)} word vectors for {len(names)} names ({names[0]} ...); take those of the vocabulary"
        )


def dot(class_vectors: Rows, mask_class_vectors: MaskRows, copies: Matrix, threshold: float) -> Matrix:
    """Eq. 3: dot products of the vectors, each row divided by the sum of its absolute values."""
    return _rows_of_sum_one(class_vectors @ mask_class_vectors.T)


def cosine(class_vectors: Rows, mask_class_vectors: MaskRows, copies: Matrix, threshold: float) -> Matrix:
    """Eq. 3 with vectors of length one: the long vector of a mask class no longer outweighs the others."""
    return dot(F.normalize(class_vectors), F.normalize(mask_class_vectors), copies, threshold)


def softmax(class_vectors: Rows, mask_class_vectors: MaskRows, copies: Matrix, threshold: float) -> Matrix:
    """The released code's matrix. A class with a partner in `copies` is that mask class, and nothing else.

    Others: softmax over mask classes of the plain dot products, weights below `threshold` dropped (never the
    largest), the rest divided by their sum.
    """
    weights = (class_vectors @ mask_class_vectors.T).softmax(1)
    kept = (weights >= threshold) | (weights == weights.amax(1, keepdim=True))
    return torch.where(copies.any(1, keepdim=True), copies, _rows_of_sum_one(weights * kept))


MODES: dict[str, Callable[..., Matrix]] = {"softmax": softmax, "dot": dot, "cosine": cosine, "oracle": softmax}
"""`oracle` differs in its copies: what a drawn world knows, the mask class that draws each class. A class that no mask
class draws borrows as in `softmax`."""


def explain(
    matrix: Matrix, classes: Sequence[str], mask_classes: Sequence[str]
) -> list[tuple[str, list[tuple[str, float]]]]:
    """(class, [(mask class, weight), ...]) for every class: the weights that are not zero, largest first."""
    rows = [sorted(zip(mask_classes, row, strict=True), key=lambda entry: -abs(entry[1])) for row in matrix.tolist()]
    return [(name, [entry for entry in row if entry[1] != 0]) for name, row in zip(classes, rows, strict=True)]


def _rows_of_sum_one(weights: Matrix) -> Matrix:
    """A row of zeros, as of a class with a zero vector, stays zero."""
    return F.normalize(weights, p=1)


def _copies(classes: Sequence[str], mask_classes: Sequence[str], pairs: Mapping[str, str]) -> Matrix:
    """One-hot rows of the classes that have a partner, zero rows of the others."""
    places = {name: place for place, name in enumerate(mask_classes)}
    copies = torch.zeros(len(classes), len(mask_classes))
    for row, name in enumerate(classes):
        if (partner := pairs.get(name)) is None:
            continue
        if partner not in places:
            choice = ", ".join(mask_classes)
            raise ValueError(f"name pair '{name}': '{partner}' is no mask class; choose one of {choice}")
        copies[row, places[partner]] = 1
    return copies
