"""torchvision's detectors as finders, with random weights from a file."""

import json
from urllib.error import URLError

import numpy as np
import pytest
import torch
from made_graphs import MINI
from safetensors.torch import save_file

from segsg.cli import main
from segsg.detection.coco_classes import COCO_CLASSES
from segsg.files import ROOT, DataError
from segsg.photos.finders.torchvision_coco import MODELS, TorchvisionFinder, finder_from, torchvision_finder
from segsg.photos.found import Finder

PHOTO = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
MASKS, SMALL = "maskrcnn_resnet50_fpn", "fasterrcnn_mobilenet_v3_large_320_fpn"
SAMPLE = ROOT / "bundles" / "photos" / "samples" / "cat.jpg"


class Fixed(torch.nn.Module):
    """A network that finds a person, a gap of COCO's ids, something unsure and something flat."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, images):
        masks = torch.zeros(4, 1, *images[0].shape[1:])
        masks[0, 0, 5:20, 10:30] = 0.9
        boxes = torch.tensor([[10.0, 5, 30, 20], [0, 0, 9, 9], [0, 0, 9, 9], [5, 5, 5, 9]])
        scores = torch.tensor([0.9, 0.8, 0.1, 0.9])
        return [{"boxes": boxes, "labels": torch.tensor([1, 12, 18, 18]), "scores": scores, "masks": masks}]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A file of random weights that call most things a person."""
    state = torchvision_finder({"model": SMALL}).network.state_dict()
    state["roi_heads.box_predictor.cls_score.bias"][1] = 9.0
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_file(state, path)
    return path


def test_weights_of_a_file_find_regions_of_cocos_names(tmp_path):
    untrained = torchvision_finder({"model": MASKS})
    torch.save({name: value.half() for name, value in untrained.network.state_dict().items()}, tmp_path / "w.pth")
    finder = finder_from(MASKS, tmp_path / "w.pth", least=0.0)
    assert isinstance(finder, Finder)
    (found,) = finder.find([PHOTO])
    assert set(found.names) <= set(COCO_CLASSES.values())
    assert all(runs["size"] == [60, 90] for runs in found.masks)
    assert finder.find([]) == []


def test_a_detector_without_masks_leaves_them_to_the_masker(small):
    (found,) = finder_from(SMALL, small).find([PHOTO])
    assert set(found.names) == {"person"} and set(found.masks) == {None}


def test_only_what_has_a_name_an_area_and_a_score_is_kept():
    (found,) = TorchvisionFinder(Fixed(), 0.5).find([PHOTO])
    assert found.names == ("person",)
    np.testing.assert_array_equal(found.boxes, [[10, 5, 30, 20]])
    (empty,) = TorchvisionFinder(Fixed(), 1.0).find([PHOTO])
    assert len(empty) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1], "holds something else than weights by name"),
        ({"other": "x"}, "holds something else than weights by name"),
        ({"other": torch.zeros(1)}, f"are not of {SMALL} .*other"),
        ({"other": torch.tensor([torch.nan])}, "weights 'other': are not all finite numbers"),
        (b"no file", "is no file of weights"),
    ],
)
def test_other_files_are_one_line(tmp_path, content, said):
    path = tmp_path / "w.pth"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(DataError, match=said):
        finder_from(SMALL, path)


def test_without_a_file_and_without_internet_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *a, **k: (_ for _ in ()).throw(URLError("no route")))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"cannot be downloaded \(no route\); give a file of them: --finder-weights"):
        finder_from(SMALL, None)


@pytest.mark.parametrize("settings", [{"least": 2}, {"least": "x"}, {"more": 1}])
def test_bad_settings_are_refused(settings):
    with pytest.raises(ValueError, match="and 'least', a number from 0 to 1"):
        torchvision_finder({"model": SMALL} | settings)
    with pytest.raises(ValueError, match="unknown; give one of"):
        torchvision_finder(settings)


def predict(out, *options):
    return main(["predict", str(SAMPLE), "--out", str(out), *map(str, options)])


def test_the_command_line_takes_another_finder(small, tmp_path):
    finder = ("--finder", f"torchvision:{SMALL}", "--finder-weights", small, "--top", 1, "--threshold", 0)
    assert predict(tmp_path / "out", *finder) == 0
    made = json.loads((tmp_path / "out" / "cat.json").read_text())
    assert made["bundle"] == f"photos + torchvision:{SMALL}"
    assert {(region["class"], region["mask_from"]) for region in made["regions"]} == {("person", "found")}
    assert made["bundle"] in (tmp_path / "out" / "cat.html").read_text(encoding="utf-8")
    assert predict(tmp_path / "own", "--only", "json") == 0
    assert made["run"] != json.loads((tmp_path / "own" / "cat.json").read_text())["run"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--finder", "yolo"], f"finder yolo: unknown; give torchvision:MODEL with one of {MODELS[0]}"),
        (["--finder", "torchvision:yolo"], "torchvision's model yolo: unknown; give one of"),
        (["--finder", f"torchvision:{SMALL}", "--finder-weights", "nowhere.pth"], "nowhere.pth: file: is not there"),
        (["--finder-weights", "w.pth"], "name it, as --finder torchvision:MODEL"),
        (["--finder", f"torchvision:{SMALL}", "--detections", "x.json"], "leave out one of them"),
        (["--finder", f"torchvision:{SMALL}", "--bundle", MINI], "finds regions itself; leave --finder out"),
    ],
)
def test_bad_finders_end_with_two(options, said, tmp_path, capsys):
    assert predict(tmp_path / "out", *options) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
