"""The nouns of the project: what readers give to networks, and what networks give back.

Conventions, stated once: background is index 0 of every label space; boxes are float xyxy pixels of the
network's input unless the name says `boxes_original`; region indices of a batch count through its images.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Generator, Tensor

from segsg.kernels.roi_align import pyramid_roi_align

BACKGROUND = 0
MASK_SIDE = 28
"""cells along each side of a mask in the frame of a box"""
Task = Literal["predcls", "sgcls", "sgdet"]
TASKS: tuple[Task, ...] = ("predcls", "sgcls", "sgdet")
Domain = Literal["graph", "mask"]
"""which of the two data sets an image is of: its classes are those of scene graphs, or mask classes"""


def _moved(value, device):
    """`value` on `device`, through lists and nested structures; anything without tensors is returned as it is."""
    if isinstance(value, Tensor | Batch | Regions):
        return value.to(device)
    if isinstance(value, list):
        return [_moved(item, device) for item in value]
    return value


class _Movable:
    def to(self, device: torch.device | str):
        """A copy with every tensor on `device`."""
        return replace(self, **{f.name: _moved(getattr(self, f.name), device) for f in fields(self)})


@dataclass(frozen=True)
class Sample:
    """One image with its annotations, all in the frame of `image`.

    `scale` is pixels of `image` per pixel of the original photo: 1.0 as read, changed by resizing; `photo_size` is
    then the photo's (height, width).
    `relations` are rows (subject, object, predicate); an image of the mask set has none.
    `masks` is None where the data set has no masks (scene-graph images).
    """

    image_id: int
    image: UInt8[Tensor, "3 h w"]
    boxes: Float[Tensor, "regions 4"]
    labels: Int[Tensor, "regions"]
    relations: Int[Tensor, "relations 3"]
    masks: Bool[Tensor, "regions h w"] | None = None
    scale: float = 1.0
    photo_size: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of `image` in pixels."""
        return tuple(self.image.shape[-2:])


@dataclass(frozen=True)
class Batch(_Movable):
    """Samples padded to one size. Lists have one entry per image; `relations` index regions of their own image.

    `photo_sizes` are (height, width) before resizing, `sizes` after it; None where nothing was resized.
    `_` is an axis whose length differs from image to image (regions, relations, or the unpadded h and w).
    `seeds`, of a training batch, are a number for each image, from 0: what is drawn of an image follows from its own.
    """

    image_ids: list[int]
    images: UInt8[Tensor, "images 3 h w"]
    sizes: list[tuple[int, int]]
    scales: list[float]
    boxes: list[Float[Tensor, "_ 4"]]
    labels: list[Int[Tensor, "_"]]
    relations: list[Int[Tensor, "_ 3"]]
    masks: list[Bool[Tensor, "_ _ _"]] | None = None
    photo_sizes: list[tuple[int, int]] | None = None
    seeds: list[int] | None = None

    def __len__(self) -> int:
        return len(self.image_ids)

    def generators(self) -> list[Generator]:
        """A new generator for each image, on the device of the images; without `seeds` from PyTorch's global one.

        An image that is drawn from its own has the same draws in any batch and in any process.
        """
        seeds = self.seeds or torch.randint(2**62, (len(self),)).tolist()
        return [Generator(self.images.device).manual_seed(seed) for seed in seeds]


@dataclass(frozen=True)
class Mean:
    """A loss, kept as the sum of its terms and their number: several processes make one mean of theirs."""

    total: Float[Tensor, ""]
    count: int

    @property
    def value(self) -> Float[Tensor, ""]:
        """The mean of these terms alone; zero, with a gradient, where there are none."""
        return self.total / max(self.count, 1)


Source = Callable[[range], Iterable[Batch]]
"""numbers of batches, counted from 0 -> those batches, in order"""


