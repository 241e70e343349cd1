"""The files of a drawn world, in the layouts of Visual Genome and of COCO 2017."""

import json
from pathlib import Path

import h5py
import numpy as np

from segsg.world.classes import GRAPH_CLASSES, MASK_CLASSES, PREDICATES

LONGER_SIDES = (1024, 512)


def write_json(path: Path, content) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")))


def write_scene_graphs(folder: Path, records: list[dict], side: int) -> None:
    """VG-SGG.h5, its vocabulary and image_data.json. `records` are in the order of the rows."""
    with h5py.File(folder / "VG-SGG.h5", "w") as file:
        for key, values in _columns(records, side).items():
            file.create_dataset(key, data=values)
    write_json(folder / "VG-SGG-dicts.json", _vocabulary(records))
    write_json(folder / "image_data.json", [_image_data(record, side) for record in records])


def _columns(records: list[dict], side: int) -> dict[str, np.ndarray]:
    boxes = np.concatenate([record["boxes"] for record in records] or [np.zeros((0, 4))])
    labels = [GRAPH_CLASSES.index(name) + 1 for record in records for name in record["names"]]
    predicates = [PREDICATES.index(p) + 1 for record in records for _, p, _ in record["relations"]]
    first_box = np.cumsum([0, *(len(record["names"]) for record in records)])
    pairs = [(first + s, first + o) for first, r in zip(first_box, records, strict=False) for s, _, o in r["relations"]]
    ranges = _ranges("box", [len(r["names"]) for r in records]) | _ranges("rel", [len(r["relations"]) for r in records])
    return ranges | {
        **{f"boxes_{longer}": _centred(boxes * longer / side) for longer in LONGER_SIDES},
        "labels": np.array(labels, np.int64).reshape(-1, 1),
        "active_object_mask": np.ones((len(labels), 1), bool),
        "relationships": np.array(pairs, np.int32).reshape(-1, 2),
        "predicates": np.array(predicates, np.int64).reshape(-1, 1),
        "split": np.array([2 if record["split"] == "test" else 0 for record in records], np.int32),
    }


def _ranges(kind: str, counts: list[int]) -> dict[str, np.ndarray]:
    """First and last row of each image, both included; -1 for an image without rows."""
    counts, ends = np.array(counts, np.int64), np.cumsum(counts)
    first, last = np.where(counts > 0, ends - counts, -1), np.where(counts > 0, ends - 1, -1)
    return {f"img_to_first_{kind}": first.astype(np.int32), f"img_to_last_{kind}": last.astype(np.int32)}


def _centred(boxes: np.ndarray) -> np.ndarray:
    """xyxy as whole (centre x, centre y, width, height); halves are such that readers that cut them off are exact."""
    corner = np.floor(boxes[:, :2]).astype(np.int32)
    size = np.maximum(np.round(boxes[:, 2:]).astype(np.int32) - corner, 1)
    return np.concatenate([corner + (size + 1) // 2, size], 1)


def _vocabulary(records: list[dict]) -> dict:
    names = [name for record in records for name in record["names"]]
    predicates = [p for record in records for _, p, _ in record["relations"]]
    return {
        "label_to_idx": {name: i for i, name in enumerate(GRAPH_CLASSES, start=1)},
        "idx_to_label": {str(i): name for i, name in enumerate(GRAPH_CLASSES, start=1)},
        "predicate_to_idx": {name: i for i, name in enumerate(PREDICATES, start=1)},
        "idx_to_predicate": {str(i): name for i, name in enumerate(PREDICATES, start=1)},
        "object_count": {name: names.count(name) for name in GRAPH_CLASSES},
        "predicate_count": {name: predicates.count(name) for name in PREDICATES},
    }


def _image_data(record: dict, side: int) -> dict:
    return {
        "image_id": record["image_id"],
        "width": side,
        "height": side,
        "url": None,
        "coco_id": record["mask_image_id"],
        "flickr_id": None,
    }


def write_instances(path: Path, images: list[tuple[int, list[dict]]], side: int, classes, digits: int = 12) -> None:
    """A COCO instances file. `images` are (id, records without ids), annotations are numbered through them."""
    numbered = [(image_id, record) for image_id, records in images for record in records]
    content = {
        "info": {"description": "drawn by segsg.data.world"},
        "licenses": [],
        "images": [{"id": i, "file_name": f"{i:0{digits}d}.jpg", "width": side, "height": side} for i, _ in images],
        "categories": [{"id": i, "name": name, "supercategory": "drawn"} for i, name in enumerate(classes, start=1)],
        "annotations": [{"id": n, "image_id": i} | record for n, (i, record) in enumerate(numbered, start=1)],
    }
    write_json(path, content)


def write_true_masks(path: Path, records: list[dict], side: int) -> None:
    """Masks of scene-graph images; the k-th annotation of an image belongs to its k-th box."""
    images = [(record["image_id"], record["true_masks"]) for record in records]
    write_instances(path, images, side, GRAPH_CLASSES, digits=1)


def write_masks(folder: Path, records: list[dict], side: int) -> None:
    """Both splits of the mask set, the images shared with the scene-graph set among the training images."""
    for split, name in (("train", "train2017"), ("validation", "val2017")):
        images = [(r["mask_image_id"], r["mask_set"]) for r in records if r["mask_split"] == split]
        write_instances(folder / f"instances_{name}.json", images, side, MASK_CLASSES)
