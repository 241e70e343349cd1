"""Counts over a split: how often which predicate joins which classes, and which triplets occur at all."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from segsg.data.views import ImageSet, overlap
from segsg.kernels.boxes import all_pairs
from segsg.structures import BACKGROUND


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
