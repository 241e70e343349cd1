from dataclasses import replace
from functools import cache

import pytest
import torch
from mask_rcnn_names import detectron2, maskrcnn_benchmark
from torch.nn import functional as F
from torchvision.models import resnext101_32x8d, vgg16

from segsg.detection.backbones import BACKBONES
from segsg.detection.detector import DEVIATION, MEAN, Detector
from segsg.detection.pretrained import DETECTRON2, MASKRCNN_BENCHMARK, matched, read_weights, start_from
from segsg.detection.proposals import DetectionNumbers

NUMBERS = DetectionNumbers(60, 60, 40, 20, 64, 32, 0.4, 0.05, 0.5, 10, 8)
PROJECTS = pytest.mark.parametrize("project", [detectron2, maskrcnn_benchmark])
PLACES = """
backbone.stages.2.22.conv3.weight=backbone.bottom_up.res4.22.conv3.weight=backbone.body.layer3.22.conv3.weight
backbone.stages.1.0.bn2.running_var=backbone.bottom_up.res3.0.conv2.norm.running_var=backbone.body.layer2.0.bn2.running_var
backbone.stages.3.0.downsample.0.weight=backbone.bottom_up.res5.0.shortcut.weight=backbone.body.layer4.0.downsample.0.weight
backbone.stages.3.0.downsample.1.bias=backbone.bottom_up.res5.0.shortcut.norm.bias=backbone.body.layer4.0.downsample.1.bias
backbone.stem.bn1.running_mean=backbone.bottom_up.stem.conv1.norm.running_mean=backbone.body.stem.bn1.running_mean
backbone.pyramid.inner_blocks.3.0.bias=backbone.fpn_lateral5.bias=backbone.fpn.fpn_inner4.bias
backbone.pyramid.layer_blocks.0.0.bias=backbone.fpn_output2.bias=backbone.fpn.fpn_layer1.bias
proposals.network.head.conv.0.0.bias=proposal_generator.rpn_head.conv.bias=rpn.head.conv.bias
proposals.network.head.cls_logits.bias=proposal_generator.rpn_head.objectness_logits.bias=rpn.head.cls_logits.bias
proposals.network.head.bbox_pred.bias=proposal_generator.rpn_head.anchor_deltas.bias=rpn.head.bbox_pred.bias
box_head.1.bias=roi_heads.box_head.fc1.bias=roi_heads.box.feature_extractor.fc6.bias
box_head.4.bias=roi_heads.box_head.fc2.bias=roi_heads.box.feature_extractor.fc7.bias
mask_head.layers.0.bias=roi_heads.mask_head.mask_fcn1.bias=roi_heads.mask.feature_extractor.mask_fcn1.bias
mask_head.layers.6.bias=roi_heads.mask_head.mask_fcn4.bias=roi_heads.mask.feature_extractor.mask_fcn4.bias
mask_head.layers.8.bias=roi_heads.mask_head.deconv.bias=roi_heads.mask.predictor.conv5_mask.bias
"""


def on_meta(build):
    with torch.device("meta"):
        return build()


@cache
def paper_detector(mask_classes=80, backbone="resnext101-fpn"):
    return on_meta(lambda: Detector(BACKBONES[backbone], 151, mask_classes, NUMBERS))


def shaped(shapes):
    return on_meta(lambda: {name: torch.empty(shape) for name, shape in shapes.items()})


def every_value_is(module: torch.nn.Module, value: float) -> bool:
    return all((p == value).all() for p in [*module.parameters(), *module.buffers()])


def sevens(classifier):
    shapes = on_meta(lambda: classifier().state_dict())
    return {key: torch.tensor(7.0).expand(value.shape) for key, value in shapes.items()}


def saved(path, weights):
    torch.save(weights, path)
    return str(path)


@pytest.mark.parametrize(("name", "classifier"), [("vgg16", vgg16), ("resnext101-fpn", resnext101_32x8d)])
def test_every_part_that_the_networks_share_is_copied(monkeypatch, name, classifier):
    monkeypatch.setattr("segsg.detection.pretrained.read_weights", lambda source: sevens(classifier))
    detector = Detector(BACKBONES[name], 3, 2, NUMBERS)
    start_from(detector, "w.pth")
    backbone = detector.backbone
    parts = [backbone.layers, *detector.box_head] if name == "vgg16" else [backbone.stem, *backbone.stages]
    assert all(every_value_is(part, 7.0) for part in parts)
    assert not every_value_is(detector.predictors["graph"], 7.0)


