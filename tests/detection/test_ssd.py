import json

import pytest
import torch
from safetensors.torch import save_file
from torch.testing import assert_close

import segsg
from segsg.data.photos import read_photo
from segsg.detection.coco_classes import COCO_CLASSES
from segsg.detection.ssd import SIDE, Detected, Limits, SsdLite, anchors, kept, load_ssd, moved
from segsg.files import ROOT, DataError
from segsg.kernels.boxes import box_iou

EVERYTHING = Limits(score=0.0, candidates=300, detections=20)


@pytest.fixture(scope="module")
def ssd() -> SsdLite:
    torch.manual_seed(0)
    return SsdLite().eval().requires_grad_(False)


def photo(height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_names_are_cocos():
    listed = (ROOT / "data/facts/coco_classes.txt").read_text(encoding="utf-8").splitlines()
    assert list(COCO_CLASSES.values()) == listed
    assert {COCO_CLASSES[i] for i in (1, 13, 27, 31, 46, 90)} == {
        "person", "stop sign", "backpack", "handbag", "wine glass", "toothbrush"
    }  # fmt: skip
    assert set(range(1, 91)) - COCO_CLASSES.keys() == {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}


def test_anchors():
    """The first and last cell of the finest map, the first of the next, and the single cell of the last."""
    found = anchors()
    assert len(found) == 3 * 19**2 + 6 * (10**2 + 5**2 + 3**2 + 2**2 + 1)
    first = 0.5 / 19
    wide = (0.2 * 2**0.5, 0.2 / 2**0.5)
    expected = [(first, first, 0.1, 0.1), (first, first, *wide), (first, first, *wide[::-1])]
    assert_close(found[:3], torch.tensor(expected))
    assert_close(found[3, :2], torch.tensor([1.5 / 19, first]))
    assert_close(found[1082, :2], torch.tensor([18.5 / 19, 18.5 / 19]))
    assert_close(found[1083], torch.tensor([0.05, 0.05, 0.35, 0.35]))
    assert_close(found[1086], torch.tensor([0.05, 0.05, 0.35 * 3**0.5, 0.35 / 3**0.5]))
    assert_close(found[1088], torch.tensor([0.05, 0.05, (0.35 * 0.5) ** 0.5, (0.35 * 0.5) ** 0.5]))
    assert_close(found[-1], torch.tensor([0.5, 0.5, 0.95**0.5, 0.95**0.5]))


def test_moves_are_of_y_and_x_then_height_and_width():
    """10 is one anchor's side, 5 · log 2 doubles it: the anchor goes down by its height, and gets twice as wide."""
    anchor = torch.tensor([[0.5, 0.4, 0.2, 0.1]])
    move = torch.tensor([[[10.0, 0, 0, 5 * torch.log(torch.tensor(2.0))]]])
    assert_close(moved(anchor, move), torch.tensor([[[0.3, 0.45, 0.7, 0.55]]]))


def test_output_has_a_row_for_each_anchor(ssd):
    boxes, scores = ssd(torch.zeros(2, 3, SIDE, SIDE))
    assert (boxes.shape, scores.shape) == ((2, len(ssd.anchors), 4), (2, len(ssd.anchors), 90))
    unused = [i - 1 for i in range(1, 91) if i not in COCO_CLASSES]
    assert scores[..., unused].count_nonzero() == 0 and scores.count_nonzero() > 0


def test_cells_are_in_the_order_of_the_anchors(ssd):
    """Only what one cell of a map says is changed, and only its anchors move."""
    reading = ssd.boxes[0]
    x = torch.zeros(1, 576, 19, 19)
    still = reading(x)
    x[0, :, 4, 7] = 1.0
    changed = (reading(x) - still).abs().amax(2)[0].nonzero()[:, 0]
    centres = ssd.anchors[changed, :2] * 19
    assert set(centres[:, 1].int().tolist()) <= {3, 4, 5} and set(centres[:, 0].int().tolist()) <= {6, 7, 8}


def test_photos_do_not_depend_on_each_other(ssd):
    photos = [photo(40, 60), photo(300, 300, 1), photo(500, 20, 2)] * 3 + [photo(1, 1)]
    together = ssd.find(photos, EVERYTHING)
    for found, alone in zip(together, (ssd.find([each], EVERYTHING)[0] for each in photos), strict=True):
        assert torch.equal(found.labels, alone.labels)
        assert_close(found.boxes, alone.boxes, atol=1e-2, rtol=0)
        assert_close(found.scores, alone.scores)


def test_boxes_lie_in_their_photo_best_first(ssd):
    for each in (photo(40, 60), photo(500, 20)):
        found = ssd.find([each], EVERYTHING)[0]
        height, width = each.shape[1:]
        assert 0 < len(found.boxes) <= 20 and len(found.names) == len(found.boxes)
        assert (found.boxes >= 0).all() and (found.boxes <= torch.tensor([width, height, width, height])).all()
        assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()
        assert found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)


