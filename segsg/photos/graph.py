"""What a bundle says about one photo."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, UInt8
from pycocotools import mask as coco_masks

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the photo, upright"""


@dataclass(frozen=True)
class Region:
    """An object that was found. `runs` is its mask as COCO's compressed run lengths, None if the model has no masks."""

    name: str
    score: float
    box: Box
    runs: dict | None = field(repr=False)

    @property
    def mask(self) -> Bool[np.ndarray, "h w"] | None:
        """The mask in the frame of the photo."""
        return None if self.runs is None else coco_masks.decode(self.runs).astype(bool)


@dataclass(frozen=True)
class PairRegion:
    """Where two regions meet in the eyes of the model: m_jj' of eq. 6, in the frame of their union box."""

    box: Box
    weights: Float[np.ndarray, "28 28"] = field(repr=False)


@dataclass(frozen=True)
class Relation:
    """`subject` and `object` count regions; `score` is the product of both regions' and the predicate's probability."""

    subject: int
    predicate: str
    object: int
    score: float
    where: PairRegion | None = None


@dataclass(frozen=True)
class PhotoGraph:
    """The regions of a photo, and its relations, surest first. `image` is the photo upright, without transparency."""

    image: UInt8[np.ndarray, "h w 3"] = field(repr=False)
    regions: tuple[Region, ...]
    relations: tuple[Relation, ...]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo in pixels."""
        return self.image.shape[:2]

    def related(self) -> list[int]:
        """Regions that have a relation, in order."""
        return sorted({region for relation in self.relations for region in (relation.subject, relation.object)})


def runs_of(mask: Bool[np.ndarray, "h w"]) -> dict:
    """A mask as COCO's compressed run lengths, ready for JSON: {"size": [h, w], "counts": text}."""
    runs = coco_masks.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(side) for side in runs["size"]], "counts": runs["counts"].decode("ascii")}
