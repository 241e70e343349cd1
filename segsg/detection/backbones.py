"""Feature extractors of the two families in the paper, at its size and at sizes that a processor can train.

A backbone maps normalised images to a list of feature maps, finest first. Its record says what a detector on top of
it needs to know: strides, anchors, widths of the heads. Numbers of the paper-size pair are those of the released
code; `mini` and `tiny` keep the architecture and shrink it to photos of about 160 pixels.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models import resnext101_32x8d, vgg16
from torchvision.models.resnet import Bottleneck
from torchvision.ops import Conv2dNormActivation, FeaturePyramidNetwork, FrozenBatchNorm2d

from segsg.detection.norm import BatchNorm

PAPER_ANCHORS = (32, 64, 128, 256, 512)


@dataclass(frozen=True)
class Backbone:
    """A kind of backbone, and what a detector on top of it looks like."""

    build: Callable[[], nn.Module]
    strides: tuple[int, ...]
    """pixels per cell of each level, finest first"""
    channels: int
    anchors: tuple[tuple[int, ...], ...]
    """sides in pixels of the anchors of each level; rows beyond the levels are for ever coarser copies of the last"""
    dense: int
    """width of the two dense layers of the box head"""
    dropout: float
    mask_width: int
    mask_convolutions: int
    cells: int
    """regions of fewer than twice as many cells are cropped from the finest level"""
    class_boxes: bool
    """one box regression per class (as in the paper) or one for all"""
    mask_boxes: Literal["proposals", "jittered"]
    """boxes on which the mask head trains: foreground proposals (as in the paper) or jittered true boxes (cheaper)"""
    pretrained: dict[str, str] = field(default_factory=dict)
    """where torchvision's classifier of the same kind keeps a part -> where the detector keeps it"""


class Vgg(nn.Module):
    """A plain stack of convolutions: one level."""

    def __init__(self, layers: nn.Module):
        super().__init__()
        self.layers = layers

    def forward(self, images: Float[Tensor, "images 3 h w"]) -> list[Tensor]:
        return [self.layers(images)]


class ResNeXtFpn(nn.Module):
    """Stages of grouped residual blocks under a feature pyramid: one level per stage."""

    def __init__(self, stem: nn.Module, stages: list[nn.Module], widths: tuple[int, ...], channels: int):
        super().__init__()
        self.stem = stem
        self.stages = nn.ModuleList(stages)
        self.pyramid = FeaturePyramidNetwork(list(widths), channels)

    def forward(self, images: Float[Tensor, "images 3 h w"]) -> list[Tensor]:
        outputs, x = OrderedDict(), self.stem(images)
        for i, stage in enumerate(self.stages):
            x = outputs[str(i)] = stage(x)
        return list(self.pyramid(outputs).values())


def vgg16_backbone() -> Vgg:
    """VGG-16 without its last pooling: stride 16, 512 channels."""
    return Vgg(vgg16(weights=None).features[:-1])


def resnext101_fpn() -> ResNeXtFpn:
    """ResNeXt-101 32x8d with a pyramid P2-P5 of 256 channels; its norms, stem and first stage never change."""
    net = resnext101_32x8d(weights=None, norm_layer=FrozenBatchNorm2d)
    stem = nn.Sequential(OrderedDict(conv1=net.conv1, bn1=net.bn1, relu=net.relu, maxpool=net.maxpool))
    stem.requires_grad_(False)
    net.layer1.requires_grad_(False)
    stages = [net.layer1, net.layer2, net.layer3, net.layer4]
    return ResNeXtFpn(stem, stages, (256, 512, 1024, 2048), 256)


def normed(inside: int, outside: int, *size: int, **options) -> Conv2dNormActivation:
    """A convolution with batch norm and, unless told otherwise, a rectifier."""
    return Conv2dNormActivation(inside, outside, *size, norm_layer=BatchNorm, **options)


