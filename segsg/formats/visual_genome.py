"""An annotated set as a folder in Visual Genome's layout, which studies read: VG-SGG.h5, names, image list, photos."""

import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Float, Int

from segsg.data.photos import opened
from segsg.data.visual_genome_file import LONGER_SIDE, SPLITS
from segsg.data.words import Vocabulary
from segsg.files import DataError, read_json, to_json, whole_folder, write_text
from segsg.formats.annotated import OUTSIDE, AnnotatedSet, Photo, centres_outside, kept

ARRAYS, NAMES, LIST, PHOTOS = "VG-SGG.h5", "VG-SGG-dicts.json", "image_data.json", "VG_100K"
RECORD = "converted.json"
"""what the folder was made of; only a folder that has it is replaced"""
ASPECT = 0.02
"""share by which the aspect of a photo may differ from that of the frame of its boxes"""
ABSENT = "photos that are not there"


def write(
    folder: Path, source: AnnotatedSet, photos: Sequence[Path], *, skip_missing: bool, made_of: Mapping
) -> Counter:
    """Writes `folder` whole or not at all, and returns how many entries of each kind are left out.

    Photos are found by name in the folders `photos`. They become hard links named by image ids 1, 2 ..., copies where
    the disk cannot link. `made_of` goes into the record. With `skip_missing` photos that are not there are left out.
    Sizes come from the heads of the photos' files, unless the source gives them. DataError for a photo that is not
    there or has another aspect than its boxes, and where more than 2 in 100 centres of boxes are outside their photos.
    ValueError if `folder` holds anything else than an earlier result.
    """
    check_replaceable(folder)
    found, left_out = [], Counter(source.left_out)
    for photo in source.photos:
        path = _find(photos, photo.name, skip_missing)
        if path is None:
            left_out[ABSENT] += 1
        else:
            found.append((photo, path, _size(photo, path)))
    if not found:
        raise DataError(photos[0], "folder", "has none of the photos", "name the folder that has them: --photos")
    _check_frame(photos[0], [(photo, size) for photo, _, size in found])
    kept_photos = []
    for photo, _, size in found:
        whole, counts = kept(photo, size)
        kept_photos.append(whole)
        left_out += counts
    with whole_folder(folder) as part:
        _write_arrays(part / ARRAYS, kept_photos)
        write_text(part / NAMES, to_json(_numbers(source.vocabulary)))
        write_text(part / LIST, to_json([_entry(number, photo) for number, photo in enumerate(kept_photos, start=1)]))
        (part / PHOTOS).mkdir()
        for number, (_, path, _) in enumerate(found, start=1):
            _link(path, part / PHOTOS / f"{number}.jpg")
        write_text(part / RECORD, to_json({**made_of, "photos": len(found), "left_out": dict(left_out)}))
    return left_out


def check_replaceable(folder: Path) -> None:
    """ValueError if `folder` is there and holds anything else than what `write` has left."""
    if not os.path.lexists(folder):
        return
    way_out = "name another folder for --out"
    if folder.is_symlink() or not folder.is_dir():
        raise ValueError(f"{folder}: is no folder; {way_out}")
    there = {path.name for path in folder.iterdir()}
    if there and RECORD not in there:
        raise ValueError(f"{folder}: holds something that no `segsg convert` wrote; {way_out}")
    if others := sorted(there - {ARRAYS, NAMES, LIST, PHOTOS, RECORD}):
        raise ValueError(f"{folder / others[0]}: would be lost, and no `segsg convert` wrote it; {way_out}")
    if there:
        count = read_json(folder / RECORD)["photos"]
        ours = {f"{number}.jpg" for number in range(1, count + 1)}
        if others := sorted({path.name for path in (folder / PHOTOS).glob("*")} - ours):
            raise ValueError(
                f"{folder / PHOTOS / others[0]}: would be lost, and no `segsg convert` wrote it; {way_out}"
            )


