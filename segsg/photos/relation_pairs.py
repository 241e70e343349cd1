"""All ordered pairs of the annotated regions of photos, as a network without pixels is trained on and asked about."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from segsg.data.vrd import Annotation
from segsg.evaluation.ranks import Ranks, Recall
from segsg.evaluation.records import Truth
from segsg.kernels.boxes import all_pairs
from segsg.kernels.geometry import pair_geometry
from segsg.structures import BACKGROUND, ImageGraph


@dataclass(frozen=True)
class RelationPairs:
    """Pairs of photos, photo after photo. Labels count from 1; `pairs` index regions of their own photo.

    `holds` says which predicates are annotated of a pair, several perhaps; column 0 where there is none.
    """

    photo: Int[Tensor, "pairs"]
    pairs: Int[Tensor, "pairs 2"]
    subjects: Int[Tensor, "pairs"]
    objects: Int[Tensor, "pairs"]
    geometry: Float[Tensor, "pairs numbers"]
    holds: Bool[Tensor, "pairs predicates"]

    def __len__(self) -> int:
        return len(self.photo)


def relation_pairs(annotations: Sequence[Annotation], predicates: int) -> RelationPairs:
    """All ordered pairs of these photos; `predicates` counts background."""
    parts = [_of_photo(i, one, predicates) for i, one in enumerate(annotations)]
    return RelationPairs(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def _of_photo(photo: int, annotation: Annotation, predicates: int) -> tuple[Tensor, ...]:
    boxes, labels, relations = annotation
    size = len(labels)
    pairs = all_pairs(torch.zeros(size, dtype=torch.int64))
    holds = torch.zeros(size, size, predicates, dtype=torch.bool)
    holds[relations[:, 0], relations[:, 1], relations[:, 2]] = True
    holds[..., BACKGROUND] = ~holds.any(dim=2)
    subjects, objects = pairs.unbind(1)
    geometry = pair_geometry(boxes[subjects], boxes[objects])
    number = torch.full((len(pairs),), photo)
    return number, pairs, labels[subjects], labels[objects], geometry, holds[subjects, objects]


def ranks_of(
    annotations: Sequence[Annotation],
    pairs: RelationPairs,
    probabilities: Float[Tensor, "pairs predicates"],
    recall: Recall,
) -> Ranks:
    """PredCls of these photos by the project's evaluation; `recall` is a new one, image ids are places."""
    counts = torch.bincount(pairs.photo, minlength=len(annotations)).tolist()
    said = zip(annotations, pairs.pairs.split(counts), probabilities.split(counts), strict=True)
    for photo, ((boxes, labels, relations), asked, answers) in enumerate(said):
        graph = ImageGraph(photo, boxes, labels, torch.ones(len(labels)), asked, answers)
        recall.add(Truth(boxes, labels, relations, photo), graph)
    return recall.ranks()
