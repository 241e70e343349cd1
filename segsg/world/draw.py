"""Draw a whole world: two data sets that share some of their classes and a few of their images."""

import multiprocessing
import os
import shutil
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from segsg.world.classes import GRAPH_CLASSES
from segsg.world.files import write_json, write_masks, write_scene_graphs, write_true_masks
from segsg.world.images import Place, draw_image, mask_set_records, true_mask_records

MASK_IDS = {"train": 100_000, "validation": 200_000}
SHARED_IDS = 300_000
SCENE_GRAPH_PHOTOS, MASK_PHOTOS = "scene_graphs/VG_100K", {"train": "masks/train2017", "validation": "masks/val2017"}
TRUE_MASKS = {"true_masks.json": ("validation", "test"), "true_masks_train.json": ("train",)}
SETTINGS = "world.json"
"""written last, hence the mark of a world that is complete"""


@dataclass(frozen=True)
class Settings:
    """What a world is drawn from; equal settings give equal bytes."""

    train: int
    validation: int
    test: int
    masks_train: int
    masks_validation: int
    side: int = 160
    shared: float = 0.1
    seed: int = 0

    def places(self) -> list[Place]:
        """Every image: validation, training and test rows of the scene-graph set, then the mask set."""
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
        """Spread evenly over each split."""
        return SHARED_IDS + image_id if int((index + 1) * self.shared) > int(index * self.shared) else None


def draw(
    folder: Path | str,
    *,
    train: int,
    validation: int,
    test: int,
    masks_train: int,
    masks_validation: int,
    side: int = 160,
    shared: float = 0.1,
    seed: int = 0,
    workers: int = 2,
) -> None:
    """Draw a world into `folder`, which holds `scene_graphs` (Visual Genome's layout) and `masks` (COCO's).

    `shared` is the share of each scene-graph split that the training images of the mask set contain too.
    The bytes written depend on neither `workers` nor what was there before. A world in `folder` is replaced once
    the new one is complete; anything else in `folder` is a ValueError.
    """
    settings = Settings(train, validation, test, masks_train, masks_validation, side, shared, seed)
    places, folder = settings.places(), Path(folder)
    if folder.exists() and any(folder.iterdir()) and not (folder / SETTINGS).exists():
        raise ValueError(
            f"{folder}: holds something other than a complete drawn world; remove it or name another folder"
        )
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    for name in (SCENE_GRAPH_PHOTOS, *MASK_PHOTOS.values(), "masks/annotations"):
        (part / name).mkdir(parents=True)
    _write_world(part, _records(part, places, workers), settings)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(part, folder)


def _records(part: Path, places: list[Place], workers: int) -> list[dict]:
    bar = partial(tqdm, total=len(places), desc="drawing", unit="image", disable="TQDM_DISABLE" in os.environ)
    work = partial(_draw_and_save, part)
    if workers <= 1:
        return list(bar(map(work, places)))
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        return list(bar(pool.imap(work, places, chunksize=16)))


def _draw_and_save(part: Path, place: Place) -> dict:
    """Draw one image, save its photo, and return what the annotation files need."""
    drawn = draw_image(place)
    photo, is_graph = drawn.jpeg(), place.set_name == "scene_graphs"
    mask_split = None if place.mask_image_id is None else "train" if is_graph else place.split
    if is_graph:
        (part / SCENE_GRAPH_PHOTOS / f"{place.image_id}.jpg").write_bytes(photo)
    if mask_split is not None:
        (part / MASK_PHOTOS[mask_split] / f"{place.mask_image_id:012d}.jpg").write_bytes(photo)
    return {
        "set": place.set_name,
        "split": place.split,
        "image_id": place.image_id,
        "mask_image_id": place.mask_image_id,
        "mask_split": mask_split,
        "names": drawn.annotation.names,
        "boxes": drawn.annotation.boxes,
        "relations": drawn.annotation.relations,
        "true_masks": _true_masks(drawn) if is_graph else None,
        "mask_set": mask_set_records(drawn) if mask_split else None,
    }


def _true_masks(drawn) -> list[dict]:
    names = drawn.annotation.names
    records = zip(names, true_mask_records(drawn), strict=True)
    return [{"category_id": GRAPH_CLASSES.index(name) + 1} | record for name, record in records]


def _write_world(part: Path, records: list[dict], settings: Settings) -> None:
    graphs = [record for record in records if record["set"] == "scene_graphs"]
    write_scene_graphs(part / "scene_graphs", graphs, settings.side)
    for name, splits in TRUE_MASKS.items():
        images = [record for record in graphs if record["split"] in splits]
        write_true_masks(part / "scene_graphs" / name, images, settings.side)
    write_masks(part / "masks" / "annotations", records, settings.side)
    write_json(part / SETTINGS, asdict(settings))
