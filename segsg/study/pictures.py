"""Photos with the scene graph that a model gives them."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool
from torch import Tensor

from segsg.data.vocabulary import Vocabulary
from segsg.figures.overlay import MAX_RELATIONS, Picture
from segsg.kernels.masks import paste
from segsg.models.scene_graph import SceneGraphModel
from segsg.structures import Batch, ImageGraph, Sample
from segsg.study import data, runs, scene_graphs
from segsg.study.annotated import class_names
from segsg.study.params import Params


def predicted_pictures(params: Params, key: str, images: int) -> Iterator[Picture]:
    """The first test photos with the masks that the detector transfers and the relations that a model is surest of."""
    model, names = scene_graphs.load_model(params, key), data.vocabulary(params)
    photos = data.first(data.scene_graph_set(params, "test"), images)
    for sample, batch in zip(photos, data.all_batches(params, photos, images=1), strict=True):
        batch = batch.to(runs.device())
        (graph,) = model.predict(batch)
        masks = masks_of(params, key, model, batch, graph, sample)
        yield _picture(sample, graph, masks, names, f"Image {sample.image_id}, {key}")


def _picture(sample: Sample, graph: ImageGraph, masks: Tensor | None, names: Vocabulary, title: str) -> Picture:
    return Picture(
        image=sample.image,
        boxes=graph.boxes_original * sample.scale,
        names=class_names(names, graph.labels),
        masks=masks,
        relations=_best_relations(graph, names),
        title=title,
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


@torch.no_grad()
def masks_of(
    params: Params, key: str, model: SceneGraphModel, batch: Batch, graph: ImageGraph, sample: Sample
) -> Bool[Tensor, "regions h w"] | None:
    """Masks of one photo's regions as the model sees them (eq. 4, refined if it refines), for the class it names.

    None for a model that sees none.
    """
    if params.experiments[key].method != "seg-grounded":
        return None
    regions = model.look(batch).regions
    if not len(regions):
        return None
    masks = model.extractor.segmenter(regions).cpu()[torch.arange(len(regions)), graph.labels]
    return paste(masks, graph.boxes_original * sample.scale, sample.size)
