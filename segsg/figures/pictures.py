"""Photos with their graphs: as annotated, as one model gives them, and as two models give them side by side."""

from collections.abc import Iterator

import torch

from segsg.data.visual_genome import read_vocabulary
from segsg.data.words import Vocabulary
from segsg.figures.overlay import MAX_RELATIONS, Picture, class_names
from segsg.figures.seen import Seen, open_experiment, see, seen_masks
from segsg.figures.shown import DEPTH, KINDS, Choice, compared_experiments
from segsg.structures import ImageGraph
from segsg.study import facts, runs, scene_graphs, sets
from segsg.study.params import Params


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
