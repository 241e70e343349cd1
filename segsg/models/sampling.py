"""Pairs that may be related, and those of them that a batch trains on, with their predicates."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from segsg.kernels.boxes import all_pairs, box_iou
from segsg.structures import BACKGROUND, Batch, Regions

MATCH_IOU = 0.5


def every_pair(regions: Regions) -> Int[Tensor, "pairs 2"]:
    """All ordered pairs of each image: PredCls, SGCls."""
    return all_pairs(regions.image)


def overlapping_pairs(regions: Regions) -> Int[Tensor, "pairs 2"]:
    """Ordered pairs whose boxes overlap: SGDet, as in the paper."""
    pairs = all_pairs(regions.image)
    a, b = regions.boxes[pairs[:, 0]], regions.boxes[pairs[:, 1]]
    width = torch.minimum(a[:, 2], b[:, 2]) - torch.maximum(a[:, 0], b[:, 0])
    height = torch.minimum(a[:, 3], b[:, 3]) - torch.maximum(a[:, 1], b[:, 1])
    return pairs[(width > 0) & (height > 0)]


def true_rows(boxes: Float[Tensor, "regions 4"], true_boxes: Float[Tensor, "truths 4"]) -> Int[Tensor, "regions"]:
    """For each box the row of the true box that it covers best, -1 below IoU 0.5.

    Where the boxes are the true boxes themselves, as in PredCls and SGCls, each is its own, also one of two identical
    ones, whose relations differ.
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
    """So many pairs of each image, at most a given share of them with a relation; the rest are drawn from the others.

    Where an image has few pairs without relation, fewer pairs come back. Draws from PyTorch's global generator.
    """

    pairs: int
    positive_fraction: float

    def __call__(
        self, candidates: Int[Tensor, "candidates 2"], regions: Regions, batch: Batch
    ) -> tuple[Int[Tensor, "pairs 2"], Int[Tensor, "pairs"]]:
        """Some of the candidates and their predicates, image after image as they are."""
        targets = pair_targets(candidates, regions, batch)
        order = torch.randperm(len(candidates)).to(candidates.device)
        image = regions.image[candidates[order, 0]]
        positive = targets[order] > 0
        limit = int(self.pairs * self.positive_fraction)
        chosen_positive = positive & (_rank(image, positive) < limit)
        room = self.pairs - torch.bincount(image[chosen_positive], minlength=len(batch))
        chosen_negative = ~positive & (_rank(image, ~positive) < room[image])
        kept = order[chosen_positive | chosen_negative].sort().values
        return candidates[kept], targets[kept]


def _rank(image: Int[Tensor, "pairs"], among: Tensor) -> Int[Tensor, "pairs"]:
    """How many earlier pairs of the same image satisfy `among`."""
    rank = torch.zeros_like(image)
    for one in image.unique().tolist():
        mine = image == one
        rank[mine] = among[mine].cumsum(0) - among[mine].long()
    return rank
