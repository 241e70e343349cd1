"""From what a scene graph model says of one photo, an `ImageGraph`, to the regions and relations that are shown."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor

from segsg.data.words import Vocabulary
from segsg.kernels.boxes import union_boxes
from segsg.kernels.masks import paste
from segsg.photos.found import Found
from segsg.photos.graph import Box, PairRegion, Region, Relation, Wanted, runs_of
from segsg.structures import ImageGraph

Meeting = Callable[[Int[np.ndarray, "pairs 2"]], list[PairRegion | None]]
"""pairs of a photo's regions -> where the masks of each meet"""


def surest(
    pairs: Int[np.ndarray, "pairs 2"],
    said: Float[np.ndarray, "pairs predicates"],
    scores: Float[np.ndarray, "regions"],
    *,
    predicates: Sequence[str],
    wanted: Wanted,
    meeting: Meeting,
) -> tuple[Relation, ...]:
    """The relations that are wanted, surest first, one predicate for each pair; `said` are their probabilities."""
    if not len(pairs):
        return ()
    sure = said.max(axis=1) * scores[pairs].prod(axis=1)
    best = np.argsort(-sure, kind="stable")[: wanted.top]
    best = best[sure[best] >= wanted.threshold]
    rows = zip(pairs[best].tolist(), said[best].argmax(axis=1), sure[best].tolist(), meeting(pairs[best]), strict=True)
    return tuple(Relation(s, predicates[p], o, score, place) for (s, o), p, score, place in rows)


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


def pair_regions(
    masks: Float[Tensor, "pairs 28 28"] | None, boxes: Float[Tensor, "regions 4"], pairs: Int[Tensor, "pairs 2"]
) -> list[PairRegion | None]:
    """Where the masks of each pair meet (eq. 6), in the union of their boxes; None without masks."""
    if masks is None:
        return [None] * len(pairs)
    unions = union_boxes(*boxes[pairs].unbind(1))
    return [PairRegion(box_of(union), mask.numpy()) for union, mask in zip(unions, masks, strict=True)]


def box_of(box: Float[Tensor, "4"]) -> Box:
    """A box as numbers."""
    left, top, right, bottom = box.tolist()
    return left, top, right, bottom
