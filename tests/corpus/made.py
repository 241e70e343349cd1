"""Tiny valid inputs of every kind, which cases spoil in one place each."""

import copy
import dataclasses
import json
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PIL import Image

from segsg.files import ROOT
from segsg.study import profile, sets
from segsg.study.params import Data, MaskFiles, Params, SceneGraphFiles, read_section
from segsg.study.prepare import gather

ARRAYS = {
    "split": [0, 0, 0, 0, 2],
    "img_to_first_box": [0, -1, 3, 5, 7],
    "img_to_last_box": [2, -1, 4, 6, 8],
    "img_to_first_rel": [0, -1, -1, 2, 5],
    "img_to_last_rel": [1, -1, -1, 4, 6],
    "boxes_1024": [
        [512, 256, 512, 256], [100, 100, 50, 50], [800, 400, 101, 61], [512, 256, 512, 256], [200, 200, 20, 20],
        [512, 256, 512, 256], [500, 250, 100, 100], [300, 300, 200, 200], [350, 350, 200, 200],
    ],
    "labels": [[1], [2], [3], [1], [1], [2], [3], [1], [2]],
    "relationships": [[0, 2], [1, 0], [5, 6], [5, 6], [6, 5], [7, 8], [7, 8]],
    "predicates": [[1], [2], [1], [2], [2], [1], [1]],
}  # fmt: skip
IMAGES = [{"image_id": number, "width": 80, "height": 40, "coco_id": None} for number in range(11, 16)]
NAMES = {"label_to_idx": {"cat": 2, "hat": 3, "man": 1}, "predicate_to_idx": {"on": 2, "wearing": 1}}
COCO = {
    "images": [{"id": i, "width": 20, "height": 10, "file_name": f"{i}.png"} for i in (5, 6)],
    "categories": [{"id": 18, "name": "dog"}, {"id": 2, "name": "bicycle"}],
    "annotations": [
        {"id": 1, "image_id": 5, "category_id": 18, "iscrowd": 0, "bbox": [2, 1, 4, 6],
         "segmentation": [[2, 1, 6, 1, 6, 7, 2, 7]]},
        {"id": 2, "image_id": 6, "category_id": 2, "iscrowd": 0, "bbox": [1, 0, 1, 10],
         "segmentation": {"size": [10, 20], "counts": [10, 10, 180]}},
    ],
}  # fmt: skip
VECTORS = "man 1 0 0 0\ncat 0 1 0 0\nhat 0 0 1 0\ndog 0 .9 .1 0\nbicycle 0 0 0 1\n"
PAIRS = {"cat": "dog"}
H5, DICTS, LIST, PHOTOS = (
    f"graphs/{name}" for name in ("VG-SGG.h5", "VG-SGG-dicts.json", "image_data.json", "VG_100K")
)
INSTANCES, MASK_PHOTOS = "masks/instances.json", "masks/photos"
GLOVE, NAME_PAIRS, ZERO_SHOT = "vectors.txt", "pairs.json", "zeroshot_triplet.pytorch"


def write(path: Path, content: Any) -> Path:
    """Bytes, text, or anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def arrays() -> dict[str, Any]:
    """The arrays of a file of scene graphs."""
    return {name: np.asarray(values, dtype=np.int32) for name, values in copy.deepcopy(ARRAYS).items()}


def write_h5(path: Path, values: dict[str, Any]) -> None:
    """An HDF5 file of arrays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, content in values.items():
            file[name] = content


def photo(
    path: Path, size: tuple[int, int], colour: tuple[int, ...] = (200, 100, 50), mode: str = "RGB", **more
) -> Path:
    """A picture of one colour with a darker part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", size, colour)
    picture.paste((20, 30, 90), (size[0] // 4, size[1] // 4, size[0] // 2 + 1, size[1] // 2 + 1))
    picture.convert(mode).save(path, **more)
    return path


def study_files(folder: Path) -> None:
    """Scene graphs, masks, word vectors and name pairs of a study of five photos and two."""
    write_h5(folder / H5, arrays())
    write(folder / DICTS, NAMES)
    write(folder / LIST, IMAGES)
    write(folder / INSTANCES, COCO)
    write(folder / GLOVE, VECTORS)
    write(folder / NAME_PAIRS, PAIRS)
    for number in range(11, 16):
        photo(folder / PHOTOS / f"{number}.jpg", (80, 40))
    for number in (5, 6):
        photo(folder / MASK_PHOTOS / f"{number}.png", (20, 10))


@cache
def smoke() -> Params:
    """Parameters of the smoke profile."""
    kept, profile.PROFILES = profile.PROFILES, ROOT / "profiles"
    try:
        return read_section(Params, profile.resolve("smoke"), "smoke")
    finally:
        profile.PROFILES = kept


def study(folder: Path, **more: Any) -> Params:
    """Parameters of a study on the files below `folder`."""
    masks = MaskFiles(folder / INSTANCES, folder / MASK_PHOTOS)
    graphs = SceneGraphFiles(*(folder / name for name in (H5, DICTS, LIST, PHOTOS)))
    zero_shot = folder / ZERO_SHOT
    data = Data(
        source="files", scene_graphs=graphs, masks_train=masks, masks_validation=masks, word_vectors=folder / GLOVE,
        name_pairs=folder / NAME_PAIRS, zero_shot=zero_shot if zero_shot.exists() else None, validation_images=1,
        short_side=32, long_side=64, distant_relations=True,
    )  # fmt: skip
    return dataclasses.replace(smoke(), data=dataclasses.replace(data, **more), world=None)


@dataclasses.dataclass
class Read:
    """All that a study reads: its facts, and samples by image id."""

    known: Any
    graphs: dict[int, Any]
    masks: dict[int, Any]
    shared: set


def read_study(folder: Path, **more: Any) -> Read:
    """Every file and photo of a study, read by the functions that its stages call."""
    params = study(folder, **more)
    known = gather(params)
    splits = [sets.scene_graph_set(params, split) for split in ("train", "validation", "test")]
    masks = [sets.mask_set(params, "train"), sets.judged_mask_set(params)]
    graphs = {sample.image_id: sample for dataset in splits for sample in map(dataset.__getitem__, range(len(dataset)))}
    drawn = {sample.image_id: sample for dataset in masks for sample in map(dataset.__getitem__, range(len(dataset)))}
    for index in range(len(masks[1])):
        masks[1].crowds(index)
    for dataset in (*splits, *masks):
        for _ in sets.all_batches(params, dataset, 2):
            pass
    return Read(known, graphs, drawn, sets.judged_images(params))
