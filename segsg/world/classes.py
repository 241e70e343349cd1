"""Vocabularies of the two drawn data sets, and which of their names and triplets a scene may use.

The two sets share only part of their names. Classes of a family are drawn alike, whichever set they are of, so that
a mask head that knows the mask class can outline the scene-graph class: that mask class is the latter's `ORACLE`.
"""

import hashlib
from dataclasses import dataclass

FAMILIES = {
    "people": (("man", "woman", "boy", "girl"), ("person",)),
    "animal": (("dog", "cat"), ("dog",)),
    "mount": (("horse",), ("horse",)),
    "table": (("table",), ()),
    "seat": (("armchair", "bench"), ("bench", "recliner")),
    "cup": (("goblet",), ("teapot",)),
    "vessel": (("bucket",), ("tray",)),
    "case": (("crate", "basket"), ("container",)),
    "frame": (("frame",), ("doorway",)),
    "headwear": (("hat",), ("helmet",)),
    "cloth": (("coat",), ("vest",)),
    "bag": (("bag",), ("luggage",)),
    "umbrella": (("umbrella",), ()),
    "stick": (("rod",), ("rod",)),
    "ball": (("pumpkin",), ("apple",)),
    "post": (("post",), ("column",)),
    "plant": (("tree",), ("shrub",)),
    "sign": (("poster",), ("placard",)),
    "cart": (("cart",), ()),
    "wheel": (("wheel",), ("tire",)),
}
"""family of shapes -> (its scene-graph classes, its mask classes)"""
GRAPH_FAMILIES = {name: family for family, (names, _) in FAMILIES.items() for name in names}
MASK_FAMILIES = {name: family for family, (_, names) in FAMILIES.items() for name in names}
FAMILY = MASK_FAMILIES | GRAPH_FAMILIES
ORACLE = {name: masks[0] for names, masks in FAMILIES.values() if masks for name in names}
ORACLE |= {"armchair": "recliner", "table": "bench"}
"""scene-graph class -> the mask class that is drawn alike; carts and umbrellas have none"""

GRAPH_CLASSES = tuple(sorted(GRAPH_FAMILIES))
MASK_CLASSES = tuple(sorted(MASK_FAMILIES))
ENGAGED = ("holding", "wearing", "has", "attached to", "inside", "under", "riding")
"""each of the two covers a part of the other: a thumb over the cup that lies over the palm"""
TOUCHING = ("on", "leaning on", "hanging from")
PREDICATES = tuple(sorted((*ENGAGED, *TOUCHING, "in front of", "behind", "near")))
HELD_OUT_SHARE = 0.15


def held_out(subject: str, predicate: str, object_: str) -> bool:
    """Whether a triplet of names is kept out of training, by a hash of its names, whatever the seed."""
    digest = hashlib.sha256("|".join((subject, predicate, object_)).encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT_SHARE * 2**32


@dataclass(frozen=True)
class Cast:
    """Which names a data set has for each family, and whether held-out triplets may be drawn."""

    families: dict[str, str]
    zero_shot: bool

    def names(self, families: tuple[str, ...]) -> list[str]:
        """The names of some families; a family given twice counts twice."""
        return [name for family in families for name, own in self.families.items() if own == family]

    def allows(self, subject: str, predicate: str, object_: str) -> bool:
        """Whether a triplet may appear."""
        return self.zero_shot or not held_out(subject, predicate, object_)


GRAPH_CAST, GRAPH_TEST_CAST = Cast(GRAPH_FAMILIES, False), Cast(GRAPH_FAMILIES, True)
MASK_CAST = Cast(MASK_FAMILIES, True)
