import pytest
import torch
from torch import nn
from torch.testing import assert_close
from torchvision.models import mobilenet_v2

from segsg.detection.mobilenet import CHANNELS, STRIDES, EarlyBlocks, MobileNetV2, SameConv, signed


@pytest.fixture(scope="module")
def trunk() -> MobileNetV2:
    torch.manual_seed(0)
    return MobileNetV2().eval().requires_grad_(False)


def layers(of_torchvision: nn.Module) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Each convolution and the norm behind it, in order."""
    found = [module for module in of_torchvision.modules() if isinstance(module, (nn.Conv2d, nn.BatchNorm2d))]
    return list(zip(found[::2], found[1::2], strict=True))


def test_equals_torchvisions_network(trunk):
    """Where sides are 2^k + 1, both pad alike. Norms there only add what is a bias here."""
    theirs = mobilenet_v2(weights=None).features.eval()
    ours = [module for module in trunk.modules() if isinstance(module, SameConv)]
    for mine, (convolution, norm) in zip(ours, layers(theirs), strict=True):
        convolution.weight.data.copy_(mine.weight)
        norm.bias.data.copy_(mine.bias)
        norm.running_var.fill_(1 - norm.eps)
    images = torch.rand(2, 3, 65, 97, generator=torch.Generator().manual_seed(1)) * 2 - 1
    maps, x = trunk(images), images
    kept = []
    with torch.no_grad():
        for place, layer in enumerate(theirs):
            x = layer(x)
            if place in (1, 3, 6, 13, 17):
                kept.append(x)
    assert_close(maps.last, x)
    for level, expected in zip(maps.levels, kept, strict=True):
        assert_close(level, expected)


def test_levels_have_the_channels_and_strides_that_are_told(trunk):
    maps = trunk(torch.zeros(1, 3, 64, 96))
    assert [tuple(level.shape) for level in maps.levels] == [
        (1, channels, 64 // stride, 96 // stride) for channels, stride in zip(CHANNELS, STRIDES, strict=True)
    ]
    assert (maps.expanded.shape[1:], maps.last.shape[1:]) == ((576, 4, 6), (1280, 2, 3))


def test_early_levels_are_the_finest(trunk):
    images = torch.rand(1, 3, 50, 30)
    for early, level in zip(EarlyBlocks(trunk)(images), trunk(images).levels, strict=False):
        assert torch.equal(early, level)


@pytest.mark.parametrize(
    ("row", "stride", "expected"),
    [
        ([1, 2, 3, 4], 2, [1 + 2 + 3, 3 + 4]),
        ([1, 2, 3, 4, 5], 2, [1 + 2, 2 + 3 + 4, 4 + 5]),
        ([1, 2, 3], 1, [1 + 2, 1 + 2 + 3, 2 + 3]),
        ([7], 2, [7]),
    ],
)
def test_padding_goes_to_the_end_first(row, stride, expected):
    layer = SameConv(1, 1, 3, stride=stride)
    layer.weight.data = torch.tensor([[[[0.0, 0, 0], [1, 1, 1], [0, 0, 0]]]])
    layer.bias.data.zero_()
    assert layer(torch.tensor([[[row]]], dtype=torch.float32))[0, 0, 0].tolist() == expected


def test_no_image(trunk):
    assert trunk(torch.zeros(0, 3, 64, 64)).last.shape == (0, 1280, 2, 2)


def test_bytes_become_signed():
    assert signed(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1, 1]
