"""From parameters to data: sets, batches, word vectors and the transfer matrix."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from segsg.data.coco import MaskSet
from segsg.data.filters import OverlappingRelations, Subset, one_predicate_per_pair
from segsg.data.loading import Batches, Change, ordered, prepared
from segsg.data.statistics import predicate_counts, zero_shot
from segsg.data.visual_genome import SceneGraphSet, Split, read_vocabulary, read_zero_shot
from segsg.data.vocabulary import Vocabulary, read_name_pairs
from segsg.data.word_vectors import WordVectors
from segsg.data.world.classes import ORACLE
from segsg.data.world.draw import draw
from segsg.grounding.transfer import transfer_matrix
from segsg.params import Params
from segsg.structures import Batch
from segsg.training.loop import Source

LOADING_THREADS = 2
EVALUATION_IMAGES = 8
STATISTICS = "statistics.npz"


def folder(params: Params) -> Path:
    """Where the data stage of this profile writes."""
    return Path("data") / params.profile


def prepare_data(params: Params) -> None:
    """Draws the world, if the profile has one, and counts the training relations once for all experiments."""
    if params.world is not None:
        draw(folder(params), **vars(params.world), seed=params.seed, workers=os.cpu_count() or 1)
    folder(params).mkdir(parents=True, exist_ok=True)
    names = vocabulary(params)
    counts = predicate_counts(training_set(params), len(names.classes) + 1, len(names.predicates) + 1)
    temporary = folder(params) / f"part-{STATISTICS}"
    np.savez_compressed(temporary, counts=counts.numpy(), zero_shot=zero_shot_triplets(params).numpy())
    os.replace(temporary, folder(params) / STATISTICS)


@dataclass(frozen=True)
class Statistics:
    """What the annotations say without a pixel; see `segsg.data.statistics`. Sizes of `counts` include background."""

    counts: Int[Tensor, "classes classes predicates"]
    zero_shot: Int[Tensor, "triplets 3"]

    @property
    def predicate_counts(self) -> Int[Tensor, "predicates"]:
        """Training relations of each predicate; pairs without one at index 0."""
        return self.counts.sum(dim=(0, 1))


def statistics(params: Params) -> Statistics:
    """What the data stage counted."""
    with np.load(folder(params) / STATISTICS) as arrays:
        return Statistics(torch.from_numpy(arrays["counts"]), torch.from_numpy(arrays["zero_shot"]))


def scene_graph_set(params: Params, split: Split, keep_empty: bool = False) -> SceneGraphSet:
    files = params.data.scene_graphs
    return SceneGraphSet(
        files.annotations,
        files.vocabulary,
        files.images,
        files.photos,
        split,
        validation_images=params.data.validation_images,
        keep_empty=keep_empty,
    )


def training_set(params: Params) -> Any:
    """Stage 2's training images, with the relations that it trains on."""
    train = scene_graph_set(params, "train")
    return train if params.data.distant_relations else OverlappingRelations(train)


def mask_set(params: Params, split: str) -> MaskSet:
    """The mask set's "train" or "validation" images."""
    files = {"train": params.data.masks_train, "validation": params.data.masks_validation}[split]
    return MaskSet(files.annotations, files.photos)


def vocabulary(params: Params) -> Vocabulary:
    """Classes and predicates of the scene graph set."""
    return read_vocabulary(params.data.scene_graphs.vocabulary)


def mask_vocabulary(params: Params) -> Vocabulary:
    """Classes of the mask set."""
    return mask_set(params, "validation").vocabulary


def zero_shot_triplets(params: Params) -> Int[Tensor, "triplets 3"]:
    """Triplets that training never shows: the published list where the profile names one, else counted here."""
    if params.data.zero_shot:
        return read_zero_shot(params.data.zero_shot, vocabulary(params))
    return zero_shot(scene_graph_set(params, "train"), scene_graph_set(params, "test"))


def training_batches(params: Params, dataset: Any, images: int, flip: bool, seed: int, change: Change | None) -> Source:
    """Endless batches of a training set, decoded ahead by threads."""
    batches = Batches(dataset, images, seed, flip, params.data.short_side, params.data.long_side, change)
    return lambda numbers: prepared(batches.batch, numbers, LOADING_THREADS)


def scene_graph_batches(params: Params, images: int, flip: bool, seed: int) -> Source:
    """Stage 2's batches: one predicate per pair, drawn at every visit."""
    return training_batches(params, training_set(params), images, flip, seed, one_predicate_per_pair)


def first(dataset: Any, images: int | None) -> Any:
    """The first so many images of a set; all of them without a number."""
    return dataset if images is None else Subset(dataset, range(min(images, len(dataset))))


def all_batches(params: Params, dataset: Any, images: int = EVALUATION_IMAGES) -> Iterator[Batch]:
    """Every image of a set once, in order."""
    return ordered(dataset, images, params.data.short_side, params.data.long_side, LOADING_THREADS)


def class_vectors(params: Params, names: tuple[str, ...]) -> Float[Tensor, "classes words"]:
    """Word vectors of class names from the profile's GloVe file."""
    aliases = params.data.word_aliases
    return WordVectors.read(params.data.word_vectors, names, aliases).matrix(names)


@dataclass(frozen=True)
class Transfer:
    """The matrix of eq. 3 with the names of its rows and columns."""

    matrix: Float[Tensor, "classes mask_classes"]
    classes: tuple[str, ...]
    mask_classes: tuple[str, ...]
    copied: tuple[bool, ...]
    """classes whose mask is one mask class by name"""


def transfer(params: Params, mode: str | None = None) -> Transfer:
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
        params.grounding.transfer_threshold,
    )
    named = {name for name in classes if name in mask_classes} | pairs.keys()
    return Transfer(matrix, classes, mask_classes, tuple(name in named for name in classes))
