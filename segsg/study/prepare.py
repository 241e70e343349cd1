"""The data stage: draw the world, and count once what all experiments need to know."""

import os

import numpy as np
from jaxtyping import Int
from torch import Tensor

from segsg.data.statistics import predicate_counts, zero_shot
from segsg.data.visual_genome import read_zero_shot
from segsg.study.data import STATISTICS, folder, scene_graph_set, training_set, vocabulary
from segsg.study.params import Params
from segsg.world.draw import draw


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


def zero_shot_triplets(params: Params) -> Int[Tensor, "triplets 3"]:
    """Triplets that training never shows: the published list where the profile names one, else counted here."""
    if params.data.zero_shot:
        return read_zero_shot(params.data.zero_shot, vocabulary(params))
    return zero_shot(scene_graph_set(params, "train"), scene_graph_set(params, "test"))
