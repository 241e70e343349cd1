"""One image of a drawn world, drawn from nothing but its place in the world."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image
from pycocotools import mask as rle

from segsg.world.annotate import Annotation, annotate
from segsg.world.classes import MASK_CLASSES, ORACLE
from segsg.world.compose import compose, empty
from segsg.world.render import Picture, render
from segsg.world.scene import GRAPH_CAST, GRAPH_TEST_CAST, MASK_CAST

SETS = {"scene_graphs": 0, "masks": 1}
SPLITS = {"train": 0, "validation": 1, "test": 2}
WITHOUT_RELATIONS, WITHOUT_BOXES = (50, 7), (100, 23)
"""of each 50 training images the 8th has no annotated relation; of each 100 the 24th shows nothing at all"""
QUALITY = 95


@dataclass(frozen=True)
class Place:
    """Where an image belongs: it is a function of these alone, whoever draws it."""

    seed: int
    set_name: str
    split: str
    index: int
    image_id: int
    side: int
    mask_image_id: int | None = None
    """the id under which the mask set contains it too"""


@dataclass(frozen=True)
class Drawn:
    place: Place
    annotation: Annotation
    picture: Picture

    def jpeg(self) -> bytes:
        """The photo as a file."""
        buffer = io.BytesIO()
        Image.fromarray(self.picture.photo).save(buffer, "JPEG", quality=QUALITY)
        return buffer.getvalue()

    def masks(self) -> np.ndarray:
        """Seen pixels of each annotated object: bool [objects, side, side]."""
        return self.picture.owner == np.array(self.annotation.numbers, np.int16).reshape(-1, 1, 1)


def draw_image(place: Place) -> Drawn:
    """The image at a place, with its annotation."""
    rng = np.random.default_rng([place.seed, SETS[place.set_name], SPLITS[place.split], place.index])
    training = place.set_name == "scene_graphs" and place.split == "train"
    if training and place.index % WITHOUT_BOXES[0] == WITHOUT_BOXES[1]:
        return _drawn(place, rng, empty, GRAPH_CAST)
    if training:
        drawn = _drawn(place, rng, compose, GRAPH_CAST)
        return _unrelated(drawn) if place.index % WITHOUT_RELATIONS[0] == WITHOUT_RELATIONS[1] else drawn
    if place.set_name == "masks":
        return _drawn(place, rng, compose, MASK_CAST)
    # Readers leave out rows without relations, and count validation images after that: none here may be left out.
    while not (drawn := _drawn(place, rng, compose, GRAPH_TEST_CAST)).annotation.relations:
        pass
    return drawn


def _drawn(place: Place, rng: np.random.Generator, composer, cast) -> Drawn:
    scene = composer(rng, cast)
    picture = render(scene, place.side)
    return Drawn(place, annotate(scene, picture), picture)


def _unrelated(drawn: Drawn) -> Drawn:
    annotation = drawn.annotation
    return Drawn(drawn.place, Annotation(annotation.numbers, annotation.names, annotation.boxes, []), drawn.picture)


def true_mask_records(drawn: Drawn) -> list[dict]:
    """COCO records (without ids) of every annotated object, in the order of its boxes."""
    return _records(drawn.masks())


def mask_set_records(drawn: Drawn) -> list[dict]:
    """COCO records (without ids) for the mask set: those objects that a mask class describes.

    Outlines that one closed curve describes row by row are polygons; every 25th image turns the instances of a
    class that it has several of into one crowd.
    """
    names = [ORACLE.get(name) if drawn.place.set_name == "scene_graphs" else name for name in drawn.annotation.names]
    chosen = [i for i, name in enumerate(names) if name in MASK_CLASSES]
    masks = drawn.masks()[chosen]
    categories = [MASK_CLASSES.index(names[i]) + 1 for i in chosen]
    records = [{"category_id": c} | record for c, record in zip(categories, _records(masks), strict=True)]
    for record, mask in zip(records, masks, strict=True):
        record["segmentation"] = _polygon(mask) or record["segmentation"]
    crowd = next((c for c in categories if categories.count(c) > 1), None) if drawn.place.index % 25 == 3 else None
    if crowd is None:
        return records
    together = masks[np.array(categories) == crowd].any(0)
    return [r for r in records if r["category_id"] != crowd] + [{"category_id": crowd} | _crowd(together)]


def _records(masks: np.ndarray) -> list[dict]:
    if not len(masks):
        return []
    codes = rle.encode(np.asfortranarray(masks.transpose(1, 2, 0).astype(np.uint8)))
    boxes, areas = rle.toBbox(codes), rle.area(codes)
    return [
        {
            "segmentation": {"size": list(code["size"]), "counts": code["counts"].decode("ascii")},
            "bbox": box.tolist(),
            "area": int(area),
            "iscrowd": 0,
        }
        for code, box, area in zip(codes, boxes, areas, strict=True)
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


def _crowd(mask: np.ndarray) -> dict:
    """A crowd record with uncompressed run lengths, as COCO's files have them."""
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [not flat[-1]]]).astype(np.int8)) != 0)
    counts = np.diff(np.concatenate([[0], edges, [] if edges[-1] == len(flat) else [len(flat)]])).astype(int)
    (record,) = _records(mask[None])
    return record | {"segmentation": {"size": list(mask.shape), "counts": counts.tolist()}, "iscrowd": 1}
