import pytest
import torch
from torch import nn

from segsg.detection.backbones import BACKBONES
from segsg.detection.heads import MaskHead, box_head

SMALL = ["vgg-mini", "resnext-mini-fpn", "vgg-tiny", "resnext-tiny-fpn"]


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def built_on_meta(name: str) -> nn.Module:
    with torch.device("meta"):
        return BACKBONES[name].build()


@pytest.mark.parametrize("name", BACKBONES)
def test_levels_have_the_strides_and_channels_of_the_record(name):
    record = BACKBONES[name]
    levels = built_on_meta(name)(torch.zeros(2, 3, 128, 192, device="meta"))
    shapes = [(2, record.channels, 128 // stride, 192 // stride) for stride in record.strides]
    assert [tuple(level.shape) for level in levels] == shapes


def test_vgg16_is_the_published_network():
    backbone = built_on_meta("vgg16")
    assert parameters(backbone) == 14_714_688
    assert all(p.requires_grad for p in backbone.parameters())
    with torch.device("meta"):
        dense = box_head(512, 4096, 0.5)
    assert parameters(dense) == 25088 * 4096 + 4096 + 4096 * 4096 + 4096
    assert sum(len(row) for row in BACKBONES["vgg16"].anchors) * 3 == 15


def test_resnext101_is_the_published_network():
    backbone = built_on_meta("resnext101-fpn")
    norms = sum(b.numel() for name, b in backbone.named_buffers() if name.endswith(("weight", "bias")))
    pyramid = sum(c * 256 + 256 for c in (256, 512, 1024, 2048)) + 4 * (256 * 256 * 9 + 256)
    assert parameters(backbone) - pyramid + norms == 88_791_336 - 2049 * 1000
    assert not any(isinstance(m, nn.BatchNorm2d) for m in backbone.modules())
    assert len(BACKBONES["resnext101-fpn"].anchors) == 5


def test_stem_and_first_stage_of_resnext101_never_change():
    backbone = built_on_meta("resnext101-fpn")
    still = [*backbone.stem.parameters(), *backbone.stages[0].parameters()]
    assert still and not any(p.requires_grad for p in still)
    assert all(p.requires_grad for p in [*backbone.stages[1].parameters(), *backbone.pyramid.parameters()])


def test_the_mask_head_of_the_paper():
    with torch.device("meta"):
        head = MaskHead(256, 256, 4, 80)
    assert head(torch.zeros(3, 256, 14, 14, device="meta")).shape == (3, 80, 28, 28)
    assert parameters(head) == 4 * (256 * 256 * 9 + 256) + (256 * 256 * 4 + 256) + (256 * 80 + 80)


@pytest.mark.parametrize("name", SMALL)
def test_small_backbones_learn_everywhere(name):
    backbone = BACKBONES[name].build()
    sum(level.square().mean() for level in backbone(torch.randn(2, 3, 64, 64))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in backbone.parameters())