def tiny_detector():
    record = replace(BACKBONES["vgg-tiny"], pretrained={"features.": "backbone.layers."})
    return Detector(record, 3, None, NUMBERS)


@pytest.mark.parametrize("value", [torch.full((8,), float("nan")), torch.ones(8, dtype=torch.int64)])
def test_weights_that_are_no_numbers_are_an_error(tmp_path, value):
    detector = tiny_detector()
    weights = {f"features.{name}": value for name, value in detector.backbone.layers.state_dict().items()}
    start_from(detector, saved(tmp_path / "w.pth", weights))
    weights["features.0.1.bias"] = value
    with pytest.raises(ValueError, match=r"w\.pth: the weights of backbone\.layers\.0\.1\.bias are not all finite"):
        start_from(detector, saved(tmp_path / "w.pth", weights))


@PROJECTS
def test_all_tensors_of_mask_rcnn_find_their_place(project):
    detector = paper_detector()
    start = matched(detector, shaped(project()), "w.pkl")
    own = detector.state_dict()
    assert {name: value.shape for name, value in start.matched.items()} == {
        name: value.shape for name, value in own.items() if not name.startswith("predictors.graph.")
    }
    assert len(start.matched) == len(project()) == 562
    assert start.unexpected == []
    assert sorted(start.missing) == sorted(name for name in own if name.startswith("predictors.graph."))


@PROJECTS
def test_a_tensor_keeps_its_stage_its_block_and_its_part(project):
    """Our names of theirs, spelt out for one of each kind: (ours, detectron2's, maskrcnn-benchmark's)."""
    weights = shaped(project())
    start = matched(paper_detector(), weights, "w.pkl")
    for line in PLACES.split():
        ours, *theirs = line.split("=")
        assert start.matched[ours] is weights[theirs[project is maskrcnn_benchmark]]


def test_names_of_a_network_that_several_processes_trained_fit_too():
    weights = {f"module.{name}": value for name, value in shaped(maskrcnn_benchmark()).items()}
    assert len(matched(paper_detector(), weights, "w.pth").matched) == 562


def change(rules, ours):
    return next(rule.change for rule in rules if rule.ours == ours)


@pytest.mark.parametrize(("rules", "divided"), [(DETECTRON2, True), (MASKRCNN_BENCHMARK, False)])
def test_the_first_convolution_sees_in_rgb_what_it_saw_in_bgr(rules, divided):
    torch.manual_seed(0)
    kernels, pixels = torch.randn(4, 3, 7, 7, dtype=torch.float64), torch.rand(1, 3, 9, 9, dtype=torch.float64) * 255
    mean = torch.tensor(MEAN, dtype=torch.float64).view(3, 1, 1)
    deviation = torch.tensor(DEVIATION, dtype=torch.float64).view(3, 1, 1)
    theirs = ((pixels - mean) / (deviation if divided else 1)).flip(1)
    ours = change(rules, "backbone.stem.conv1.weight")(kernels)
    torch.testing.assert_close(F.conv2d((pixels - mean) / deviation, ours), F.conv2d(theirs, kernels))


def test_background_is_first_in_all_that_has_a_row_of_each_class():
    classes, boxes = torch.arange(3.0), torch.arange(1.0, 9.0)
    assert change(DETECTRON2, "predictors.mask.classes.{part}")(classes).tolist() == [2, 0, 1]
    assert change(DETECTRON2, "predictors.mask.boxes.{part}")(boxes).tolist() == [0, 0, 0, 0, *range(1, 9)]
    assert change(DETECTRON2, "mask_head.logits.{part}")(classes).tolist() == [0, 1, 2]
    assert change(MASKRCNN_BENCHMARK, "predictors.mask.classes.{part}")(classes).tolist() == [0, 1, 2]
    assert change(MASKRCNN_BENCHMARK, "predictors.mask.boxes.{part}")(boxes).tolist() == list(range(1, 9))
    assert change(MASKRCNN_BENCHMARK, "mask_head.logits.{part}")(classes).tolist() == [1, 2]


