"""Which predicate the pixels of a pair bear out.

Lengths and areas below are for a photo of 160 x 160 pixels and grow with its side.
"""

from dataclasses import dataclass

import numpy as np

from segsg.world.brush import UNITS
from segsg.world.render import Picture

ENGAGED = ("holding", "wearing", "has", "attached to", "inside", "under", "riding")
"""each of the two covers a part of the other: a thumb over the cup that lies over the palm"""
TOUCHING = ("on", "leaning on", "hanging from")
ENGAGED_AREA, TOUCHING_LENGTH, OCCLUSION_AREA = 3, 2, 14
NEAR_GAP = (7, 26)


@dataclass(frozen=True)
class Pixels:
    """The pixel rules for one picture."""

    picture: Picture

    @property
    def unit(self) -> float:
        """Pixels of the photo per world unit."""
        return len(self.picture.owner) / UNITS

    def engaged(self, a: int, b: int) -> bool:
        """Whether each covers a part of the other, and they touch where one can see it."""
        covers = self.picture.covers
        return bool(min(covers[a, b], covers[b, a]) >= ENGAGED_AREA * self.unit**2) and self.touching(a, b)

    def touching(self, a: int, b: int) -> bool:
        """Whether the seen parts of two objects touch."""
        return bool(self.picture.contact[a, b] >= TOUCHING_LENGTH * self.unit)

    def before(self, a: int, b: int) -> bool:
        """Whether a hides a part of b, and b next to nothing of a."""
        covers = self.picture.covers
        return bool(covers[a, b] >= OCCLUSION_AREA * self.unit**2 and covers[b, a] < 0.25 * covers[a, b])

    def near(self, a: int, b: int) -> bool:
        """Whether the seen parts are close together with a gap that a coarse mask can show."""
        return NEAR_GAP[0] * self.unit <= self.gap(a, b) <= NEAR_GAP[1] * self.unit

    def gap(self, a: int, b: int) -> float:
        """The distance between the seen parts in pixels, to within a pixel."""
        if not (self.picture.area[a] and self.picture.area[b]):
            return np.inf
        one, other = self.picture.outline(a)[::2], self.picture.outline(b)
        across = (one[:, :1] - other[:, 0]) ** 2 + (one[:, 1:] - other[:, 1]) ** 2
        return float(np.sqrt(across.min()))

    def predicate(self, subject: int, meant: str, object_: int) -> str | None:
        """What holds between the two: what was meant if the pixels agree, else overlap or nearness."""
        if meant in ENGAGED and self.engaged(subject, object_):
            return meant
        if meant in TOUCHING and self.touching(subject, object_):
            return meant
        return self.incidental(subject, object_)

    def incidental(self, subject: int, object_: int) -> str | None:
        """What holds between two objects that no template brought together."""
        if self.before(subject, object_):
            return "in front of"
        if self.before(object_, subject):
            return "behind"
        return "near" if self.near(subject, object_) else None
