"""Photos with their graphs: as annotated, as one model gives them, and as two models give them side by side.

Which photos are shown is decided by a rule (`choose`), so that nobody picks those that flatter."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from segsg.data.views import Subset
from segsg.data.visual_genome import Split, read_vocabulary
from segsg.data.words import Vocabulary
from segsg.evaluation.matching import Ranking, agreement, rank
from segsg.evaluation.metrics import tables
from segsg.evaluation.protocol import Protocol
from segsg.evaluation.ranks import Ranks, is_member, load
from segsg.evaluation.records import Prediction, Truth, check_graph, check_truth
from segsg.figures.overlay import MAX_RELATIONS, Picture
from segsg.kernels.masks import paste
from segsg.models.scene_graph import SceneGraphModel
from segsg.structures import ImageGraph, Look, Sample
from segsg.study import facts, runs, scene_graphs, sets
from segsg.study.facts import Facts
from segsg.study.measurements import RANKS, protocol
from segsg.study.params import Params
from segsg.study.rows import Row, row_of, rows

RULE = (
    "Of the {images} test images, the {each} whose R@{depth} gains most over the baseline, the {each} whose R@{depth} "
    "loses most, and {each} of the others drawn with seed {seed}; of equal ones the lower image id."
)


@dataclass(frozen=True)
class Choice:
    """Ids of images, and `rule`, the sentence that says how they were chosen."""

    gains: list[int]
    losses: list[int]
    random: list[int]
    rule: str


def image_recalls(ranks: Ranks, depth: int) -> Float[np.ndarray, "images"]:
    """R@depth of each image; NaN for an image without a true relation that counts."""
    sums = tables(ranks).sums
    return np.where(sums["images"][:, 0] > 0, sums[f"recall@{depth}"][:, 0], np.nan)


def choose(baseline: Ranks, system: Ranks, depth: int, each: int, seed: int) -> Choice:
    """Images of which `system` finds more, fewer, and any. An image that gains or loses nothing is only drawn.

    Both have to be ranks of the same images.
    """
    if not np.array_equal(baseline.image_ids, system.image_ids):
        raise ValueError("choose: the two systems were evaluated on different images; evaluate both on the same set")
    change = image_recalls(system, depth) - image_recalls(baseline, depth)
    rule = RULE.format(images=len(baseline), each=each, depth=depth, seed=seed)
    return choose_by(change, baseline.image_ids.tolist(), each, seed, rule)


def choose_by(change: Float[np.ndarray, "images"], image_ids: list[int], each: int, seed: int, rule: str) -> Choice:
    """Up to `each` images with the largest gains by `change`, with the largest losses, and at random of the others.

    An image with NaN is never chosen.
    """
    order = np.lexsort((image_ids, -change))
    gains = [i for i in order.tolist() if change[i] > 0][:each]
    order = np.lexsort((image_ids, change))
    losses = [i for i in order.tolist() if change[i] < 0][:each]
    others = np.setdiff1d(np.flatnonzero(~np.isnan(change)), gains + losses)
    drawn = np.random.default_rng(seed).permutation(others)[:each].tolist()
    return Choice(*([image_ids[i] for i in part] for part in (gains, losses, drawn)), rule)


SHOWN_TASKS = ("sgcls", "predcls", "sgdet")
DEPTH = 20
KINDS = {"gains": "better with masks", "losses": "worse with masks", "random": "drawn at random"}


def gallery_experiment(params: Params) -> str:
    """The seg-grounded experiment whose photos a report shows. ValueError without one.

    It is grounded as the study sets it. SGCls comes first: there two models have the same boxes, and all else is theirs
    to say. Of these it is the first seed, and the grid's last.
    """
    if not (shown := _grounded(params)):
        raise ValueError(f"profile {params.profile}: no seg-grounded experiment to show; add the method to its grid")
    return shown[0].key


def compared_experiments(params: Params) -> tuple[str, str]:
    """The baseline of a seg-grounded experiment, and that one: the first in the order of `gallery_experiment` that has
    a baseline of its model, task and seed on the detector without masks. ValueError if the study has none."""
    every = rows(params)
    keys = {row: key for key, row in every.items()}
    for row in _grounded(params):
        if row.baseline in keys:
            return keys[row.baseline], row.key
    raise ValueError(f"profile {params.profile}: no model both with and without grounding; add both to its grid")


def _grounded(params: Params) -> list[Row]:
    plain = [row for row in reversed(rows(params).values()) if row.is_grounded and row.is_plain]
    return sorted(plain, key=lambda row: (SHOWN_TASKS.index(row.task), row.seed))


def refined_experiment(params: Params) -> str | None:
    """The first experiment with refinement in true boxes (PredCls, SGCls); None if the study has none.

    One in the place of `gallery_experiment` comes first.
    """
    shown = [row.place for row in _grounded(params)[:1]]
    refined = [row for row in rows(params).values() if row.is_refined and row.task != "sgdet"]
    return next((row.key for row in sorted(refined, key=lambda row: row.place not in shown)), None)


def annotated_pictures(params: Params, split: str, images: int) -> Iterator[Picture]:
    """The first photos of a split with their annotated regions and relations."""
    names = read_vocabulary(params.data.scene_graphs.vocabulary)
    for sample in sets.first(sets.scene_graph_set(params, split), images):
        relations = ((s, names.predicate_name(p), o, 1.0) for s, o, p in sample.relations.tolist())
        yield Picture(
            image=sample.image,
            boxes=sample.boxes,
            names=class_names(names, sample.labels),
            masks=sample.masks,
            relations=tuple(relations),
            title=f"Image {sample.image_id}, as annotated",
        )


def class_names(names: Vocabulary, labels: Int[Tensor, "regions"]) -> tuple[str, ...]:
    """Class name of each region, from its label."""
    return tuple(names.class_name(label) for label in labels.tolist())


def predicted_pictures(params: Params, key: str, images: int) -> Iterator[Picture]:
    """The first test photos with the masks that the detector transfers and the relations that a model is surest of."""
    model, names = scene_graphs.load_model(params, key), facts.load(params).names
    photos = sets.first(sets.scene_graph_set(params, "test"), images)
    for sample, batch in zip(photos, sets.all_batches(params, photos, images=1), strict=True):
        batch = batch.to(runs.device())
        (graph,) = model.predict(batch)
        yield Picture(
            image=sample.image,
            boxes=graph.boxes_original * sample.scale,
            names=class_names(names, graph.labels),
            masks=seen_masks(graph, sample),
            relations=_best_relations(graph, names),
            title=f"Image {sample.image_id}, {key}",
        )


def _best_relations(graph: ImageGraph, names: Vocabulary) -> tuple[tuple[int, str, int, float], ...]:
    """One predicate per pair, surest first: subject score x predicate probability x object score."""
    probabilities, predicates = graph.predicate_probabilities[:, 1:].max(dim=1)
    scores = probabilities * graph.scores[graph.pairs].prod(dim=1)
    best = scores.argsort(descending=True, stable=True)[:MAX_RELATIONS].tolist()
    pairs = graph.pairs.tolist()
    return tuple(
        (pairs[i][0], names.predicate_name(int(predicates[i]) + 1), pairs[i][1], float(scores[i])) for i in best
    )


def seen_masks(graph: ImageGraph, sample: Sample) -> Bool[Tensor, "regions h w"] | None:
    """Masks of a photo's regions as the model sees them (eq. 4, refined if it refines), for the class that it names.

    None for a model that sees none.
    """
    if graph.masks is None or not len(graph.labels):
        return None
    return paste(graph.masks, graph.boxes_original * sample.scale, sample.size)


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


def chosen_images(params: Params, each: int) -> Choice:
    """Test images for the pair of experiments that the report shows."""
    before, after = (load(scene_graphs.folder(params, key) / RANKS) for key in compared_experiments(params))
    return choose(before, after, DEPTH, each, params.seed)


def compared_pictures(params: Params, choice: Choice) -> Iterator[tuple[Picture, Picture]]:
    """The graphs of the baseline and of the seg-grounded model, photo by photo."""
    kinds = {image_id: text for kind, text in KINDS.items() for image_id in getattr(choice, kind)}
    both = [_pictures(params, key, kinds) for key in compared_experiments(params)]
    return zip(*both, strict=True)


def _pictures(params: Params, key: str, kinds: dict[int, str]) -> Iterator[Picture]:
    experiment = open_experiment(params, key)
    places = {image_id: index for index, image_id in enumerate(experiment.photos.image_ids)}
    for image_id, kind in kinds.items():
        yield picture(see(experiment, places[image_id], DEPTH), f"Image {image_id}, {kind}: {key}")
