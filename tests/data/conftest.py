"""Small files in both real layouts, and functions that write them with one thing changed."""

import copy
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

GRAPHS = {
    "split": [0, 0, 0, 0, 2],
    "img_to_first_box": [0, -1, 3, 5, 7],
    "img_to_last_box": [2, -1, 4, 6, 8],
    "img_to_first_rel": [0, -1, -1, 2, 5],
    "img_to_last_rel": [1, -1, -1, 4, 6],
    "boxes_1024": [
        [512, 256, 512, 256], [100, 100, 50, 50], [800, 400, 101, 61],
        [512, 256, 512, 256], [200, 200, 20, 20],
        [512, 256, 512, 256], [500, 250, 100, 100],
        [300, 300, 200, 200], [350, 350, 200, 200],
    ],
    "labels": [[1], [2], [3], [1], [1], [2], [3], [1], [2]],
    "relationships": [[0, 2], [1, 0], [5, 6], [5, 6], [6, 5], [7, 8], [7, 8]],
    "predicates": [[1], [2], [1], [2], [2], [1], [1]],
}  # fmt: skip
IMAGES = [
    {"image_id": 11, "width": 80, "height": 40, "coco_id": None},
    {"image_id": 12, "width": 80, "height": 40, "coco_id": None},
    {"image_id": 13, "width": 80, "height": 40, "coco_id": 901},
    {"image_id": 14, "width": 80, "height": 40, "coco_id": None},
    {"image_id": 15, "width": 80, "height": 40, "coco_id": 900},
]
NAMES = {
    "label_to_idx": {"cat": 2, "hat": 3, "man": 1},
    "predicate_to_idx": {"on": 2, "wearing": 1},
}
MASKS = {
    "images": [
        {"id": 5, "width": 20, "height": 10, "file_name": "5.png"},
        {"id": 6, "width": 20, "height": 10, "file_name": "6.png"},
        {"id": 7, "width": 20, "height": 10, "file_name": "7.png"},
    ],
    "categories": [{"id": 18, "name": "dog"}, {"id": 2, "name": "bicycle"}],
    "annotations": [
        {
            "id": 1, "image_id": 5, "category_id": 18, "iscrowd": 0, "bbox": [2, 1, 4, 6],
            "segmentation": [[2, 1, 6, 1, 6, 7, 2, 7]],
        },
        {
            "id": 2, "image_id": 5, "category_id": 2, "iscrowd": 0, "bbox": [1, 0, 1, 10],
            "segmentation": {"size": [10, 20], "counts": [10, 10, 180]},
        },
        {
            "id": 3, "image_id": 7, "category_id": 2, "iscrowd": 1, "bbox": [0, 0, 1, 10],
            "segmentation": {"size": [10, 20], "counts": [0, 10, 190]},
        },
    ],
}  # fmt: skip


class GraphFiles:
    """A folder of scene graph files; `arguments` are those of SceneGraphSet."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.arrays, self.images, self.names = map(copy.deepcopy, (GRAPHS, IMAGES, NAMES))
        names = ("VG-SGG.h5", "VG-SGG-dicts.json", "image_data.json", "photos")
        self.arguments = [folder / name for name in names]

    def write(self) -> list[Path]:
        (self.folder / "photos").mkdir(exist_ok=True)
        with h5py.File(self.arguments[0], "w") as file:
            for key, values in self.arrays.items():
                file[key] = np.asarray(values, dtype=np.int32)
        self.arguments[1].write_text(json.dumps(self.names))
        self.arguments[2].write_text(json.dumps(self.images))
        for number in range(11, 16):
            self.photo(f"{number}.jpg", (80, 40))
        return self.arguments

    def photo(self, name: str, size: tuple[int, int]) -> Path:
        path = self.folder / "photos" / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", size, (200, 100, 50)).save(path)
        return path


class MaskFiles:
    """A folder of mask set files; `arguments` are those of MaskSet."""

    def __init__(self, folder: Path):
        self.folder, self.record = folder, copy.deepcopy(MASKS)
        self.arguments = [folder / "instances.json", folder / "photos"]

    def write(self) -> list[Path]:
        self.arguments[1].mkdir(exist_ok=True)
        self.arguments[0].write_text(json.dumps(self.record))
        for number in (5, 6, 7):
            Image.new("RGB", (20, 10), (number, 0, 0)).save(self.arguments[1] / f"{number}.png")
        return self.arguments


@pytest.fixture
def graph_files(tmp_path) -> GraphFiles:
    return GraphFiles(tmp_path)


@pytest.fixture
def mask_files(tmp_path) -> MaskFiles:
    return MaskFiles(tmp_path)


@pytest.fixture
def real() -> Path:
    folder = Path(__file__).resolve().parents[3] / "shared" / "real"
    if not folder.is_dir():
        pytest.skip("needs real data in ../shared/real, which is not part of the project")
    return folder
