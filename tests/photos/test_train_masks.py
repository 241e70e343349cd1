import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from segsg.data.coco import MaskSet
from segsg.detection.ssd import SsdLite
from segsg.files import digest
from segsg.grounding.box_masks import BoxMasks
from segsg.photos import train_masks
from segsg.structures import Sample

SIZE = (60, 80)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Four photos with a triangle each in COCO's layout, and a detector's weights."""
    folder = tmp_path_factory.mktemp("photos")
    draws = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(1, 5):
        Image.fromarray(draws.integers(0, 256, (*SIZE, 3), dtype=np.uint8)).save(folder / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "height": SIZE[0], "width": SIZE[1]})
        outline = [[10, 10, 50, 10, 10, 50]]
        place = {"bbox": [10, 10, 40, 40], "segmentation": outline, "area": 800, "iscrowd": 0}
        annotations.append({"id": number, "image_id": number, "category_id": 1} | place)
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "sail"}]}
    (folder / "instances.json").write_text(json.dumps(content))
    torch.manual_seed(0)
    save_file(SsdLite().state_dict(), folder / "detector.safetensors")
    return folder


def run(folder: Path, monkeypatch, *more: str) -> int:
    arguments = ["--photos", folder, "--annotations", folder / "instances.json", "--out", folder / "masks.safetensors"]
    command = ["train_masks", folder / "detector.safetensors", *arguments, "--steps", "2", "--held-out", "1", *more]
    monkeypatch.setattr(sys, "argv", [str(word) for word in command])
    return train_masks.main()


def test_trains_writes_and_judges(folder, monkeypatch, capsys):
    monkeypatch.setattr(train_masks, "CHECKPOINT_EVERY", 1)
    assert run(folder, monkeypatch) == 0
    assert "mean IoU in 1 boxes of 1 photos: 0." in capsys.readouterr().out
    weights = load_file(folder / "masks.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float16}
    assert sum(value.nbytes for value in weights.values()) < 3e6
    BoxMasks(SsdLite().trunk).load_state_dict(weights)
    assert not (folder / "masks.safetensors.training").exists()
    seen = json.loads((folder / "masks.photos.json").read_text())
    assert sorted(seen["trained"] + seen["judged"]) == [1, 2, 3, 4] and len(seen["judged"]) == 1
    assert seen["annotations_sha256"] == digest(folder / "instances.json")


def test_a_wrong_file_is_one_line(folder, monkeypatch, capsys):
    assert run(folder, monkeypatch, "--annotations", "nowhere.json") == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_no_photo_is_on_both_sides(folder):
    photos = MaskSet(folder / "instances.json", folder)
    training, judged = train_masks.split(photos, 1, seed=3)
    assert sorted([*training.image_ids, *judged.image_ids]) == [1, 2, 3, 4]
    assert len(judged) == 1 and train_masks.split(photos, 1, seed=3)[1].image_ids == judged.image_ids


class Rectangles(nn.Module):
    """Masks that fill their boxes."""

    def forward(self, photo, boxes):
        return torch.ones(len(boxes), 28, 28), boxes


def test_iou_is_that_of_pixels():
    """A rectangle of 40 x 40 pixels over a mask of half of them, and a box that is too small to count."""
    masks = torch.zeros(2, *SIZE, dtype=torch.bool)
    masks[0, 10:50, 10:30] = masks[1, :5, :5] = True
    boxes = torch.tensor([[10.0, 10, 50, 50], [0, 0, 5, 5]])
    sample = Sample(
        1, torch.zeros(3, *SIZE, dtype=torch.uint8), boxes, torch.ones(2, dtype=torch.long),
        torch.zeros(0, 3, dtype=torch.long), masks,
    )  # fmt: skip
    assert train_masks.ious(Rectangles(), [sample], 32) == [0.5]
    assert train_masks.ious(Rectangles(), [sample], 0) == [0.5, 1.0]
    assert train_masks.ious(Rectangles(), [], 0) == []


def test_blocks_of_the_detector_learn_more_slowly():
    head = BoxMasks(SsdLite().trunk, 8)
    rates = {id(p): group["lr"] for group in train_masks.optimizer_of(head).param_groups for p in group["params"]}
    assert len(rates) == len(list(head.parameters()))
    for name, parameter in head.named_parameters():
        slow = name.startswith(("middle.", "deep."))
        assert rates[id(parameter)] == (train_masks.BLOCKS_RATE if slow else train_masks.RATE)
