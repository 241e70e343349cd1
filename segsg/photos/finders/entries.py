"""What a file of detections says of one photo, in whatever format: checked, not yet held against the photo."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from segsg.files import DataError
from segsg.photos.finders.outlines import UPRIGHT, Outline, runs_in
from segsg.photos.found import Found, nothing
from segsg.photos.graph import Box
from segsg.values import CORRECT, are_finite, once, shown

MOST_REGIONS = 100
"""of a photo; all of their pairs are looked at"""


@dataclass(frozen=True)
class Detected:
    """One region as a file has it. `item` is what to call it; `box` is x1, y1, x2, y2 in pixels or in shares."""

    item: str
    name: str
    score: float
    box: Box
    outline: Outline = None


@dataclass
class Entry:
    """The regions of one photo. `size` is (height, width) if the file says it; `shares`: boxes are parts of it."""

    regions: list[Detected] = field(default_factory=list)
    size: tuple[int, int] | None = None
    shares: bool = False


@dataclass
class Counts:
    """What was left out, over all photos so far."""

    flat: int = 0
    """regions without width or height"""
    beyond: int = 0
    """regions after the surest `MOST_REGIONS` of a photo"""


class Detections:
    """The photos in a file of detections by name, and what was left out of them.

    `entries` are {name of a photo: its entry}: a file name, with folders or without, with an ending or (`bare`)
    without. DataError if a name stands twice.
    """

    def __init__(self, path: Path, entries: Iterable[tuple[str, Entry]], *, bare: bool = False):
        self.path, self.bare, self.counts = path, bare, Counts()
        entries = list(entries)
        once(path, "photo", (name for name, _ in entries))
        self._entries = dict(entries)
        self._by_last: dict[str, list[str]] = {}
        for name in self._entries:
            self._by_last.setdefault(PurePath(name).name, []).append(name)

    def __len__(self) -> int:
        return len(self._entries)

    def key(self, photo: Path) -> str | None:
        """The name of a photo in the file: the longest end of its path that is there; None if there is none.

        DataError if the file has the photo's name in several folders, and none of them is the photo's.
        """
        parts = (*photo.parts[:-1], photo.stem if self.bare else photo.name)
        for first in range(len(parts)):
            name = "/".join(parts[first:])
            if name in self._entries:
                return name
        others = self._by_last.get(parts[-1], [])
        if len(others) > 1:
            raise DataError(self.path, f"photo '{parts[-1]}'", "is in several folders of it", "give them as folders")
        return others[0] if others else None

    def keys(self, photos: Iterable[Path]) -> dict[Path, str | None]:
        """The name of each photo in the file. DataError if two photos have one name there."""
        keys, owner = {photo: self.key(photo) for photo in photos}, {}
        for photo, key in keys.items():
            if key is not None and owner.setdefault(key, photo) != photo:
                rule = f"is the name of {owner[key]} and of {photo}"
                raise DataError(self.path, f"photo '{key}'", rule, "write their folders in the file")
        return keys

    def missing(self, photos: Iterable[Path]) -> tuple[int, int]:
        """(photos that the file does not name, names in the file that are of none of the photos)."""
        keys = list(self.keys(photos).values())
        return keys.count(None), len(self._entries) - sum(key is not None for key in keys)

    def found(self, photo: Path, size: tuple[int, int], *, count: bool = True) -> Found:
        """The regions of a photo of `size` (height, width), surest first; none if the file does not name it.

        Boxes are clipped to the photo. What is left out is counted, unless it was before.
        DataError if a box or a mask does not belong to a photo of this size.
        """
        key = self.key(photo)
        if key is None:
            return nothing()
        entry = self._entries[key]
        if entry.size not in (None, size):
            rule = f"is {entry.size} (height, width) in it, and {size} in {photo}"
            raise DataError(self.path, f"photo '{key}'", rule, UPRIGHT)
        rows = sorted(entry.regions, key=lambda region: -region.score)
        scale = np.array([size[1], size[0]] * 2 if entry.shares else [1.0] * 4)
        boxes = np.array([self._clipped(key, region, scale, size) for region in rows]).reshape(-1, 4)
        solid = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        kept = solid[:MOST_REGIONS]
        if count:
            self.counts.flat += len(rows) - len(solid)
            self.counts.beyond += len(solid) - len(kept)
        of_photo = [rows[i] for i in kept]
        masks = tuple(runs_in(self.path, _called(key, each), each.outline, size) for each in of_photo)
        scores = np.array([each.score for each in of_photo], dtype=float)
        return Found(tuple(each.name for each in of_photo), scores, boxes[kept], masks)

    def _clipped(self, key: str, region: Detected, scale: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        box, end = np.array(region.box, dtype=float) * scale, np.array([size[1], size[0]] * 2, dtype=float)
        if (box[:2] > end[:2]).any() or (box[2:] < 0).any():
            rule = f"box {[round(side, 1) for side in box.tolist()]} lies outside the photo of {size[1]} x {size[0]}"
            raise DataError(self.path, _called(key, region), rule, UPRIGHT)
        return box.clip(0, end)

    def remarks(self) -> list[str]:
        """What a user should know of regions that were left out."""
        flat, beyond = self.counts.flat, self.counts.beyond
        said = [f"{flat} regions without width or height, left out"] if flat else []
        said += [f"{beyond} regions left out: the surest {MOST_REGIONS} of a photo are taken"] if beyond else []
        return [f"{self.path}: {line}" for line in said]


def _called(key: str, region: Detected) -> str:
    return f"photo '{key}': {region.item}"


def score_of(path: Path, item: str, record: dict) -> float:
    """`record["score"]`, a number in 0..1; 1 where there is none, as for what a person drew."""
    value = record.get("score", 1.0)
    if not are_finite([value]) or not 0 <= value <= 1:
        rule = f"score {shown(value)} is not a number from 0 to 1"
        raise DataError(path, item, rule, "give probabilities, not logits or per cent")
    return float(value)


def box_of(path: Path, item: str, key: str, value: Any) -> list[float]:
    """Four finite numbers. DataError for anything else."""
    if type(value) is not list or len(value) != 4 or not are_finite(value):
        raise DataError(path, item, f"'{key}' is {shown(value)}, not four finite numbers", CORRECT)
    return [float(side) for side in value]


def ordered(path: Path, item: str, box: Box) -> Box:
    """x1, y1, x2, y2 in this order. DataError where a side is negative."""
    if box[2] < box[0] or box[3] < box[1]:
        rule = f"box {[round(side, 2) for side in box]} has x2 < x1 or y2 < y1"
        raise DataError(path, item, rule, "write x1, y1, x2, y2 (in COCO's files x, y, width, height)")
    return box
