"""The second stage of the detector: what is in a box, how to move the box onto it, and the mask inside."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torchvision.ops import batched_nms

from segsg.detection.proposals import BOX_CODER, Samples
from segsg.kernels.boxes import clip
from segsg.kernels.masks import crop
from segsg.structures import MASK_SIDE, Batch, Mean, image_index

BOX_SIDE = 7
"""cells along a side of the crop that the box head reads"""


def box_head(channels: int, dense: int, dropout: float) -> nn.Sequential:
    """[regions, channels, 7, 7] -> [regions, dense]: two dense layers, shared by all predictors."""
    first, second = nn.Linear(channels * BOX_SIDE**2, dense), nn.Linear(dense, dense)
    return nn.Sequential(nn.Flatten(), first, nn.ReLU(), nn.Dropout(dropout), second, nn.ReLU(), nn.Dropout(dropout))


class BoxPredictor(nn.Module):
    """Class logits and box deltas of a region; `classes` counts background. Answers are float32."""

    def __init__(self, dense: int, classes: int, class_boxes: bool):
        super().__init__()
        self.classes = nn.Linear(dense, classes)
        self.boxes = nn.Linear(dense, 4 * (classes if class_boxes else 1))
        nn.init.normal_(self.classes.weight, std=0.01)
        nn.init.normal_(self.boxes.weight, std=0.001)
        nn.init.zeros_(self.classes.bias)
        nn.init.zeros_(self.boxes.bias)

    def forward(
        self, features: Float[Tensor, "regions dense"]
    ) -> tuple[Float[Tensor, "regions classes"], Float[Tensor, "regions classes 4"]]:
        """Deltas have as many rows per region as classes; where all classes share a regression the rows are equal."""
        logits = self.classes(features).float()
        deltas = self.boxes(features).float().unflatten(1, (-1, 4))
        return logits, deltas.expand(-1, logits.shape[1], -1)


def box_losses(
    logits: Float[Tensor, "regions classes"], deltas: Float[Tensor, "regions classes 4"], samples: Samples
) -> dict[str, Mean]:
    """Cross-entropy of the class and L1 of the true class's deltas, both per sampled proposal."""
    positive = (samples.labels > 0).nonzero()[:, 0]
    moved = deltas[positive, samples.labels[positive]]
    distance = F.l1_loss(moved, samples.deltas[positive], reduction="sum")
    return {
        "class": Mean(F.cross_entropy(logits, samples.labels, reduction="sum"), len(logits)),
        "box": Mean(distance, len(logits)),
    }


class Detections(nn.Module):
    """From the box head's answers on an image's proposals to detections."""

    def __init__(self, score_threshold: float, nms_threshold: float, detections: int):
        super().__init__()
        self.score_threshold = score_threshold
        self.nms_threshold = nms_threshold
        self.detections = detections

    def forward(
        self,
        probabilities: Float[Tensor, "regions classes"],
        deltas: Float[Tensor, "regions classes 4"],
        proposals: Float[Tensor, "regions 4"],
        size: tuple[int, int],
    ) -> tuple[Float[Tensor, "detections 4"], Int[Tensor, "detections"], Int[Tensor, "detections"]]:
        """(boxes, labels, index of the proposal) of the detections of one image of `size`, best first.

        Every class of every proposal is a candidate; those above the score threshold go through NMS per class.
        """
        source, label = (probabilities[:, 1:] > self.score_threshold).nonzero(as_tuple=True)
        label = label + 1
        boxes = clip(BOX_CODER.decode_single(deltas[source, label], proposals[source]).view(-1, 4), size)
        solid = (boxes[:, 2:] > boxes[:, :2]).all(1)
        source, label, boxes = source[solid], label[solid], boxes[solid]
        kept = batched_nms(boxes, probabilities[source, label], label, self.nms_threshold)[: self.detections]
        return boxes[kept], label[kept], source[kept]


def one_per_proposal(source: Int[Tensor, "detections"]) -> Int[Tensor, "regions"]:
    """Indices of the first, hence best, detection of each proposal.

    A thing is one region of a scene graph, whatever the number of classes that the detector considers for it.
    """
    same = source[:, None] == source[None, :]
    return (~same.tril(-1).any(1)).nonzero()[:, 0]


CROP_SIDE = 14

MaskBoxes = Callable[[Batch, Samples, list[Generator]], tuple[Tensor, Tensor, Tensor]]
"""(boxes, image, truth) to train masks on: `truth` is the index of the region within its image; each image is drawn
from its generator"""


class MaskHead(nn.Module):
    """[regions, channels, 14, 14] -> float32 mask logits [regions, mask_classes, 28, 28]."""

    def __init__(self, channels: int, width: int, convolutions: int, mask_classes: int):
        super().__init__()
        layers: list[nn.Module] = []
        for i in range(convolutions):
            layers += [nn.Conv2d(channels if i == 0 else width, width, 3, padding=1), nn.ReLU()]
        inside = width if convolutions else channels
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(inside, width, 2, 2), nn.ReLU())
        self.logits = nn.Conv2d(width, mask_classes, 1)
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def forward(self, crops: Float[Tensor, "regions channels 14 14"]) -> Float[Tensor, "regions mask_classes 28 28"]:
        return self.logits(self.layers(crops)).float()


def foreground_proposals(batch: Batch, samples: Samples, generators: list[Generator]) -> tuple[Tensor, Tensor, Tensor]:
    """The sampled proposals that lie on a region, as in Mask R-CNN."""
    positive = samples.labels > 0
    return samples.boxes[positive], samples.image[positive], samples.truth[positive]


def jittered_boxes(batch: Batch, samples: Samples, generators: list[Generator]) -> tuple[Tensor, Tensor, Tensor]:
    """Each true box once, its edges moved by 6 % of its size (at most 12 %): fewer crops than proposals."""
    moved = [jitter(*of_image) for of_image in zip(batch.boxes, batch.sizes, generators, strict=True)]
    device = samples.image.device
    image = image_index([len(boxes) for boxes in moved], device)
    return torch.cat(moved), image, torch.cat([torch.arange(len(boxes), device=device) for boxes in moved])


def jitter(boxes: Tensor, size: tuple[int, int], generator: Generator) -> Tensor:
    extent = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    shift = 0.06 * torch.randn(boxes.shape, generator=generator, device=boxes.device)
    return clip(boxes + extent * shift.clamp(-0.12, 0.12), size)


MASK_BOXES: dict[str, MaskBoxes] = {"proposals": foreground_proposals, "jittered": jittered_boxes}


def mask_targets(batch: Batch, boxes: Tensor, image: Tensor, truth: Tensor) -> Float[Tensor, "regions 28 28"]:
    """The true masks, 0 or 1, in the frames of `boxes`."""
    with torch.autocast(boxes.device.type, enabled=False):
        parts = [crop(m[truth[image == i]], boxes[image == i], MASK_SIDE) for i, m in enumerate(batch.masks)]
    return torch.cat(parts)


def mask_loss(
    logits: Float[Tensor, "regions mask_classes 28 28"],
    channel: Tensor,
    targets: Float[Tensor, "regions 28 28"],
) -> Mean:
    """Binary cross-entropy of the one channel of each region's class (0-based mask class), eq. 10."""
    chosen = logits[torch.arange(len(logits), device=logits.device), channel]
    return Mean(F.binary_cross_entropy_with_logits(chosen, targets, reduction="sum"), targets.numel())