def small_vgg(width: int) -> Vgg:
    """Pairs of convolutions of `width`, 2, 4 and 6 `width` channels with batch norm: stride 8."""
    pairs = [(3, width, 2), (width, 2 * width, 1), (2 * width, 4 * width, 1), (4 * width, 6 * width, 1)]
    layers: list[nn.Module] = []
    for i, (inside, outside, stride) in enumerate(pairs):
        layers += [nn.MaxPool2d(2)] if i in (1, 2) else []
        layers += [normed(inside, outside, stride=stride), normed(outside, outside)]
    return Vgg(nn.Sequential(*layers))


def small_resnext_fpn(stem: int, widths: tuple[int, int, int], blocks: int, channels: int) -> ResNeXtFpn:
    """A stem of `stem` and twice as many channels, three stages of `blocks` blocks in 8 groups: strides 4, 8, 16.

    `widths`, the channels of the stages, are multiples of 16.
    """
    head = nn.Sequential(normed(3, stem, stride=2), normed(stem, 2 * stem, stride=2))
    inputs = (2 * stem, *widths)
    stages = [_stage(*of_stage, blocks) for of_stage in zip(inputs, widths, (1, 2, 2), strict=False)]
    return ResNeXtFpn(head, stages, widths, channels)


def _stage(inside: int, outside: int, stride: int, blocks: int) -> nn.Sequential:
    planes = outside // Bottleneck.expansion
    shortcut = normed(inside, outside, 1, stride=stride, activation_layer=None)
    # base_width 16 makes the grouped convolution half as wide as the block.
    block = partial(Bottleneck, groups=8, base_width=16, norm_layer=BatchNorm)
    return nn.Sequential(block(inside, planes, stride, shortcut), *(block(outside, planes) for _ in range(blocks - 1)))


VGG16 = Backbone(
    build=vgg16_backbone,
    strides=(16,),
    channels=512,
    anchors=(PAPER_ANCHORS,),
    dense=4096,
    dropout=0.5,
    mask_width=256,
    mask_convolutions=4,
    cells=14,
    class_boxes=True,
    mask_boxes="proposals",
    pretrained={"features.": "backbone.layers.", "classifier.0.": "box_head.1.", "classifier.3.": "box_head.4."},
)
RESNEXT101_FPN = Backbone(
    build=resnext101_fpn,
    strides=(4, 8, 16, 32),
    channels=256,
    anchors=tuple((side,) for side in PAPER_ANCHORS),
    dense=1024,
    dropout=0.0,
    mask_width=256,
    mask_convolutions=4,
    cells=14,
    class_boxes=True,
    mask_boxes="proposals",
    pretrained={
        "conv1.": "backbone.stem.conv1.",
        "bn1.": "backbone.stem.bn1.",
        **{f"layer{i + 1}.": f"backbone.stages.{i}." for i in range(4)},
    },
)
VGG_MINI = Backbone(
    build=lambda: small_vgg(24),
    strides=(8,),
    channels=144,
    anchors=((12, 20, 32, 52, 84),),
    dense=256,
    dropout=0.0,
    mask_width=64,
    mask_convolutions=3,
    cells=8,
    class_boxes=False,
    mask_boxes="jittered",
)
RESNEXT_MINI_FPN = Backbone(
    build=lambda: small_resnext_fpn(24, (96, 160, 256), 2, 64),
    strides=(4, 8, 16),
    channels=64,
    anchors=((12,), (24,), (48,), (96,)),
    dense=256,
    dropout=0.0,
    mask_width=64,
    mask_convolutions=3,
    cells=8,
    class_boxes=False,
    mask_boxes="jittered",
)
VGG_TINY = replace(VGG_MINI, build=lambda: small_vgg(8), channels=48, dense=64, mask_width=16, mask_convolutions=1)
RESNEXT_TINY_FPN = replace(
    RESNEXT_MINI_FPN,
    build=lambda: small_resnext_fpn(8, (32, 48, 64), 1, 32),
    channels=32,
    dense=64,
    mask_width=16,
    mask_convolutions=1,
)
BACKBONES = {
    "vgg16": VGG16,
    "resnext101-fpn": RESNEXT101_FPN,
    "vgg-mini": VGG_MINI,
    "resnext-mini-fpn": RESNEXT_MINI_FPN,
    "vgg-tiny": VGG_TINY,
    "resnext-tiny-fpn": RESNEXT_TINY_FPN,
}
