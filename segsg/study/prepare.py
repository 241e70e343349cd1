"""The data stage: draw the world, if the study has one, and gather its facts once for everything else."""

import os
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from segsg.data.coco import MaskSet
from segsg.data.views import ImageSet, overlap
from segsg.data.visual_genome import read_zero_shot
from segsg.data.words import Vocabulary, WordVectors, read_name_pairs
from segsg.files import DataError
from segsg.kernels.boxes import all_pairs
from segsg.structures import BACKGROUND
from segsg.study import facts, sets
from segsg.study.facts import Facts
from segsg.study.params import Params
from segsg.world.classes import ORACLE
from segsg.world.draw import draw


def prepare_data(params: Params) -> None:
    """Writes `data/PROFILE`: photos and annotations of a drawn world, and in every study the facts."""
    if params.world is not None:
        draw(sets.folder(params), **vars(params.world), seed=params.seed, workers=os.cpu_count() or 1)
    gather(params).save(facts.folder(params))


def gather(params: Params) -> Facts:
    """Reads and counts the facts from the files of a study."""
    data = params.data
    graphs = sets.scene_graph_set(params, "train")
    masks = [MaskSet(files.annotations, files.photos) for files in (data.masks_train, data.masks_validation)]
    for remark in dict.fromkeys(line for dataset in (graphs, *masks) for line in dataset.remarks):
        print(remark)
    names, mask_names = graphs.vocabulary, masks[1].vocabulary
    words = WordVectors.read(data.word_vectors, (*names.classes, *mask_names.classes), data.word_aliases)
    return Facts(
        names=names,
        mask_names=mask_names.classes,
        name_pairs=known_pairs(data.name_pairs, names.classes, mask_names.classes),
        drawn_as=dict(ORACLE) if params.world is not None else {},
        vectors=words.matrix(names.classes),
        mask_vectors=words.matrix(mask_names.classes),
        counts=predicate_counts(sets.training_set(params), len(names.classes) + 1, len(names.predicates) + 1),
        zero_shot=_zero_shot(params, names),
    )


def known_pairs(path: Path, classes: tuple[str, ...], mask_classes: tuple[str, ...]) -> dict[str, str]:
    """Which mask class shows a scene graph class. DataError if a class of this study is paired with no mask class.

    Pairs of other classes are allowed, since studies share such files; a line names them, as one may be misspelt.
    """
    pairs = read_name_pairs(path)
    for name, partner in pairs.items():
        if name in classes and partner not in mask_classes:
            way_out = f"choose one of {', '.join(mask_classes)}, or name your own file of pairs as data.name_pairs"
            raise DataError(path, f"name pair '{name}'", f"'{partner}' is no mask class", way_out)
    if others := sorted(set(pairs) - set(classes)):
        print(f"{path}: pairs of no class of this study: {', '.join(others)}")
    return pairs


def _zero_shot(params: Params, names: Vocabulary) -> Int[Tensor, "triplets 3"]:
    """The published list where the profile names one, else counted here."""
    if params.data.zero_shot:
        return read_zero_shot(params.data.zero_shot, names)
    return zero_shot(sets.scene_graph_set(params, "train"), sets.scene_graph_set(params, "test"))


def predicate_counts(dataset: ImageSet, classes: int, predicates: int) -> Int[Tensor, "classes classes predicates"]:
    """How many relations join a subject class and an object class by each predicate; background included in sizes.

    Column 0 counts the ordered pairs of overlapping boxes of the two classes, related or not; an image in which no
    two boxes overlap counts with all its pairs. Nothing is smoothed, repeated relations count each time.
    """
    counts = torch.zeros(classes * classes * predicates, dtype=torch.int64)
    for index in range(len(dataset)):
        boxes, labels, relations = dataset.annotation(index)
        pairs = _overlapping_pairs(boxes)
        pairs = torch.cat([pairs, torch.full((len(pairs), 1), BACKGROUND)], dim=1)
        subjects, objects, joined_by = torch.cat([pairs, relations]).unbind(1)
        places = (labels[subjects] * classes + labels[objects]) * predicates + joined_by
        counts.index_add_(0, places, torch.ones_like(places))
    return counts.reshape(classes, classes, predicates)


def _overlapping_pairs(boxes: Float[Tensor, "regions 4"]) -> Int[Tensor, "pairs 2"]:
    """Ordered pairs of boxes that share an area, or all ordered pairs if none does."""
    pairs = all_pairs(torch.zeros(len(boxes), dtype=torch.int64))
    overlapping = overlap(boxes, pairs)
    return pairs[overlapping] if overlapping.any() else pairs


def triplets(dataset: ImageSet) -> Int[Tensor, "triplets 3"]:
    """Distinct (subject class, predicate, object class) of a split, sorted."""
    rows = [torch.zeros(0, 3, dtype=torch.int64)]
    for index in range(len(dataset)):
        _, labels, relations = dataset.annotation(index)
        subjects, objects, predicates = relations.unbind(1)
        rows.append(torch.stack([labels[subjects], predicates, labels[objects]], dim=1))
    return torch.unique(torch.cat(rows), dim=0)


def zero_shot(train: ImageSet, test: ImageSet) -> Int[Tensor, "triplets 3"]:
    """Distinct triplets of the test split that no training image has, sorted."""
    seen, asked = triplets(train), triplets(test)
    _, row, copies = torch.unique(torch.cat([asked, seen]), dim=0, return_inverse=True, return_counts=True)
    return asked[copies[row[: len(asked)]] == 1]
