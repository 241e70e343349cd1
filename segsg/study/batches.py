"""From a training set to its endless batches."""

from typing import Any

from segsg.data.filters import one_predicate_per_pair
from segsg.data.loading import Batches, Change, prepared
from segsg.study import data, runs
from segsg.study.params import Optimization, Params
from segsg.training.loop import Source

SIDES = {"left", "right"}


def mask_batches(params: Params, dataset: Any, numbers: Optimization, seed: int) -> Source:
    """Batches of a mask set."""
    return _batches(params, dataset, numbers.mask_images, numbers, seed)


def object_batches(params: Params, dataset: Any, numbers: Optimization, seed: int) -> Source:
    """Stage 1's batches of scene-graph images, of which it reads boxes and labels."""
    return _batches(params, dataset, numbers.images, numbers, seed)


def relation_batches(params: Params, dataset: Any, numbers: Optimization, seed: int) -> Source:
    """Stage 2's batches of scene-graph images: one predicate per pair, drawn at every visit.

    ValueError if photos would be mirrored under predicates that a mirror makes untrue.
    """
    names = data.vocabulary(params).predicates
    sided = [name for name in names if numbers.flip and SIDES & set(name.lower().split())]
    if sided:
        raise ValueError(
            f"{params.data.scene_graphs.vocabulary}: predicates {', '.join(map(repr, sided))} change their meaning in "
            f"a mirrored photo; set flip: false in stage2 of profile {params.profile}"
        )
    return _batches(params, dataset, numbers.images, numbers, seed, one_predicate_per_pair)


def _batches(
    params: Params, dataset: Any, images: int, numbers: Optimization, seed: int, change: Change | None = None
) -> Source:
    """`images` a step, shared by all processes and decoded ahead by threads."""
    sides = params.data.short_side, params.data.long_side
    batches = Batches(dataset, runs.share(images), seed, numbers.flip, *sides, change)
    return lambda steps: prepared(batches.batch, steps, data.LOADING_THREADS)
