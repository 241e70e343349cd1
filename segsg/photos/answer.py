"""From what a scene graph model says of one photo, an `ImageGraph`, to the regions and relations that are shown."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from segsg.data.words import Vocabulary
from segsg.kernels.boxes import union_boxes
from segsg.kernels.masks import paste
from segsg.photos.found import Found
from segsg.photos.graph import Box, PairRegion, Region, Relation, Wanted, runs_of
from segsg.structures import ImageGraph

Meeting = Callable[[Tensor], Tensor | None]
"""pairs of a photo's regions -> where the masks of each meet (eq. 6) [pairs, 28, 28], or None"""


def surest(
    graph: ImageGraph, boxes: Float[Tensor, "regions 4"], names: Vocabulary, wanted: Wanted, meeting: Meeting
) -> tuple[Relation, ...]:
    """The relations that are wanted, surest first, one predicate for each pair."""
    if not len(graph.pairs):
        return ()
    probabilities, predicates = graph.predicate_probabilities[:, 1:].max(dim=1)
    scores = probabilities * graph.scores[graph.pairs].prod(dim=1)
    best = scores.argsort(descending=True, stable=True)[: wanted.top]
    best = best[scores[best] >= wanted.threshold]
    pairs = graph.pairs[best]
    where = _pair_regions(meeting(pairs), union_boxes(*boxes[pairs].unbind(1)))
    rows = zip(pairs.tolist(), (predicates[best] + 1).tolist(), scores[best].tolist(), where, strict=True)
    return tuple(Relation(s, names.predicate_name(p), o, score, place) for (s, o), p, score, place in rows)


def regions_of(
    graph: ImageGraph, boxes: Float[Tensor, "regions 4"], names: Vocabulary, size: tuple[int, int], found: Found | None
) -> tuple[Region, ...]:
    """The regions of a photo of `size` (height, width); `found` has the masks that were given with them, if any."""
    masks = [None] * len(boxes) if graph.masks is None else graph.masks
    given = [None] * len(boxes) if found is None else found.masks
    return tuple(
        Region(
            names.class_name(label),
            float(score),
            box_of(box),
            known or (None if mask is None else runs_of(pasted(mask, box, size))),
            given=known is not None,
        )
        for label, score, box, mask, known in zip(graph.labels.tolist(), graph.scores, boxes, masks, given, strict=True)
    )


def pasted(mask: Float[Tensor, "side side"], box: Float[Tensor, "4"], size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """A mask in the frame of its photo of `size` (height, width), computed where its box lies in the photo alone:
    photos may have many more pixels."""
    whole = np.zeros(size, dtype=bool)
    left, top = (max(0, int(side)) for side in box[:2].floor())
    right, bottom = (min(most, int(side)) for most, side in zip(reversed(size), box[2:].ceil(), strict=True))
    if right <= left or bottom <= top:
        return whole
    inside = paste(mask[None], (box - box.new_tensor([left, top, left, top]))[None], (bottom - top, right - left))
    whole[top:bottom, left:right] = inside[0].numpy()
    return whole


def _pair_regions(masks: Float[Tensor, "pairs 28 28"] | None, unions: Tensor) -> list[PairRegion | None]:
    if masks is None:
        return [None] * len(unions)
    return [PairRegion(box_of(union), mask.numpy()) for union, mask in zip(unions, masks, strict=True)]


def box_of(box: Float[Tensor, "4"]) -> Box:
    """A box as numbers."""
    left, top, right, bottom = box.tolist()
    return left, top, right, bottom