def test_nothing_found_and_no_photo(ssd):
    found = ssd.find([photo(30, 30)], Limits(score=1.1))[0]
    assert (found.names, tuple(found.scores.shape), tuple(found.boxes.shape)) == ((), (0,), (0, 4))
    assert ssd.find([]) == []


def test_kept_in_pixels_without_doubles():
    """Two thirds of a photo, twice in one class, once more in another, and a box outside the photo."""
    boxes = torch.tensor([[0.0, 0, 2 / 3, 1], [0, 0, 0.6, 1], [0.5, 0, 1, 1], [1.2, 0, 1.5, 1]])
    scores = torch.zeros(4, 90)
    scores[0, 0], scores[1, 0], scores[0, 16], scores[2, 17], scores[3, 0] = 0.9, 0.8, 0.7, 0.5, 0.95
    found = kept(boxes, scores, (20, 30), Limits())
    assert found.names == ("person", "dog")
    assert_close(found.boxes, torch.tensor([[0.0, 0, 20, 20], [15, 0, 30, 20]]))
    assert_close(found.scores, torch.tensor([0.9, 0.5]))
    assert kept(boxes, scores, (20, 30), Limits(detections=1)).names == ("person",)


def test_weights_come_back(ssd, tmp_path):
    save_file({name: value.half() for name, value in ssd.state_dict().items()}, tmp_path / "half.safetensors")
    loaded = load_ssd(tmp_path / "half.safetensors")
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    for name, value in loaded.state_dict().items():
        assert value.dtype == torch.float32
        assert_close(value, ssd.state_dict()[name], atol=1e-3, rtol=1e-3)


def test_other_weights_are_an_error(ssd, tmp_path):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(DataError, match="convert the weights again"):
        load_ssd(path)
    path.write_bytes(b"no weights")
    with pytest.raises(DataError, match="weights: are not those of SsdLite"):
        load_ssd(path)
    save_file({"trunk.stem.bias": torch.zeros(32)}, path)
    with pytest.raises(DataError, match="are not those of SsdLite"):
        load_ssd(path)
    broken = {name: value.clone() for name, value in ssd.state_dict().items()}
    broken["trunk.stem.bias"][3] = torch.nan
    save_file(broken, path)
    with pytest.raises(DataError, match=r"trunk\.stem\.bias'.*finite"):
        load_ssd(path)


def test_finds_what_tensorflow_finds():
    """TensorFlow.js's own answers for real photos; photos were decoded by another library there."""
    real = ROOT.parent / "shared" / "real"
    if not real.is_dir():
        pytest.skip("needs real data in ../shared/real, which is not part of the project")
    theirs = json.loads((real / "detections" / "coco_ssd_32photos.json").read_text())
    ssd = segsg.load("photos", "cpu").finder.network
    for name, expected in theirs.items():
        found = ssd.find([read_photo(real / "coco" / "images" / name)], Limits(score=0.25, across=1.0))[0]
        assert_found(found, [one for one in expected["dets"] if one["s"] > 0.3])


def assert_found(found: Detected, expected: list[dict]) -> None:
    for one in expected:
        same = (found.labels == one["c"]) & (box_iou(found.boxes, torch.tensor([one["b"]]))[:, 0] > 0.9)
        assert ((found.scores[same] - one["s"]).abs() < 0.05).any()
