"""Draw a whole world: two data sets in the layouts of Visual Genome and of COCO 2017, which share a few images."""

import json
import multiprocessing
import os
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from PIL import Image
from pycocotools import mask as rle
from tqdm import tqdm

from segsg.files import whole_folder
from segsg.world.classes import GRAPH_CLASSES, MASK_CLASSES, ORACLE, PREDICATES
from segsg.world.images import Annotation, Drawn, Place, draw_image

MASK_IDS = {"train": 100_000, "validation": 200_000}
SHARED_IDS = 300_000
QUALITY = 95
SCENE_GRAPH_PHOTOS, MASK_PHOTOS = "scene_graphs/VG_100K", {"train": "masks/train2017", "validation": "masks/val2017"}
LONGER_SIDES = (1024, 512)
TRUE_MASKS = {"true_masks.json": ("validation", "test"), "true_masks_train.json": ("train",)}
MASK_FILES = {"train": "instances_train2017.json", "validation": "instances_val2017.json"}
SETTINGS = "world.json"
"""written last, hence the mark of a world that is complete"""


@dataclass(frozen=True)
class Settings:
    """Numbers of images, sizes and seed of a drawn world; equal settings give equal bytes.

    `shared` is the share of each scene-graph split that the training images of the mask set contain too.
    """

    train: int
    validation: int
    test: int
    masks_train: int
    masks_validation: int
    side: int = 160
    shared: float = 0.1
    seed: int = 0

    def places(self) -> list[Place]:
        """The places of all images: validation, training and test images of the scene-graph set, then the mask set."""
        graphs = self.scene_graph_places()
        shared = sum(place.mask_image_id is not None for place in graphs)
        if shared > self.masks_train:
            raise ValueError(
                f"world: {shared} shared images do not fit into masks_train: {self.masks_train}; "
                "raise masks_train or lower shared"
            )
        masks = {"train": self.masks_train - shared, "validation": self.masks_validation}
        return graphs + [
            Place(self.seed, "masks", split, i, MASK_IDS[split] + i + 1, self.side, MASK_IDS[split] + i + 1)
            for split, count in masks.items()
            for i in range(count)
        ]

    def scene_graph_places(self) -> list[Place]:
        """The rows of VG-SGG.h5. Validation comes first: readers take the first training rows for it."""
        splits = {"validation": self.validation, "train": self.train, "test": self.test}
        rows = [(split, i) for split, count in splits.items() for i in range(count)]
        return [
            Place(self.seed, "scene_graphs", split, i, image_id, self.side, self._mask_image_id(i, image_id))
            for image_id, (split, i) in enumerate(rows, start=1)
        ]

    def _mask_image_id(self, index: int, image_id: int) -> int | None:
        """Id of a scene-graph image in the mask set; None if it is not shared. Shared images are evenly spread."""
        return SHARED_IDS + image_id if int((index + 1) * self.shared) > int(index * self.shared) else None


@dataclass(frozen=True)
class Record:
    """An image's entries for the annotation files; masks are COCO records without ids."""

    place: Place
    annotation: Annotation
    true_masks: list[dict]
    mask_set: list[dict]


def draw(folder: Path | str, *, workers: int = 2, **settings: int | float) -> None:
    """Draw a world into `folder`, which holds `scene_graphs` (Visual Genome's layout) and `masks` (COCO's).

    `settings` are those of `Settings`. The bytes written depend on neither `workers` nor what was there before. A
    world in `folder` is replaced once the new one is complete; anything else in `folder` is a ValueError.
    """
    world, folder = Settings(**settings), Path(folder)
    places = world.places()
    if folder.exists() and any(folder.iterdir()) and not (folder / SETTINGS).exists():
        raise ValueError(
            f"{folder}: holds something other than a complete drawn world; remove it or name another folder"
        )
    with whole_folder(folder) as part:
        for name in (SCENE_GRAPH_PHOTOS, *MASK_PHOTOS.values(), "masks/annotations"):
            (part / name).mkdir(parents=True)
        records = _records(part, places, workers)
        graphs = [record for record in records if record.place.set_name == "scene_graphs"]
        _write_scene_graphs(part / "scene_graphs", graphs, world.side)
        for split, name in MASK_FILES.items():
            images = [(r.place.mask_image_id, r.mask_set) for r in records if r.place.mask_split == split]
            _write_instances(part / "masks/annotations" / name, images, world.side, MASK_CLASSES, digits=12)
        _write_json(part / SETTINGS, asdict(world))


