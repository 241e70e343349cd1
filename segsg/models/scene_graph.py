"""A scene graph model: frozen detector, extractor, context model, and the pairs that it is trained on and asked about.

This is eq. 1, and eq. 2 with grounding in the extractor; `losses` is L^sg of eq. 11.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from segsg.kernels.boxes import all_pairs, box_iou
from segsg.kernels.draws import balanced
from segsg.models.extractor import Extractor
from segsg.structures import BACKGROUND, Batch, FrozenDetector, ImageGraph, Look, Mean, Regions, SceneGraph, Task

MATCH_IOU = 0.5


def every_pair(regions: Regions) -> Int[Tensor, "pairs 2"]:
    """All ordered pairs of regions of each image: the candidates in PredCls and SGCls."""
    return all_pairs(regions.image)


def overlapping_pairs(regions: Regions) -> Int[Tensor, "pairs 2"]:
    """Ordered pairs of regions of each image whose boxes overlap: the candidates in SGDet, as in the paper."""
    pairs = all_pairs(regions.image)
    a, b = regions.boxes[pairs[:, 0]], regions.boxes[pairs[:, 1]]
    width = torch.minimum(a[:, 2], b[:, 2]) - torch.maximum(a[:, 0], b[:, 0])
    height = torch.minimum(a[:, 3], b[:, 3]) - torch.maximum(a[:, 1], b[:, 1])
    return pairs[(width > 0) & (height > 0)]


def true_rows(boxes: Float[Tensor, "regions 4"], true_boxes: Float[Tensor, "truths 4"]) -> Int[Tensor, "regions"]:
    """For each box the row of the true box that it covers best, -1 below IoU 0.5.

    Where `boxes` are the true boxes, as in PredCls and SGCls, box i has row i. So two identical boxes keep their own
    rows, since their relations may differ.
    """
    if torch.equal(boxes, true_boxes):
        return torch.arange(len(boxes), device=boxes.device)
    if len(true_boxes) == 0:
        return torch.full((len(boxes),), -1, device=boxes.device)
    best, row = box_iou(boxes, true_boxes).max(dim=1)
    return torch.where(best >= MATCH_IOU, row, -1)


def predicate_matrix(relations: Int[Tensor, "relations 3"], size: int) -> Int[Tensor, "size size"]:
    """Predicate of every ordered pair of true boxes; of several relations of a pair, the last listed."""
    matrix = torch.full((size, size), BACKGROUND, device=relations.device)
    for_pair = relations[:, 0] * size + relations[:, 1]
    matrix.view(-1)[for_pair] = relations[:, 2]
    return matrix


def pair_targets(pairs: Int[Tensor, "pairs 2"], regions: Regions, batch: Batch) -> Int[Tensor, "pairs"]:
    """The predicate of each pair: that of the true boxes which its two regions cover, else background."""
    targets = torch.full((len(pairs),), BACKGROUND, device=pairs.device)
    image_of_pair = regions.image[pairs[:, 0]]
    rows = torch.full((len(regions),), -1, device=pairs.device)
    for image, (true_boxes, relations) in enumerate(zip(batch.boxes, batch.relations, strict=True)):
        inside = regions.image == image
        rows[inside] = true_rows(regions.boxes[inside], true_boxes)
        mine = image_of_pair == image
        subjects, objects = rows[pairs[mine]].unbind(1)
        found = predicate_matrix(relations, len(true_boxes))[subjects, objects] if len(true_boxes) else 0
        targets[mine] = torch.where((subjects >= 0) & (objects >= 0) & (subjects != objects), found, BACKGROUND)
    return targets


@dataclass(frozen=True)
class PairSampler:
    """Draws `pairs` pairs of each image for training, at most the share `positive_fraction` of them with a relation.

    Where an image has few pairs without relation, fewer pairs come back. Each image draws from its own generator.
    """

    pairs: int
    positive_fraction: float

    def __call__(
        self, candidates: Int[Tensor, "candidates 2"], regions: Regions, batch: Batch
    ) -> tuple[Int[Tensor, "pairs 2"], Int[Tensor, "pairs"]]:
        """Some of the candidates and their predicates, image after image as they are."""
        targets = pair_targets(candidates, regions, batch)
        image, drawn = regions.image[candidates[:, 0]], []
        shares = {"count": self.pairs, "positive_fraction": self.positive_fraction}
        for i, generator in enumerate(batch.generators()):
            mine = (image == i).nonzero()[:, 0]
            drawn.append(mine[balanced(targets[mine], generator=generator, **shares)])
        kept = torch.cat(drawn)
        return candidates[kept], targets[kept]


Naming = Callable[[Float[Tensor, "regions classes"], Float[Tensor, "regions 4"]], tuple[Tensor, Tensor]]


def best_names(probabilities: Float[Tensor, "regions classes"], boxes: Tensor) -> tuple[Tensor, Tensor]:
    """(probability, label) of the best foreground class of each region, for PredCls and SGCls."""
    scores, labels = probabilities[:, 1:].max(dim=1)
    return scores, labels + 1


@dataclass(frozen=True)
class DistinctNames:
    """Names regions in SGDet, surest first. A name is then barred from boxes that overlap (late per-class NMS)."""

    iou: float

    def __call__(self, probabilities: Float[Tensor, "regions classes"], boxes: Tensor) -> tuple[Tensor, Tensor]:
        left = probabilities.clone()
        left[:, 0] = -1
        overlapping = box_iou(boxes, boxes) >= self.iou
        labels = torch.zeros(len(boxes), dtype=torch.long, device=boxes.device)
        for _ in range(len(boxes)):
            region, label = divmod(int(left.argmax()), left.shape[1])
            labels[region] = label
            left[overlapping[region], label] = left[overlapping[region], label].clamp(max=0)
            left[region] = -1
        return probabilities.gather(1, labels[:, None])[:, 0], labels


class SceneGraphModel(nn.Module):
    """Trains with `losses`, answers with `predict`; what differs between tasks and methods is in its slots.

    The detector is frozen: it is asked for a `Look` and has no part in the gradients or in the saved weights.
    """

    def __init__(
        self,
        *,
        detector: FrozenDetector,
        extractor: Extractor,
        context: nn.Module,
        task: Task,
        sampler: PairSampler,
        candidates: Callable[[Regions], Tensor] = every_pair,
        naming: Naming = best_names,
    ):
        super().__init__()
        self.detector, self.extractor, self.context = detector, extractor, context
        self.task, self.sampler, self.candidates, self.naming = task, sampler, candidates, naming

    def losses(self, batch: Batch) -> dict[str, Mean]:
        """Cross-entropy of predicates over sampled pairs and of classes over regions, L^sg of eq. 11.

        Pairs are drawn from those that predictions are made of: in SGDet it learns nothing of boxes apart.
        Models that say which regions are related at all are held to it.
        """
        look = self.training_look(batch)
        pairs, targets = self.sampler(self.candidates(look.regions), look.regions, batch)
        context = self.graph(look, pairs).context
        return {
            "predicates": _cross_entropy(context.predicate_logits, targets),
            "objects": _cross_entropy(context.object_logits, look.regions.labels),
            **_relatedness_loss(context.relatedness, look.regions, batch),
        }

    def training_look(self, batch: Batch) -> Look:
        """The look that losses are computed from."""
        return self.detector.look(batch, self.task, masks=self.extractor.sees_masks)

    def look(self, batch: Batch) -> Look:
        """The look that predictions are made from."""
        return self.detector.look(batch, self.task, masks=self.extractor.sees_masks)

    def mask_look(self, batch: Batch) -> Look:
        """The look at mask-set images: their regions and masks in the mask set's own classes."""
        return self.detector.look(batch, self.task, "mask")

    def graph(self, look: Look, pairs: Int[Tensor, "pairs 2"]) -> SceneGraph:
        """Logits of the regions and of `pairs`, and the masks that were seen."""
        encoded = self.extractor(look, pairs)
        context = self.context(encoded.nodes, encoded.edges, pairs, look.regions)
        return SceneGraph(look.regions, pairs, context, encoded.masks)

    @torch.no_grad()
    def meeting(self, look: Look, pairs: Int[Tensor, "pairs 2"]) -> Float[Tensor, "pairs 28 28"] | None:
        """Where the masks of each pair meet in its union box (eq. 6), on the CPU; None if pairs see no such masks."""
        masks = self.extractor.meeting(look, pairs.to(look.regions.boxes.device))
        return None if masks is None else masks.cpu()

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[ImageGraph]:
        """The scene graph of each image, boxes in the frame of its photo, on the CPU."""
        return self.answer(self.look(batch), batch)

    @torch.no_grad()
    def answer(self, look: Look, batch: Batch) -> list[ImageGraph]:
        """The scene graph of each image from the batch's own `look`, for callers that also show what was seen."""
        graph = self.graph(look, self.candidates(look.regions))
        return [self._image_graph(graph, batch, image) for image in range(len(batch))]

    def _image_graph(self, graph: SceneGraph, batch: Batch, image: int) -> ImageGraph:
        inside = (graph.regions.image == image).nonzero()[:, 0]
        mine = graph.regions.image[graph.pairs[:, 0]] == image
        boxes = graph.regions.boxes[inside].float()
        scores, labels = self.naming(graph.context.object_logits[inside].float().softmax(dim=1), boxes)
        first = int(inside[0]) if len(inside) else 0
        return ImageGraph(
            image_id=batch.image_ids[image],
            boxes_original=(boxes / batch.scales[image]).cpu(),
            labels=labels.cpu(),
            scores=scores.cpu(),
            pairs=(graph.pairs[mine] - first).cpu(),
            predicate_probabilities=graph.context.predicate_logits[mine].float().softmax(dim=1).cpu(),
            masks=None if graph.masks is None else graph.masks[inside, labels].float().cpu(),
        )


def _cross_entropy(logits: Float[Tensor, "n classes"], labels: Int[Tensor, "n"]) -> Mean:
    return Mean(functional.cross_entropy(logits.float(), labels, reduction="sum"), len(labels))


def _relatedness_loss(logits: Float[Tensor, "pairs"] | None, regions: Regions, batch: Batch) -> dict[str, Mean]:
    """Binary cross-entropy over all pairs of an image, mean over images that have any.

    A pair is related if it has a predicate in either direction.
    """
    if logits is None:
        return {}
    pairs = all_pairs(regions.image)
    related = pair_targets(pairs, regions, batch).bool() | pair_targets(pairs.flip(1), regions, batch).bool()
    counts = regions.counts()
    shares = torch.tensor([1 / max(n * (n - 1), 1) for n in counts], device=pairs.device)[regions.image[pairs[:, 0]]]
    total = functional.binary_cross_entropy_with_logits(logits.float(), related.float(), shares, reduction="sum")
    return {"relatedness": Mean(total, sum(n > 1 for n in counts))}
