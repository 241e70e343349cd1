"""A few images of a whole data set, in its own layout: annotations are cut, photos stay where they are."""

import json
import os
from pathlib import Path

import h5py
import numpy as np

from segsg.data.visual_genome_file import Rows, read_rows
from segsg.files import field, read_json, write_text

TRAIN, TEST = 0, 2
NONE = -1
"""first and last box of an image without boxes"""


def cut_graphs(annotations: Path, train: int, test: int, target: Path) -> None:
    """Writes VG-SGG.h5 to `target` with the boxes and relations of so many images of each split.

    They lie at equal distances among those with a relation. All others keep their row, so that image_data.json is as
    right as before, and lose their boxes, so that no set holds them. DataError if `annotations` is not such a file.
    """
    rows = read_rows(annotations)
    kept = np.zeros(len(rows.split), dtype=bool)
    for split, images in ((TRAIN, train), (TEST, test)):
        complete = (rows.boxes_of[:, 0] >= 0) & (rows.relations_of[:, 0] >= 0) & (rows.split == split)
        kept[_spread(np.flatnonzero(complete), images)] = True
    part = target.with_name(f"{target.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(part, "w") as file:
        for name, values in _arrays(rows, kept).items():
            file[name] = values
    os.replace(part, target)


def _arrays(rows: Rows, kept: np.ndarray) -> dict[str, np.ndarray]:
    arrays = {name: getattr(rows, name) for name in ("split", "boxes_1024", "labels", "relationships", "predicates")}
    for kind, ranges in (("box", rows.boxes_of), ("rel", rows.relations_of)):
        first, last = np.where(kept[:, None], ranges, NONE).T
        arrays |= {f"img_to_first_{kind}": first, f"img_to_last_{kind}": last}
    return arrays


def cut_masks(annotations: Path, images: int, target: Path) -> None:
    """Writes a file of COCO instances to `target` with so many of its images, at equal distances among those with one.

    DataError if `annotations` is not such a file.
    """
    record = read_json(annotations)
    instances = field(annotations, "file", record, "annotations", list)
    owners = {field(annotations, "annotation", instance, "image_id") for instance in instances}
    found = [
        image
        for image in field(annotations, "file", record, "images", list)
        if field(annotations, "image", image, "id") in owners
    ]
    kept = [found[place] for place in _spread(np.arange(len(found)), images)]
    ids = {image["id"] for image in kept}
    of_kept = [instance for instance in instances if instance["image_id"] in ids]
    write_text(target, json.dumps(record | {"images": kept, "annotations": of_kept}))


def _spread(places: np.ndarray, count: int) -> np.ndarray:
    """So many of `places` at equal distances; all if there are fewer."""
    count = min(count, len(places))
    return places[np.arange(count) * len(places) // max(count, 1)]
