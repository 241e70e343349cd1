"""The three steps from a photo to its graph, each a slot: what is found, its masks, and how it is related.

`Found` is what passes between them: the regions of one photo, whoever found them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from segsg.photos.input import Pixels


@dataclass(frozen=True)
class Found:
    """The regions of one photo. ValueError if its parts are of different lengths."""

    names: tuple[str, ...]
    """class of each region"""
    scores: Float[np.ndarray, "regions"]
    """in 0..1; 1 for what a person drew"""
    boxes: Float[np.ndarray, "regions 4"]
    """x1, y1, x2, y2 in pixels of the upright photo, within it"""
    masks: tuple[dict | None, ...]
    """COCO's compressed run lengths in the frame of the photo, counts as text; None where the mask is not known"""

    def __post_init__(self):
        lengths = {len(self.names), len(self.scores), len(self.boxes), len(self.masks)}
        if len(lengths) != 1:
            raise ValueError(f"names, scores, boxes and masks of regions have different lengths: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.names)

    def rows(self, kept: Sequence[int] | Int[np.ndarray, "kept"]) -> "Found":
        """Some of the regions, in the order of `kept`."""
        kept = np.asarray(kept, dtype=np.int64)
        names, masks = (tuple(part[i] for i in kept) for part in (self.names, self.masks))
        return Found(names, self.scores[kept], self.boxes[kept], masks)


def nothing() -> Found:
    """A photo without regions."""
    return Found((), np.zeros(0), np.zeros((0, 4)), ())


@runtime_checkable
class Finder(Protocol):
    """Finds the regions of photos. A module with weights, or anything else that can."""

    def find(self, photos: Sequence[Pixels]) -> list[Found]:
        """The regions of each photo, surest first. None depends on the photos beside it."""


@runtime_checkable
class Masker(Protocol):
    """Finds the masks of boxes, whatever class they are of, from the pixels in them."""

    def masks(
        self, photo: Pixels, boxes: Float[np.ndarray, "regions 4"]
    ) -> tuple[Float[np.ndarray, "regions side side"], Float[np.ndarray, "regions 4"]]:
        """Probability that a cell belongs to the object of its box, and the frames of the cells.

        Boxes and frames are xyxy in pixels of the photo; a frame may reach beyond its box and beyond the photo.
        """


@runtime_checkable
class Relater(Protocol):
    """Relates regions of a photo by what is found, without pixels."""

    predicates: tuple[str, ...]

    def knows(self, name: str) -> bool:
        """Whether it can relate regions of this name."""

    def relate(
        self, found: Found, size: tuple[int, int], pairs: Int[np.ndarray, "pairs 2"]
    ) -> Float[np.ndarray, "pairs predicates"]:
        """Calibrated probability of each predicate for each (subject, object); `size` is (height, width).

        What is missing from 1 in a row is the probability that the two have no relation.
        """
