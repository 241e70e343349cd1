"""The mask branch of the joint detector: one channel per mask class, 28 x 28 cells in the frame of a box."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from segsg.detection.proposals import Samples
from segsg.detection.regions import image_index
from segsg.kernels.boxes import clip
from segsg.kernels.masks import crop
from segsg.structures import Batch

CROP_SIDE = 14
MASK_SIDE = 28
MaskBoxes = Callable[[Batch, Samples], tuple[Tensor, Tensor, Tensor]]
"""(boxes, image, truth) to train masks on: `truth` is the index of the region within its image"""


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


def foreground_proposals(batch: Batch, samples: Samples) -> tuple[Tensor, Tensor, Tensor]:
    """The sampled proposals that lie on a region, as in Mask R-CNN."""
    positive = samples.labels > 0
    return samples.boxes[positive], samples.image[positive], samples.truth[positive]


def jittered_boxes(batch: Batch, samples: Samples) -> tuple[Tensor, Tensor, Tensor]:
    """Each true box once, its edges moved by 6 % of its size (at most 12 %): fewer crops than proposals."""
    moved = [_jitter(boxes, size) for boxes, size in zip(batch.boxes, batch.sizes, strict=True)]
    device = samples.image.device
    image = image_index([len(boxes) for boxes in moved], device)
    return torch.cat(moved), image, torch.cat([torch.arange(len(boxes), device=device) for boxes in moved])


def _jitter(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    extent = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    return clip(boxes + extent * (0.06 * torch.randn_like(boxes)).clamp(-0.12, 0.12), size)


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
) -> Tensor:
    """Binary cross-entropy of the one channel of each region's class (0-based mask class), eq. 10."""
    chosen = logits[torch.arange(len(logits), device=logits.device), channel]
    return F.binary_cross_entropy_with_logits(chosen, targets, reduction="sum") / max(1, targets.numel())