@PROJECTS
def test_a_detector_without_masks_or_of_other_mask_classes_takes_all_the_rest(project):
    plain = matched(paper_detector(None), shaped(project()), "w.pkl")
    other = matched(paper_detector(5), shaped(project()), "w.pkl")
    assert len(plain.unexpected) == 16
    assert all("mask" in name or "predictor" in name for name in plain.unexpected)
    assert len(other.unexpected) == 6
    assert {name.rpartition(".")[0] for name in other.missing if "graph" not in name} == {
        "predictors.mask.classes", "predictors.mask.boxes", "mask_head.logits",
    }  # fmt: skip


def test_what_fits_and_what_does_not_is_said_in_three_lines():
    weights = shaped(detectron2() | {"roi_heads.relation.weight": (3,), "iteration": (1,)})
    assert str(matched(paper_detector(), weights, "w.pkl")).splitlines() == [
        "w.pkl: 562 tensors of the detector start from it",
        "missing, start anew: predictors.graph.classes, predictors.graph.boxes",
        "unexpected: roi_heads.relation, iteration",
    ]
    lines = str(matched(paper_detector(), shaped_classifier(resnext101_32x8d), "w.pth")).splitlines()
    assert lines[1].endswith(", and 17 more")
    assert lines[2] == "unexpected: fc"


def shaped_classifier(classifier):
    return on_meta(lambda: classifier().state_dict())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"roi_heads.box_head.fc1.weight": (4096, 12544)}, r"fc1\.weight has shape \[4096, 12544\], and .* \[1024, 12"),
        ({"backbone.bottom_up.stem.conv1.weight": (64, 1, 7, 7)}, r"has shape \[64, 1, 7, 7\]"),
        ({"backbone.bottom_up.stem.conv1.weight": ()}, r"has shape \[\]"),
        ({"backbone.bottom_up.res4.7.conv1.weight": None}, r"lack backbone\.stages\.2\.7\.conv1\.weight"),
    ],
)
def test_weights_of_another_network_are_an_error(changes, says):
    shapes = {name: shape for name, shape in (detectron2() | changes).items() if shape is not None}
    with pytest.raises(ValueError, match=rf"^w\.pkl: .*{says}"):
        matched(paper_detector(), shaped(shapes), "w.pkl")


def test_weights_none_of_which_fit_are_an_error():
    with pytest.raises(ValueError, match=r"^w: none of its 1 tensors is named as in torchvision's network of the same"):
        matched(paper_detector(backbone="vgg-tiny"), {"features.0.weight": torch.zeros(1)}, "w")
    with pytest.raises(ValueError, match=r"^w: none of its 2 tensors"):
        matched(tiny_detector(), {"conv1.weight": torch.zeros(1), "features.x": torch.zeros(1)}, "w")
    with pytest.raises(ValueError, match=r"^w: .* has shape .* of the same kind and size"):
        matched(paper_detector(backbone="vgg16"), shaped(detectron2()), "w")


def test_weights_come_from_a_file_or_by_name(tmp_path):
    assert read_weights(saved(tmp_path / "w.pth", {"a": torch.ones(2)}))["a"].tolist() == [1, 1]
    inside = saved(tmp_path / "m.pth", {"model": {"a": torch.ones(2)}, "iteration": 3})
    assert read_weights(inside)["a"].tolist() == [1, 1]
    with pytest.raises(ValueError, match="neither a file nor weights"):
        read_weights("VGG17_Weights.BEST")


@pytest.mark.parametrize(
    "content", [[1], {"model": 3}, {}, {"epoch": 3}, {3: torch.ones(2)}, {"a": torch.ones(2).to_sparse()}]
)
def test_a_file_without_tensors_by_name_is_an_error(tmp_path, content):
    with pytest.raises(ValueError, match=r"w\.pth: file: has no tensors by name"):
        read_weights(saved(tmp_path / "w.pth", content))


def test_a_damaged_file_is_one_line(tmp_path):
    path = tmp_path / "w.pth"
    saved(path, {"a": torch.ones(200)})
    for content in (path.read_bytes()[:300], b"", b"no weights"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"w\.pth: file: is not a whole file of tensors") as error:
            read_weights(str(path))
        assert "\n" not in str(error.value)
