"""From a model's prediction to graphs of photos, with the masks that it saw."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from segsg.data.vocabulary import Vocabulary
from segsg.grounding.edges import PairMasks, UnionFrame
from segsg.grounding.extractor import GroundedExtractor
from segsg.kernels.boxes import clip, union_boxes
from segsg.kernels.masks import paste
from segsg.models.scene_graph import SceneGraphModel
from segsg.photos.graph import Box, PairRegion, PhotoGraph, Region, Relation, runs_of
from segsg.photos.pixels import Pixels
from segsg.photos.wanted import Wanted
from segsg.structures import Batch, ImageGraph, Look


@torch.no_grad()
def photo_graphs(
    model: SceneGraphModel, batch: Batch, photos: list[Pixels], names: Vocabulary, wanted: Wanted
) -> list[PhotoGraph]:
    """The graph of each photo of a batch. One predicate per pair, as in the study's recall with graph constraint."""
    look = model.look(batch)
    seen, graphs, first, found = Seen(model, look), model.answer(look, batch), 0, []
    for photo, graph in zip(photos, graphs, strict=True):
        found.append(_photo_graph(photo, graph, seen, first, names, wanted))
        first += len(graph.labels)
    return found


class Seen:
    """What a model saw in a batch beyond boxes. A baseline saw nothing."""

    def __init__(self, model: SceneGraphModel, look: Look):
        self.masks: Float[Tensor, "regions classes 28 28"] | None = None
        self._of_pairs: Callable[[Tensor], list[Tensor]] = lambda pairs: []
        extractor = model.extractor
        if not isinstance(extractor, GroundedExtractor):
            return
        self.masks = extractor.segmenter(look.regions).cpu()
        if isinstance(extractor.pair_masks, PairMasks) and isinstance(extractor.pair_masks.frame, UnionFrame):
            prepared = extractor.pair_masks.prepare(extractor.masks(look), look.regions)
            one, device = extractor.channels.expected, look.regions.boxes.device
            self._of_pairs = lambda pairs: [one(masks).cpu() for masks in prepared(pairs.to(device))]

    def pair_masks(self, pairs: Int[Tensor, "pairs 2"]) -> Float[Tensor, "pairs 28 28"] | None:
        """Eq. 6 in the frames of the union boxes; None where pairs see no masks, or see them cell by cell in two
        unrelated boxes, which is nowhere in the photo."""
        return next(iter(self._of_pairs(pairs)), None)


def _photo_graph(
    photo: Pixels, graph: ImageGraph, seen: Seen, first: int, names: Vocabulary, wanted: Wanted
) -> PhotoGraph:
    size = photo.shape[:2]
    boxes = clip(graph.boxes_original, size)
    regions = tuple(
        Region(
            names.class_name(label),
            float(graph.scores[i]),
            _box(boxes[i]),
            None if seen.masks is None else _runs(seen.masks[first + i, label], boxes[i], size),
        )
        for i, label in enumerate(graph.labels.tolist())
    )
    return PhotoGraph(photo, regions, _relations(graph, boxes, seen, first, names, wanted))


def _relations(
    graph: ImageGraph, boxes: Tensor, seen: Seen, first: int, names: Vocabulary, wanted: Wanted
) -> tuple[Relation, ...]:
    if not len(graph.pairs):
        return ()
    probabilities, predicates = graph.predicate_probabilities[:, 1:].max(dim=1)
    scores = probabilities * graph.scores[graph.pairs].prod(dim=1)
    best = scores.argsort(descending=True, stable=True)[: wanted.top]
    best = best[scores[best] >= wanted.threshold]
    pairs = graph.pairs[best]
    where = _pair_regions(seen.pair_masks(pairs + first), union_boxes(*boxes[pairs].unbind(1)))
    rows = zip(pairs.tolist(), (predicates[best] + 1).tolist(), scores[best].tolist(), where, strict=True)
    return tuple(Relation(s, names.predicate_name(p), o, score, place) for (s, o), p, score, place in rows)


def _pair_regions(masks: Float[Tensor, "pairs 28 28"] | None, unions: Tensor) -> list[PairRegion | None]:
    if masks is None:
        return [None] * len(unions)
    return [PairRegion(_box(union), mask.numpy()) for union, mask in zip(unions, masks, strict=True)]


def _runs(mask: Float[Tensor, "28 28"], box: Float[Tensor, "4"], size: tuple[int, int]) -> dict:
    return runs_of(paste(mask[None], box[None], size)[0].numpy())


def _box(box: Float[Tensor, "4"]) -> Box:
    left, top, right, bottom = box.tolist()
    return left, top, right, bottom
