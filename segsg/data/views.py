"""What every data set is, and views of one: fewer images, or fewer relations. A view is read as its set is."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from segsg.data.words import Vocabulary
from segsg.structures import Sample


@runtime_checkable
class ImageSet(Protocol):
    """Annotated images of a data set or of a view; a photo is read when its sample is asked for."""

    image_ids: list[int]
    vocabulary: Vocabulary

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample:
        """The image with its annotation, in the frame in which its photo is stored."""

    def annotation(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """(boxes_original, labels, relations; in a mask set masks) without opening the photo."""


class Subset:
    """The images of `dataset` at `indices`, in that order."""

    def __init__(self, dataset: ImageSet, indices: Sequence[int]):
        self._dataset, self._indices = dataset, list(indices)
        self.vocabulary = dataset.vocabulary
        image_ids = dataset.image_ids
        self.image_ids = [image_ids[index] for index in self._indices]

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Sample:
        return self._dataset[self._indices[index]]

    def annotation(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        return self._dataset.annotation(self._indices[index])

    @property
    def shared_ids(self) -> list[int | None]:
        """Id of each image in the mask set, of a view of a scene graph set."""
        shared = self._dataset.shared_ids
        return [shared[index] for index in self._indices]


def without_images(dataset: ImageSet, image_ids: Collection[int]) -> Subset:
    """`dataset` without these images, for instance a mask set without the scene-graph test images it shares."""
    unwanted = frozenset(image_ids)
    return Subset(dataset, [i for i, image_id in enumerate(dataset.image_ids) if image_id not in unwanted])


class OverlappingRelations(Subset):
    """Only relations whose two boxes overlap, and only images that still have one; a filter of training data."""

    def __init__(self, dataset: ImageSet):
        annotations = (dataset.annotation(index) for index in range(len(dataset)))
        kept = [overlap(boxes, relations).any().item() for boxes, _, relations in annotations]
        super().__init__(dataset, [index for index, any_left in enumerate(kept) if any_left])

    def annotation(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        boxes, labels, relations = super().annotation(index)
        return boxes, labels, relations[overlap(boxes, relations)]

    def __getitem__(self, index: int) -> Sample:
        return replace(super().__getitem__(index), relations=self.annotation(index)[2])


def overlap(boxes: Float[Tensor, "regions 4"], pairs: Int[Tensor, "pairs columns"]) -> Bool[Tensor, "pairs"]:
    """Whether the boxes of the first two columns of `pairs` share an area."""
    subjects, objects = boxes[pairs[:, 0]], boxes[pairs[:, 1]]
    return (subjects[:, :2].maximum(objects[:, :2]) < subjects[:, 2:].minimum(objects[:, 2:])).all(1)


def one_predicate_per_pair(sample: Sample, generator: Generator) -> Sample:
    """Each (subject, object) once, with one of its listed predicates: a copy counts as another chance to be drawn.

    A filter of training samples at every fetch; `Batches` takes it as `change`.
    """
    order = torch.randperm(len(sample.relations), generator=generator)
    shuffled = sample.relations[order]
    _, pair = torch.unique(shuffled[:, :2], dim=0, return_inverse=True)
    first = torch.full((int(pair.max()) + 1 if len(pair) else 0,), len(pair))
    first = first.scatter_reduce(0, pair, torch.arange(len(pair)), "amin")
    return replace(sample, relations=shuffled[first])
