"""SSDLite on MobileNetV2 (Sandler et al. 2018; SSD: Liu et al. 2016): finds COCO's 80 classes of things in photos.

A photo of any size becomes 300 x 300 pixels, whatever its shape. Each of six feature maps says, for a few anchors in
each cell, which classes lie there and how to move the anchor onto the thing. Weights are those that TensorFlow's
object detection library published as ssdlite_mobilenet_v2_coco; `segsg.photos.convert_ssd` makes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from segsg.detection.coco_classes import COCO_CLASSES, IDS
from segsg.detection.mobilenet import EXPANDED, LAST, MobileNetV2, SameConv, depthwise, signed
from segsg.detection.stored import filled
from segsg.kernels.boxes import clip
from segsg.kernels.resize import resize_from_corner
from segsg.kernels.suppression import above, without_doubles

SIDE = 300
"""pixels of a photo as the network sees it"""
CELLS = (19, 10, 5, 3, 2, 1)
"""along a side of each feature map"""
SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
"""of the anchors of each map, as share of the photo's side; the last only ends the row"""
RATIOS = (1.0, 2.0, 0.5, 3.0, 0.3333)
"""width to height of anchors"""
SMALLEST = (0.1, 1.0), (SCALES[0], 2.0), (SCALES[0], 0.5)
"""(scale, ratio) of the anchors of the finest map, which has fewer"""
CENTRE_UNIT, SIZE_UNIT = 10.0, 5.0
"""what the network's moves of a centre, and of the logarithm of a side, are multiplied with"""
EXTRAS = ((256, 512), (128, 256), (128, 256), (64, 128))
"""(narrow, out) channels of the maps behind the trunk"""
AT_ONCE = 8
"""photos; bounds the memory of feature maps"""
AGAIN = "convert the weights again with `python -m segsg.photos.convert_ssd`"


@dataclass(frozen=True)
class Limits:
    """Which of a photo's boxes are kept."""

    score: float = 0.3
    """least score"""
    within: float = 0.6
    """IoU above which two boxes of one class are the same thing, as in TensorFlow's own settings"""
    across: float = 0.9
    """IoU above which two boxes of different classes are the same thing: one region has one name

    On 428 photos of COCO most pairs above it are one thing with two names, and most below it two things.
    """
    candidates: int = 1000
    """most boxes, best first, among which doubles are sought"""
    detections: int = 100
    """most boxes of a photo"""


@dataclass(frozen=True)
class Detected:
    """What is found in one photo, best first. Boxes are xyxy in pixels of the photo, `labels` ids of COCO."""

    labels: Int[Tensor, "regions"]
    scores: Float[Tensor, "regions"]
    boxes: Float[Tensor, "regions 4"]

    @property
    def names(self) -> tuple[str, ...]:
        """COCO's name of each region's class."""
        return tuple(COCO_CLASSES[label] for label in self.labels.tolist())


def anchors() -> Float[Tensor, "anchors 4"]:
    """(centre x, centre y, width, height) of all anchors, as shares of the photo's sides.

    Maps come finest first, cells of a map row by row, then the anchors of a cell.
    """
    parts = []
    for place, (cells, (scale, larger)) in enumerate(zip(CELLS, pairwise(SCALES), strict=True)):
        shapes = SMALLEST if place == 0 else (*((scale, ratio) for ratio in RATIOS), ((scale * larger) ** 0.5, 1.0))
        sides = torch.tensor([(scale * ratio**0.5, scale / ratio**0.5) for scale, ratio in shapes])
        middle = (torch.arange(cells) + 0.5) / cells
        y, x = torch.meshgrid(middle, middle, indexing="ij")
        centres = torch.stack([x, y], dim=-1).view(-1, 1, 2).expand(-1, len(sides), 2)
        parts.append(torch.cat([centres, sides.expand(len(centres), -1, 2)], dim=2).flatten(0, 1))
    return torch.cat(parts)


def moved(anchors: Float[Tensor, "anchors 4"], moves: Float[Tensor, "*images anchors 4"]) -> Tensor:
    """Boxes xyxy, in the anchors' unit, from moves (y, x, height, width) as TensorFlow orders them."""
    y, x, height, width = moves.unbind(-1)
    centre = anchors[:, :2] + torch.stack([x, y], dim=-1) / CENTRE_UNIT * anchors[:, 2:]
    half = anchors[:, 2:] * (torch.stack([width, height], dim=-1) / SIZE_UNIT).exp() / 2
    return torch.cat([centre - half, centre + half], dim=-1)


