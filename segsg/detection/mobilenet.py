"""MobileNetV2 (Sandler et al. 2018) as a trunk of feature maps, with its batch norms folded into the convolutions.

Convolutions pad as TensorFlow's "SAME" does, so that TensorFlow's weights give the same numbers.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

BLOCKS = (
    (16, 1, 1),
    (24, 2, 6),
    (24, 1, 6),
    (32, 2, 6),
    *[(32, 1, 6)] * 2,
    (64, 2, 6),
    *[(64, 1, 6)] * 3,
    *[(96, 1, 6)] * 3,
    (160, 2, 6),
    *[(160, 1, 6)] * 2,
    (320, 1, 6),
)
"""(channels, stride, expansion) of each inverted residual; table 2 of the paper"""
STEM, LAST = 32, 1280
"""channels of the first and of the last convolution"""
KEPT = (0, 2, 5, 12, 16)
"""the last block of each stride"""
CHANNELS, STRIDES = (16, 24, 32, 96, 320), (2, 4, 8, 16, 32)
"""of the feature maps that the blocks `KEPT` give"""
EARLY = KEPT[1] + 1
"""blocks up to the second level"""
EXPANDED = 13
"""the block whose expanded channels a detector reads"""


class SameConv(nn.Conv2d):
    """A convolution whose output has ceil(n / stride) cells along a side; an odd zero of padding goes to the end."""

    def __init__(self, inputs: int, outputs: int, side: int, *, stride: int = 1, groups: int = 1):
        super().__init__(inputs, outputs, side, stride=stride, groups=groups)

    def forward(self, x: Float[Tensor, "images channels h w"]) -> Float[Tensor, "images outputs _ _"]:
        (side, _), (stride, _) = self.kernel_size, self.stride
        rows, columns = (max((-(-n // stride) - 1) * stride + side - n, 0) for n in x.shape[2:])
        if rows or columns:
            x = F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
        return super().forward(x)


def depthwise(channels: int, stride: int = 1) -> SameConv:
    """A 3 x 3 convolution of each channel by itself."""
    return SameConv(channels, channels, 3, stride=stride, groups=channels)


class InvertedResidual(nn.Module):
    """Widen with 1 x 1, filter each channel, narrow with 1 x 1; the input is added where shapes allow it."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, expansion: int):
        super().__init__()
        inner = inputs * expansion
        self.expand = SameConv(inputs, inner, 1) if expansion > 1 else None
        self.depthwise, self.project = depthwise(inner, stride), SameConv(inner, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def widened(self, x: Float[Tensor, "images channels h w"]) -> Float[Tensor, "images inner h w"]:
        """The channels that are filtered."""
        return x if self.expand is None else F.relu6(self.expand(x))

    def narrowed(
        self, x: Float[Tensor, "images channels h w"], inner: Float[Tensor, "images inner h w"]
    ) -> Float[Tensor, "images outputs _ _"]:
        """The block's output from its input and what `widened` made of that."""
        out = self.project(F.relu6(self.depthwise(inner)))
        return x + out if self.residual else out

    def forward(self, x: Float[Tensor, "images channels h w"]) -> Float[Tensor, "images outputs _ _"]:
        return self.narrowed(x, self.widened(x))


@dataclass(frozen=True)
class Maps:
    """Feature maps of a trunk: `levels` have `CHANNELS` at `STRIDES`; `expanded` and `last` are a detector's."""

    levels: list[Float[Tensor, "images _ _ _"]]
    expanded: Float[Tensor, "images 576 _ _"]
    last: Float[Tensor, "images 1280 _ _"]


class MobileNetV2(nn.Module):
    """The trunk without its classifier. Images are RGB from -1 to 1, of any height and width."""

    def __init__(self):
        super().__init__()
        self.stem = SameConv(3, STEM, 3, stride=2)
        inputs = [STEM, *(channels for channels, _, _ in BLOCKS)]
        self.blocks = nn.ModuleList(
            InvertedResidual(before, channels, stride=stride, expansion=expansion)
            for before, (channels, stride, expansion) in zip(inputs[:-1], BLOCKS, strict=True)
        )
        self.last = SameConv(inputs[-1], LAST, 1)

    def forward(self, images: Float[Tensor, "images 3 h w"]) -> Maps:
        """All feature maps."""
        x, levels = F.relu6(self.stem(images)), []
        for place, block in enumerate(self.blocks):
            inner = block.widened(x)
            x = block.narrowed(x, inner)
            if place == EXPANDED:
                expanded = inner
            if place in KEPT:
                levels.append(x)
        return Maps(levels, expanded, F.relu6(self.last(x)))


class EarlyBlocks(nn.Module):
    """The first `EARLY` blocks of a trunk, for who needs no more of it; they are the trunk's own, not copies."""

    def __init__(self, trunk: MobileNetV2):
        super().__init__()
        self.stem, self.blocks = trunk.stem, nn.ModuleList(trunk.blocks[:EARLY])

    def forward(self, images: Float[Tensor, "images 3 h w"]) -> list[Float[Tensor, "images _ _ _"]]:
        """The two finest levels."""
        x, levels = F.relu6(self.stem(images)), []
        for place, block in enumerate(self.blocks):
            x = block(x)
            if place in KEPT:
                levels.append(x)
        return levels


def signed(pixels: Tensor) -> Tensor:
    """Values from 0 to 255 as values from -1 to 1."""
    return pixels.to(torch.float32) * (2 / 255) - 1
