"""Photos with what a model says about them, for galleries."""

from collections.abc import Iterator
from itertools import islice

import torch
from jaxtyping import Bool
from torch import Tensor

from segsg.build import data, scene_graphs
from segsg.data.filters import Subset
from segsg.grounding.extractor import GroundedExtractor
from segsg.kernels.masks import paste
from segsg.models.scene_graph import SceneGraphModel
from segsg.params import Params
from segsg.reporting.overlay import Picture
from segsg.structures import Batch, ImageGraph, Sample

MOST_RELATIONS = 10


def pictures(params: Params, key: str, indices: list[int], split: str = "test") -> Iterator[Picture]:
    """The photos of a split at `indices` with the predicted graph and, of a grounded model, the regions' masks."""
    model, dataset = scene_graphs.load_model(params, key), data.scene_graph_set(params, split)
    device = next(model.parameters()).device
    for index, batch in zip(indices, data.all_batches(params, Subset(dataset, indices), images=1), strict=True):
        (graph,), masks = model.predict(batch.to(device)), region_masks(model, batch.to(device), dataset[index])
        yield _picture(dataset[index], graph, masks, dataset.vocabulary, f"{key}: image {graph.image_id}")


def truth(params: Params, indices: list[int], split: str = "test") -> Iterator[Picture]:
    """The photos of a split at `indices` with their annotation."""
    dataset = data.scene_graph_set(params, split)
    names = dataset.vocabulary
    for index in indices:
        sample = dataset[index]
        relations = [(int(s), names.predicate_name(int(p)), int(o), 1.0) for s, o, p in sample.relations]
        classes = tuple(names.class_name(int(label)) for label in sample.labels)
        title = f"annotation: image {sample.image_id}"
        yield Picture(sample.image, sample.boxes, classes, None, tuple(relations), title)


@torch.no_grad()
def region_masks(model: SceneGraphModel, batch: Batch, sample: Sample) -> Bool[Tensor, "regions h w"] | None:
    """Each region's mask for the class that the detector believes in most, in the photo's frame."""
    if not isinstance(model.extractor, GroundedExtractor):
        return None
    regions = model.detector.look(batch, model.task).regions
    masks = model.extractor.segmenter(regions)
    labels = regions.class_probabilities[:, 1:].argmax(dim=1) + 1
    chosen = masks[torch.arange(len(labels), device=labels.device), labels]
    return paste(chosen.cpu(), (regions.boxes / batch.scales[0] * sample.scale).cpu(), sample.size)


def _picture(sample: Sample, graph: ImageGraph, masks: Tensor | None, names, title: str) -> Picture:
    relations = islice(_best_relations(graph, names), MOST_RELATIONS)
    classes = tuple(names.class_name(int(label)) for label in graph.labels)
    return Picture(sample.image, graph.boxes_original * sample.scale, classes, masks, tuple(relations), title)


def _best_relations(graph: ImageGraph, names) -> Iterator[tuple[int, str, int, float]]:
    best, predicate = graph.predicate_probabilities[:, 1:].max(dim=1)
    subjects, objects = graph.pairs.unbind(1)
    scores = best * graph.scores[subjects] * graph.scores[objects]
    for row in scores.argsort(descending=True, stable=True).tolist():
        yield int(subjects[row]), names.predicate_name(int(predicate[row]) + 1), int(objects[row]), float(scores[row])
