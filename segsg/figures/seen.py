"""One photo as a trained row of the study sees it: its regions, their masks, and which of its relations are true."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from segsg.data.views import Subset
from segsg.data.visual_genome import Split
from segsg.data.words import Vocabulary
from segsg.evaluation.matching import Ranking, agreement, rank
from segsg.evaluation.protocol import Protocol
from segsg.evaluation.ranks import is_member
from segsg.evaluation.records import Prediction, Truth, check_graph, check_truth
from segsg.kernels.masks import paste
from segsg.models.scene_graph import SceneGraphModel
from segsg.structures import ImageGraph, Look, Sample
from segsg.study import facts, runs, scene_graphs, sets
from segsg.study.facts import Facts
from segsg.study.measurements import protocol
from segsg.study.params import Params
from segsg.study.rows import row_of


@dataclass(frozen=True)
class Answers:
    """The relations of `ranking`, best first."""

    ranking: Ranking
    true: Bool[np.ndarray, "ranked"]
    zero_shot: Bool[np.ndarray, "ranked"]

    def best(self, count: int) -> Int[np.ndarray, "chosen"]:
        """Places of `count` relations: true ones first, then the surest others, in the order of the ranking."""
        order = np.argsort(~self.true, kind="stable")[:count]
        return np.sort(order)


def answers(
    truth: Truth,
    prediction: Prediction,
    ranking: Ranking,
    *,
    zero_shot: Int[np.ndarray, "triplets 3"],
    protocol: Protocol,
) -> Answers:
    """Marks which relations of a ranking are true, and which of the true ones are zero-shot.

    `zero_shot` are rows (subject class, predicate, object class) without an example in training.
    """
    agreeing = agreement(truth, prediction, protocol)
    subject, object_, predicate = truth.relations[:, :1], truth.relations[:, 1:2], truth.relations[:, 2:]
    covers = agreeing[subject, ranking.pairs[:, 0]] & agreeing[object_, ranking.pairs[:, 1]]
    true = (covers & (predicate == ranking.predicates)).any(axis=0)
    classes = prediction.labels[ranking.pairs]
    triplets = np.stack([classes[:, 0], ranking.predicates, classes[:, 1]], axis=1)
    return Answers(ranking, true, true & is_member(triplets, zero_shot))


@dataclass(frozen=True)
class Experiment:
    """A trained row of the study with the photos that it may see."""

    params: Params
    key: str
    model: SceneGraphModel
    photos: Any
    facts: Facts

    @property
    def names(self) -> Vocabulary:
        """Names of classes and predicates."""
        return self.facts.names


@dataclass(frozen=True)
class Seen:
    """`prediction`, `truth` and `masks` (bool, in the frame of `sample`; None for a model without) are of one photo."""

    experiment: Experiment
    sample: Sample
    look: Look
    truth: Truth
    prediction: Prediction
    answers: Answers
    masks: Bool[Tensor, "regions h w"] | None

    @property
    def device(self) -> torch.device:
        """Where the look lies."""
        return self.look.regions.boxes.device


def open_experiment(params: Params, key: str, split: Split = "test") -> Experiment:
    """A row of params.yaml. ValueError names the rows there are."""
    photos = scene_graphs.images(params, row_of(params, key), split)
    return Experiment(params, key, scene_graphs.load_model(params, key), photos, facts.load(params))


@torch.no_grad()
def see(experiment: Experiment, index: int, depth: int) -> Seen:
    """The photo at place `index` of the split, and the `depth` relations that the model is surest of.

    ValueError for a place that the split does not have.
    """
    params, model, photos = experiment.params, experiment.model, experiment.photos
    if not 0 <= index < len(photos):
        raise ValueError(f"image {index}: the split has images 0 to {len(photos) - 1}")
    (batch,) = sets.all_batches(params, Subset(photos, [index]), images=1)
    sample, batch, size = photos[index], batch.to(runs.device()), len(experiment.names.predicates) + 1
    look = model.look(batch)
    (graph,) = model.answer(look, batch)
    truth = check_truth(Truth(*photos.annotation(index)[:3]), graph.image_id, size)
    prediction = check_graph(graph, truth, model.task, size)
    ranking, zero_shot = rank(prediction, depth)[0], experiment.facts.zero_shot.numpy()
    found = answers(truth, prediction, ranking, zero_shot=zero_shot, protocol=protocol(params))
    return Seen(experiment, sample, look, truth, prediction, found, seen_masks(graph, sample))


def seen_masks(graph: ImageGraph, sample: Sample) -> Bool[Tensor, "regions h w"] | None:
    """Masks of a photo's regions as the model sees them (eq. 4, refined if it refines), for the class that it names.

    None for a model that sees none.
    """
    if graph.masks is None or not len(graph.labels):
        return None
    return paste(graph.masks, graph.boxes_original * sample.scale, sample.size)
