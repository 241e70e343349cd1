"""The data stage: draw the world, if the study has one, and gather its facts once for everything else."""

import os

from jaxtyping import Float, Int
from torch import Tensor

from segsg.data.statistics import predicate_counts, zero_shot
from segsg.data.visual_genome import read_vocabulary, read_zero_shot
from segsg.data.words import Vocabulary, WordVectors, read_name_pairs
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
    names, mask_names = read_vocabulary(data.scene_graphs.vocabulary), sets.mask_set(params, "validation").vocabulary
    return Facts(
        names=names,
        mask_names=mask_names.classes,
        name_pairs=read_name_pairs(data.name_pairs),
        drawn_as=dict(ORACLE) if params.world is not None else {},
        vectors=_vectors(params, names.classes),
        mask_vectors=_vectors(params, mask_names.classes),
        counts=predicate_counts(sets.training_set(params), len(names.classes) + 1, len(names.predicates) + 1),
        zero_shot=_zero_shot(params, names),
    )


def _vectors(params: Params, names: tuple[str, ...]) -> Float[Tensor, "classes words"]:
    return WordVectors.read(params.data.word_vectors, names, params.data.word_aliases).matrix(names)


def _zero_shot(params: Params, names: Vocabulary) -> Int[Tensor, "triplets 3"]:
    """The published list where the profile names one, else counted here."""
    if params.data.zero_shot:
        return read_zero_shot(params.data.zero_shot, names)
    return zero_shot(sets.scene_graph_set(params, "train"), sets.scene_graph_set(params, "test"))