def _records(part: Path, places: list[Place], workers: int) -> list[Record]:
    bar = partial(tqdm, total=len(places), desc="drawing", unit="image", disable="TQDM_DISABLE" in os.environ)
    work = partial(_draw_and_save, part)
    if workers <= 1:
        return list(bar(map(work, places)))
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        return list(bar(pool.imap(work, places, chunksize=16)))


def _draw_and_save(part: Path, place: Place) -> Record:
    """Draw one image, save its photo, and return what the annotation files need."""
    drawn = draw_image(place)
    photo, is_graph = Image.fromarray(drawn.picture.photo), place.set_name == "scene_graphs"
    if is_graph:
        photo.save(part / SCENE_GRAPH_PHOTOS / f"{place.image_id}.jpg", quality=QUALITY)
    if place.mask_split is not None:
        photo.save(part / MASK_PHOTOS[place.mask_split] / f"{place.mask_image_id:012d}.jpg", quality=QUALITY)
    true_masks = _encoded(drawn.masks(), drawn.annotation.names, GRAPH_CLASSES) if is_graph else []
    return Record(place, drawn.annotation, true_masks, _mask_set_records(drawn) if place.mask_split else [])


def _write_json(path: Path, content) -> None:
    """Writes JSON without spaces."""
    path.write_text(json.dumps(content, separators=(",", ":")))


def _write_scene_graphs(folder: Path, records: list[Record], side: int) -> None:
    """VG-SGG.h5, its vocabulary, image_data.json and true masks. `records` are in the order of the rows.

    The k-th annotation of an image in the files of true masks belongs to its k-th box.
    """
    with h5py.File(folder / "VG-SGG.h5", "w") as file:
        for key, values in _columns(records, side).items():
            file.create_dataset(key, data=values)
    _write_json(folder / "VG-SGG-dicts.json", _vocabulary(records))
    _write_json(folder / "image_data.json", [_image_data(record.place) for record in records])
    for name, splits in TRUE_MASKS.items():
        images = [(r.place.image_id, r.true_masks) for r in records if r.place.split in splits]
        _write_instances(folder / name, images, side, GRAPH_CLASSES, digits=1)


def _columns(records: list[Record], side: int) -> dict[str, np.ndarray]:
    annotations = [record.annotation for record in records]
    boxes = np.concatenate([a.boxes for a in annotations] or [np.zeros((0, 4))])
    labels = [GRAPH_CLASSES.index(name) + 1 for a in annotations for name in a.names]
    predicates = [PREDICATES.index(p) + 1 for a in annotations for _, p, _ in a.relations]
    first_box = np.cumsum([0, *(len(a.names) for a in annotations)])
    pairs = [
        (first + s, first + o) for first, a in zip(first_box, annotations, strict=False) for s, _, o in a.relations
    ]
    ranges = _ranges("box", [len(a.names) for a in annotations]) | _ranges(
        "rel", [len(a.relations) for a in annotations]
    )
    return ranges | {
        **{f"boxes_{longer}": _centred(boxes * longer / side) for longer in LONGER_SIDES},
        "labels": np.array(labels, np.int64).reshape(-1, 1),
        "active_object_mask": np.ones((len(labels), 1), bool),
        "relationships": np.array(pairs, np.int32).reshape(-1, 2),
        "predicates": np.array(predicates, np.int64).reshape(-1, 1),
        "split": np.array([2 if record.place.split == "test" else 0 for record in records], np.int32),
    }


def _ranges(kind: str, counts: list[int]) -> dict[str, np.ndarray]:
    """Two columns of VG-SGG.h5: first and last row of each image, both included; -1 for an image without rows."""
    counts, ends = np.array(counts, np.int64), np.cumsum(counts)
    first, last = np.where(counts > 0, ends - counts, -1), np.where(counts > 0, ends - 1, -1)
    return {f"img_to_first_{kind}": first.astype(np.int32), f"img_to_last_{kind}": last.astype(np.int32)}


