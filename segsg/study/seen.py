"""One photo as a trained model sees it: its regions, its graph, and which of the relations it is surest of are true."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from segsg.data.filters import Subset
from segsg.data.visual_genome import Split
from segsg.data.vocabulary import Vocabulary
from segsg.evaluation.ranking import rank
from segsg.evaluation.records import Prediction, Truth, check_graph, check_truth
from segsg.figures.overlay import MAX_RELATIONS, Picture
from segsg.models.scene_graph import SceneGraphModel
from segsg.structures import Look, Sample
from segsg.study import data, measurements, pictures, runs, scene_graphs
from segsg.study.annotated import class_names
from segsg.study.answers import Answers, answers
from segsg.study.params import Params


@dataclass(frozen=True)
class Experiment:
    """A trained row of the study with the photos that it may see."""

    params: Params
    key: str
    model: SceneGraphModel
    photos: Any
    names: Vocabulary


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


def open_experiment(params: Params, key: str, split: Split = "test") -> Experiment:
    """A row of params.yaml. ValueError names the rows there are."""
    if key not in params.experiments:
        raise ValueError(
            f"'{key}' is no experiment of profile {params.profile}; choose one of {', '.join(params.experiments)}"
        )
    photos = scene_graphs.images(params, key, split)
    return Experiment(params, key, scene_graphs.load_model(params, key), photos, data.vocabulary(params))


@torch.no_grad()
def see(experiment: Experiment, index: int, depth: int) -> Seen:
    """The photo at place `index` of the split, and the `depth` relations that the model is surest of.

    ValueError for a place that the split does not have.
    """
    params, model, photos = experiment.params, experiment.model, experiment.photos
    if not 0 <= index < len(photos):
        raise ValueError(f"image {index}: the split has images 0 to {len(photos) - 1}")
    (batch,) = data.all_batches(params, Subset(photos, [index]), images=1)
    sample, batch, size = photos[index], batch.to(runs.device()), len(experiment.names.predicates) + 1
    look = model.look(batch)
    (graph,) = model.answer(look, batch)
    truth = check_truth(Truth(*photos.annotation(index)[:3]), graph.image_id, size)
    prediction = check_graph(graph, truth, model.task, size)
    zero_shot = data.statistics(params).zero_shot.numpy()
    found = answers(truth, prediction, rank(prediction, depth)[0], zero_shot, measurements.protocol(params))
    masks = pictures.masks_of(params, experiment.key, model, batch, graph, sample)
    return Seen(experiment, sample, look, truth, prediction, found, masks)


def picture(seen: Seen, title: str) -> Picture:
    """The photo with the graph: true relations first, then the surest others."""
    sample, prediction, names, found = seen.sample, seen.prediction, seen.experiment.names, seen.answers
    chosen = found.best(MAX_RELATIONS)
    pairs, predicates = found.ranking.pairs[chosen].tolist(), found.ranking.predicates[chosen].tolist()
    return Picture(
        image=sample.image,
        boxes=torch.as_tensor(prediction.boxes) * sample.scale,
        names=class_names(names, torch.as_tensor(prediction.labels)),
        masks=seen.masks,
        relations=tuple((s, names.predicate_name(p), o, 1.0) for (s, o), p in zip(pairs, predicates, strict=True)),
        title=title,
        true=frozenset(found.true[chosen].nonzero()[0].tolist()),
        zero_shot=frozenset(found.zero_shot[chosen].nonzero()[0].tolist()),
    )
