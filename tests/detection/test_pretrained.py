from dataclasses import replace

import pytest
import torch
from torchvision.models import resnext101_32x8d, vgg16

from segsg.detection.backbones import BACKBONES
from segsg.detection.detector import Detector, read_weights, start_from
from segsg.detection.proposals import DetectionNumbers

NUMBERS = DetectionNumbers(60, 60, 40, 20, 64, 32, 0.4, 0.05, 0.5, 10, 8)


def on_meta(build):
    with torch.device("meta"):
        return build()


def every_value_is(module: torch.nn.Module, value: float) -> bool:
    return all((p == value).all() for p in [*module.parameters(), *module.buffers()])


@pytest.mark.parametrize(("name", "classifier"), [("vgg16", vgg16), ("resnext101-fpn", resnext101_32x8d)])
def test_every_part_that_the_networks_share_is_copied(name, classifier):
    shapes = on_meta(lambda: classifier().state_dict())
    weights = {key: torch.tensor(7.0).expand(value.shape) for key, value in shapes.items()}
    detector = Detector(BACKBONES[name], 3, 2, NUMBERS)
    start_from(detector, weights)
    backbone = detector.backbone
    parts = [backbone.layers, *detector.box_head] if name == "vgg16" else [backbone.stem, *backbone.stages]
    assert all(every_value_is(part, 7.0) for part in parts)
    assert not every_value_is(detector.predictors["graph"], 7.0)


def test_weights_that_are_no_numbers_are_an_error():
    weights = on_meta(lambda: vgg16().state_dict())
    weights = {key: torch.tensor(7.0).expand(value.shape) for key, value in weights.items()}
    weights["classifier.3.weight"] = torch.tensor(float("nan")).expand(weights["classifier.3.weight"].shape)
    with pytest.raises(ValueError, match=r"box_head\.4\.weight are not all finite"):
        start_from(Detector(BACKBONES["vgg16"], 3, 2, NUMBERS), weights)


def test_weights_of_another_network_are_an_error():
    detector = Detector(BACKBONES["vgg-tiny"], 3, None, NUMBERS)
    with pytest.raises(ValueError, match="same kind"):
        start_from(detector, {"features.0.weight": torch.zeros(1)})
    known = replace(detector.record, pretrained={"features.": "backbone.layers."})
    detector.record = known
    with pytest.raises(ValueError, match=r"lack backbone\.layers"):
        start_from(detector, {"conv1.weight": torch.zeros(1)})


def test_weights_come_from_a_file_or_by_name(tmp_path):
    torch.save({"a": torch.ones(2)}, tmp_path / "w.pth")
    assert read_weights(str(tmp_path / "w.pth"))["a"].tolist() == [1, 1]
    with pytest.raises(ValueError, match="neither a file nor weights"):
        read_weights("VGG17_Weights.BEST")
