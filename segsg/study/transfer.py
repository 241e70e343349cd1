"""From parameters to word vectors and the transfer matrix."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from segsg.data.vocabulary import read_name_pairs
from segsg.data.word_vectors import WordVectors
from segsg.grounding.transfer import transfer_matrix
from segsg.study.data import mask_vocabulary, vocabulary
from segsg.study.params import Params
from segsg.world.classes import ORACLE


def class_vectors(params: Params, names: tuple[str, ...]) -> Float[Tensor, "classes words"]:
    """Word vectors of class names from the profile's GloVe file."""
    aliases = params.data.word_aliases
    return WordVectors.read(params.data.word_vectors, names, aliases).matrix(names)


def label_vectors(params: Params, names: tuple[str, ...]) -> Float[Tensor, "classes words"]:
    """Where label embeddings start: word vectors if they have the wanted width, otherwise noise. Row 0: background."""
    width = params.network.label_embedding
    vectors = class_vectors(params, names)
    if vectors.shape[1] != width:
        vectors = torch.randn(len(names), width)
    return torch.cat([vectors.new_zeros(1, width), vectors])


@dataclass(frozen=True)
class Transfer:
    """The matrix of eq. 3 with the names of its rows and columns."""

    matrix: Float[Tensor, "classes mask_classes"]
    classes: tuple[str, ...]
    mask_classes: tuple[str, ...]
    copied: tuple[bool, ...]
    """classes whose mask is one mask class by name"""


def transfer(params: Params, mode: str | None = None, threshold: float | None = None) -> Transfer:
    """Which mask classes each scene-graph class borrows its mask from, and how much of each."""
    classes, mask_classes = vocabulary(params).classes, mask_vocabulary(params).classes
    pairs = read_name_pairs(params.data.name_pairs)
    mode = mode or params.grounding.transfer
    matrix = transfer_matrix(
        classes,
        mask_classes,
        class_vectors(params, classes),
        class_vectors(params, mask_classes),
        ORACLE if mode == "oracle" else pairs,
        mode,
        params.grounding.transfer_threshold if threshold is None else threshold,
    )
    named = {name for name in classes if name in mask_classes} | pairs.keys()
    return Transfer(matrix, classes, mask_classes, tuple(name in named for name in classes))