def _centred(boxes: np.ndarray) -> np.ndarray:
    """xyxy as whole (centre x, centre y, width, height); halves are such that readers that cut them off are exact."""
    corner = np.floor(boxes[:, :2]).astype(np.int32)
    size = np.maximum(np.round(boxes[:, 2:]).astype(np.int32) - corner, 1)
    return np.concatenate([corner + (size + 1) // 2, size], 1)


def _vocabulary(records: list[Record]) -> dict:
    names = [name for record in records for name in record.annotation.names]
    predicates = [p for record in records for _, p, _ in record.annotation.relations]
    return {
        "label_to_idx": {name: i for i, name in enumerate(GRAPH_CLASSES, start=1)},
        "idx_to_label": {str(i): name for i, name in enumerate(GRAPH_CLASSES, start=1)},
        "predicate_to_idx": {name: i for i, name in enumerate(PREDICATES, start=1)},
        "idx_to_predicate": {str(i): name for i, name in enumerate(PREDICATES, start=1)},
        "object_count": {name: names.count(name) for name in GRAPH_CLASSES},
        "predicate_count": {name: predicates.count(name) for name in PREDICATES},
    }


def _image_data(place: Place) -> dict:
    shared = {"url": None, "coco_id": place.mask_image_id, "flickr_id": None}
    return {"image_id": place.image_id, "width": place.side, "height": place.side} | shared


def _write_instances(path: Path, images: list[tuple[int, list[dict]]], side: int, classes, digits: int) -> None:
    """A COCO instances file. `images` are (id, records without ids), annotations are numbered through them."""
    numbered = [(image_id, record) for image_id, records in images for record in records]
    content = {
        # An earlier name of this room, kept since a world's bytes are frozen.
        "info": {"description": "drawn by segsg.data.world"},
        "licenses": [],
        "images": [{"id": i, "file_name": f"{i:0{digits}d}.jpg", "width": side, "height": side} for i, _ in images],
        "categories": [{"id": i, "name": name, "supercategory": "drawn"} for i, name in enumerate(classes, start=1)],
        "annotations": [{"id": n, "image_id": i} | record for n, (i, record) in enumerate(numbered, start=1)],
    }
    _write_json(path, content)


def _mask_set_records(drawn: Drawn) -> list[dict]:
    """COCO records (without ids) for the mask set: those objects that a mask class describes.

    Outlines that one closed curve describes row by row are polygons; every 25th image turns the instances of a
    class that it has several of into one crowd.
    """
    names = [ORACLE.get(name) if drawn.place.set_name == "scene_graphs" else name for name in drawn.annotation.names]
    chosen = [i for i, name in enumerate(names) if name in MASK_CLASSES]
    names, masks = [names[i] for i in chosen], drawn.masks()[chosen]
    records = _encoded(masks, names, MASK_CLASSES)
    for record, mask in zip(records, masks, strict=True):
        record["segmentation"] = _polygon(mask) or record["segmentation"]
    crowd = next((name for name in names if names.count(name) > 1), None) if drawn.place.index % 25 == 3 else None
    if crowd is None:
        return records
    together = masks[np.array(names) == crowd].any(0)
    return [record for record, name in zip(records, names, strict=True) if name != crowd] + [_crowd(together, crowd)]


def _encoded(masks: np.ndarray, names: list[str], classes: tuple[str, ...]) -> list[dict]:
    if not len(masks):
        return []
    codes = rle.encode(np.asfortranarray(masks.transpose(1, 2, 0).astype(np.uint8)))
    return [
        {
            "category_id": classes.index(name) + 1,
            "segmentation": {"size": list(code["size"]), "counts": code["counts"].decode("ascii")},
            "bbox": box.tolist(),
            "area": int(area),
            "iscrowd": 0,
        }
        for name, code, box, area in zip(names, codes, rle.toBbox(codes), rle.area(codes), strict=True)
    ]


def _polygon(mask: np.ndarray) -> list[list[float]] | None:
    """The outline as one polygon, where each row of the mask is one run and no row between is empty."""
    rows = np.flatnonzero(mask.any(1))
    part = mask[rows[0] : rows[-1] + 1]
    if (np.diff(np.pad(part, ((0, 0), (1, 1))).astype(np.int8), axis=1) > 0).sum(1).tolist() != [1] * len(part):
        return None
    left, right = part.argmax(1), part.shape[1] - part[:, ::-1].argmax(1)
    down = [(float(x), float(rows[0] + y + end)) for y, x in enumerate(right) for end in (0, 1)]
    up = [(float(x), float(rows[0] + y + end)) for y, x in reversed(list(enumerate(left))) for end in (1, 0)]
    return [[value for point in down + up for value in point]]


def _crowd(mask: np.ndarray, name: str) -> dict:
    """A crowd record with uncompressed run lengths, as COCO's files have them."""
    flat = mask.ravel(order="F")
    counts = np.diff(np.flatnonzero(np.diff(flat, prepend=False, append=~flat[-1])), prepend=0)
    (record,) = _encoded(mask[None], [name], MASK_CLASSES)
    return record | {"segmentation": {"size": list(mask.shape), "counts": counts.tolist()}, "iscrowd": 1}