def _find(folders: Sequence[Path], name: str, skip_missing: bool) -> Path | None:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise DataError(
            folders[0], f"photo '{name}'", "has a name that leads out of the folder", "give it a plain name"
        )
    paths = [folder / name for folder in folders if os.path.isfile(folder / name)]
    if len(paths) > 1:
        rule = f"is in {paths[0].parent} and in {paths[1].parent}"
        raise DataError(paths[0], "photo", rule, "keep one of the two")
    if not paths and not skip_missing:
        way_out = "put it there, name one more folder for --photos, or leave such photos out: --skip-missing"
        raise DataError(folders[0] / name, "photo", "is missing", way_out)
    return paths[0] if paths else None


def _size(photo: Photo, path: Path) -> tuple[int, int]:
    """(height, width) of the frame of the boxes."""
    with opened(path) as file:
        height, width = file.height, file.width
    if photo.size is None:
        return height, width
    listed_height, listed_width = photo.size
    if abs(width * listed_height / (height * listed_width) - 1) > ASPECT:
        rule = f"is {width} x {height}, and its annotation says {listed_width} x {listed_height}"
        raise DataError(path, "photo", rule, "take photos and annotations from the same source")
    return photo.size


def _check_frame(folder: Path, photos: list[tuple[Photo, tuple[int, int]]]) -> None:
    outside = [centres_outside(photo, size) for photo, size in photos]
    boxes = sum(len(photo.boxes) for photo, _ in photos)
    if sum(outside) > OUTSIDE * boxes:
        (height, width), name = next((size, p.name) for (p, size), count in zip(photos, outside, strict=True) if count)
        rule = f"{sum(outside)} of {boxes} box centres lie outside their photos, as in '{name}' of {width} x {height}"
        raise DataError(folder, "photos", rule, "give the photos in the size in which their boxes were drawn")


def _write_arrays(path: Path, photos: Sequence[Photo]) -> None:
    boxes = [encode(photo.boxes, *photo.size) for photo in photos]
    first_box, last_box = _ranges([len(photo.boxes) for photo in photos])
    first_relation, last_relation = _ranges([len(photo.relations) for photo in photos])
    pairs = [photo.relations[:, :2] + first for photo, first in zip(photos, first_box, strict=True)]
    arrays = {
        "split": [SPLITS[photo.split == "test"] for photo in photos],
        "img_to_first_box": first_box,
        "img_to_last_box": last_box,
        "img_to_first_rel": first_relation,
        "img_to_last_rel": last_relation,
        "boxes_1024": np.concatenate(boxes),
        "labels": np.concatenate([photo.labels for photo in photos]),
        "relationships": np.concatenate(pairs),
        "predicates": np.concatenate([photo.relations[:, 2] for photo in photos]),
    }
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = np.asarray(values, dtype=np.int64)


def encode(boxes: Float[np.ndarray, "regions 4"], height: int, width: int) -> Int[np.ndarray, "regions 4"]:
    """Corners in a height x width photo -> whole (centre x, centre y, width, height) at longer side 1024.

    A corner moves by at most one pixel of that frame; a box keeps a pixel each way.
    """
    first, last = np.split(boxes * (LONGER_SIDE / max(height, width)), 2, axis=1)
    return np.hstack([np.rint((first + last) / 2), np.maximum(np.rint(last - first), 1)]).astype(np.int64)


def _ranges(counts: Sequence[int]) -> tuple[Int[np.ndarray, "images"], Int[np.ndarray, "images"]]:
    """First and last row of each image, -1 and -1 where it has none."""
    counts = np.asarray(counts, dtype=np.int64)
    last = np.cumsum(counts) - 1
    has_rows = counts > 0
    return np.where(has_rows, last - counts + 1, -1), np.where(has_rows, last, -1)


def _numbers(names: Vocabulary) -> dict[str, dict[str, int]]:
    kinds = {"label_to_idx": names.classes, "predicate_to_idx": names.predicates}
    return {key: {name: number for number, name in enumerate(listed, start=1)} for key, listed in kinds.items()}


def _entry(number: int, photo: Photo) -> dict:
    height, width = photo.size
    return {"image_id": number, "width": width, "height": height, "coco_id": photo.shared, "file_name": photo.name}


def _link(source: Path, target: Path) -> None:
    """A hard link; a copy on another disk, or where the system forbids links."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