@dataclass(frozen=True)
class Regions(_Movable):
    """The regions of a batch, image after image.

    `image` is the index of a region's image in the batch, never decreasing.
    `labels` is the truth that losses compare with (0 where a detection matches nothing, or truth is unknown).
    `class_probabilities` is what the detector believes, l_j of the paper (one-hot of the truth in PredCls).
    `mask_logits` has one channel per *mask* class, before the sigmoid and before transfer; None from a detector
    without a mask head. `sizes` are (height, width) of the batch's images, without padding.
    """

    boxes: Float[Tensor, "regions 4"]
    image: Int[Tensor, "regions"]
    labels: Int[Tensor, "regions"]
    class_probabilities: Float[Tensor, "regions classes"]
    sizes: list[tuple[int, int]]
    mask_logits: Float[Tensor, "regions mask_classes side side"] | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    def counts(self) -> list[int]:
        """Number of regions of each image of the batch."""
        return torch.bincount(self.image, minlength=len(self.sizes)).tolist()


def image_index(counts: list[int], device: torch.device) -> Int[Tensor, "regions"]:
    """[2, 0, 1] -> [0, 0, 2]: the image of each region, from the number of regions of each image."""
    return torch.arange(len(counts), device=device).repeat_interleave(torch.tensor(counts, device=device))


def one_hot(labels: Int[Tensor, "regions"], classes: int) -> Float[Tensor, "regions classes"]:
    """Certainty of each label, as class probabilities: l_j of PredCls."""
    return torch.nn.functional.one_hot(labels, classes).float()


@dataclass(frozen=True)
class Look(_Movable):
    """All that the frozen detector says about a batch: feature maps, finest first, and regions.

    `strides` are pixels of the network's input per cell of each map. Boxes of fewer than twice `cells` cells are
    cropped from the finest one.
    """

    features: list[Float[Tensor, "images channels _ _"]]
    regions: Regions
    strides: tuple[int, ...]
    cells: int

    def crop(
        self, boxes: Float[Tensor, "n 4"], image: Int[Tensor, "n"], side: int
    ) -> Float[Tensor, "n channels side side"]:
        """`boxes` cut from the feature maps (RoIAlign); `image` is the index of each box's image."""
        return pyramid_roi_align(self.features, boxes, image, self.strides, side, self.cells)

    def region_crops(self, side: int) -> Float[Tensor, "regions channels side side"]:
        """The regions cut from the feature maps."""
        return self.crop(self.regions.boxes, self.regions.image, side)


@runtime_checkable
class FrozenDetector(Protocol):
    """Interface of a detector to scene graph models; `channels` is the number of channels of its feature maps."""

    channels: int

    def look(self, batch: Batch, task: Task, domain: Domain = "graph", *, masks: bool = True) -> Look:
        """Feature maps and regions of a batch: in PredCls and SGCls the regions that it brings, in SGDet detections.

        `masks`: False leaves out mask logits, for models that see none.
        """


@dataclass(frozen=True)
class Context:
    """Result of a context model: class logits of regions and predicate logits of pairs.

    `relatedness`, of models that also decide which regions have anything to do with each other, is one logit for
    each row of `all_pairs`, whatever the pairs in question; it is trained whenever it is there.
    """

    object_logits: Float[Tensor, "regions classes"]
    predicate_logits: Float[Tensor, "pairs predicates"]
    relatedness: Float[Tensor, "_"] | None = None


@dataclass(frozen=True)
class SceneGraph:
    """Result of a scene graph model for a batch. `pairs` are rows (subject, object).

    `masks` are those that it saw, one for each region and class, in the frames of the boxes; None if it sees none.
    """

    regions: Regions
    pairs: Int[Tensor, "pairs 2"]
    context: Context
    masks: Float[Tensor, "regions classes side side"] | None = None


@dataclass(frozen=True)
class ImageGraph:
    """The predicted scene graph of one image, in the frame of the original photo; what evaluation reads.

    Column 0 of `predicate_probabilities` is background. Pairs are rows (subject, object) of region indices. `masks` are
    probabilities in the frames of the boxes, those of the class that each region is named; None if the model sees none.
    """

    image_id: int
    boxes_original: Float[Tensor, "regions 4"]
    labels: Int[Tensor, "regions"]
    scores: Float[Tensor, "regions"]
    pairs: Int[Tensor, "pairs 2"]
    predicate_probabilities: Float[Tensor, "pairs predicates"]
    masks: Float[Tensor, "regions side side"] | None = None