class Narrowing(nn.Module):
    """A feature map of half the side: narrow with 1 x 1, filter each channel with stride 2, widen with 1 x 1."""

    def __init__(self, inputs: int, narrow: int, outputs: int):
        super().__init__()
        self.narrow, self.filter, self.out = (
            SameConv(inputs, narrow, 1),
            depthwise(narrow, 2),
            SameConv(narrow, outputs, 1),
        )

    def forward(self, x: Float[Tensor, "images channels h w"]) -> Float[Tensor, "images outputs _ _"]:
        for layer in (self.narrow, self.filter, self.out):
            x = F.relu6(layer(x))
        return x


class Reading(nn.Module):
    """`values` numbers for each of `shapes` anchors in each cell of a map."""

    def __init__(self, inputs: int, shapes: int, values: int):
        super().__init__()
        self.values, self.filter, self.out = values, depthwise(inputs), SameConv(inputs, shapes * values, 1)

    def forward(self, x: Float[Tensor, "images channels h w"]) -> Float[Tensor, "images anchors values"]:
        cells = self.out(F.relu6(self.filter(x))).permute(0, 2, 3, 1)
        return cells.reshape(len(x), cells.shape[1] * cells.shape[2] * (cells.shape[3] // self.values), self.values)


class SsdLite(nn.Module):
    """The detector. Its `trunk` also gives feature maps of whatever images."""

    def __init__(self):
        super().__init__()
        self.trunk = MobileNetV2()
        widths = [LAST, *(out for _, out in EXTRAS)]
        narrow = (narrow for narrow, _ in EXTRAS)
        self.extras = nn.ModuleList(Narrowing(*sizes) for sizes in zip(widths[:-1], narrow, widths[1:], strict=True))
        read = [self.trunk.blocks[EXPANDED].depthwise.in_channels, *widths]
        shapes = [len(SMALLEST), *[len(RATIOS) + 1] * len(widths)]
        self.boxes = nn.ModuleList(Reading(*sizes, 4) for sizes in zip(read, shapes, strict=True))
        self.classes = nn.ModuleList(Reading(*sizes, 1 + IDS) for sizes in zip(read, shapes, strict=True))
        self.register_buffer("anchors", anchors(), persistent=False)
        unused = [label not in COCO_CLASSES for label in range(1, 1 + IDS)]
        self.register_buffer("unused", torch.tensor(unused), persistent=False)

    def forward(
        self, images: Float[Tensor, "images 3 300 300"]
    ) -> tuple[Float[Tensor, "images anchors 4"], Float[Tensor, "images anchors ids"]]:
        """Boxes xyxy as shares of the sides, and scores of the ids from 1, of all anchors; images from -1 to 1."""
        maps = self.trunk(images)
        read = [maps.expanded, maps.last]
        for extra in self.extras:
            read.append(extra(read[-1]))
        moves, logits = (
            torch.cat([head(each) for head, each in zip(heads, read, strict=True)], dim=1)
            for heads in (self.boxes, self.classes)
        )
        return moved(self.anchors, moves), logits[..., 1:].sigmoid().masked_fill(self.unused, 0)

    @torch.no_grad()
    def find(self, photos: Sequence[UInt8[Tensor, "3 _ _"]], limits: Limits = Limits()) -> list[Detected]:
        """What is in each photo, RGB of any size; none depends on those beside it."""
        found = []
        for start in range(0, len(photos), AT_ONCE):
            part = [photo.to(self.anchors.device) for photo in photos[start : start + AT_ONCE]]
            boxes, scores = self(signed(torch.stack([resize_from_corner(photo, SIDE, SIDE) for photo in part])))
            sizes = [(photo.shape[1], photo.shape[2]) for photo in part]
            found += [kept(*of_photo, limits) for of_photo in zip(boxes, scores, sizes, strict=True)]
        return found


def kept(
    boxes: Float[Tensor, "anchors 4"], scores: Float[Tensor, "anchors ids"], size: tuple[int, int], limits: Limits
) -> Detected:
    """The boxes of one photo of `size` (height, width) within `limits`, from boxes as shares of its sides.

    A box without area within the photo is none.
    """
    height, width = size
    row, column = above(scores, limits.score, limits.candidates)
    found, sure = clip(boxes[row] * boxes.new_tensor([width, height, width, height]), size), scores[row, column]
    seen = (found[:, 2:] > found[:, :2]).all(dim=1)
    found, sure, labels = found[seen], sure[seen], column[seen] + 1
    best = without_doubles(found, sure, labels, within=limits.within, across=limits.across)[: limits.detections]
    return Detected(labels[best], sure[best], found[best])


def load_ssd(path: Path) -> SsdLite:
    """The detector with the weights of a safetensors file, in float32 and frozen. DataError if they do not fit."""
    with torch.random.fork_rng(devices=[]):  # making a network seeds PyTorch, which is not a loader's to do
        return filled(SsdLite(), path, AGAIN)
