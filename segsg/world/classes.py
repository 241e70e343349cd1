"""Vocabularies of the two drawn data sets and the family of shapes that each class belongs to.

The two sets share only part of their names. A scene-graph class and a mask class of one family are drawn alike,
so that a mask head that knows the mask class can outline the other one: that mask class is the `ORACLE` of the
scene-graph class. Classes without an entry there have no counterpart.
"""

import hashlib

GRAPH_FAMILIES = {
    "man": "people",
    "woman": "people",
    "boy": "people",
    "girl": "people",
    "dog": "animal",
    "cat": "animal",
    "horse": "mount",
    "table": "table",
    "armchair": "seat",
    "bench": "seat",
    "goblet": "cup",
    "bucket": "vessel",
    "crate": "case",
    "basket": "case",
    "frame": "frame",
    "hat": "headwear",
    "coat": "cloth",
    "bag": "bag",
    "umbrella": "umbrella",
    "rod": "stick",
    "pumpkin": "ball",
    "post": "post",
    "tree": "plant",
    "poster": "sign",
    "cart": "cart",
    "wheel": "wheel",
}

MASK_FAMILIES = {
    "person": "people",
    "dog": "animal",
    "horse": "mount",
    "bench": "seat",
    "recliner": "seat",
    "teapot": "cup",
    "tray": "vessel",
    "container": "case",
    "doorway": "frame",
    "helmet": "headwear",
    "vest": "cloth",
    "luggage": "bag",
    "rod": "stick",
    "apple": "ball",
    "column": "post",
    "shrub": "plant",
    "placard": "sign",
    "tire": "wheel",
}

ORACLE = {
    "man": "person",
    "woman": "person",
    "boy": "person",
    "girl": "person",
    "dog": "dog",
    "cat": "dog",
    "horse": "horse",
    "table": "bench",
    "armchair": "recliner",
    "bench": "bench",
    "goblet": "teapot",
    "bucket": "tray",
    "crate": "container",
    "basket": "container",
    "frame": "doorway",
    "hat": "helmet",
    "coat": "vest",
    "bag": "luggage",
    "rod": "rod",
    "pumpkin": "apple",
    "post": "column",
    "tree": "shrub",
    "poster": "placard",
    "wheel": "tire",
}

PREDICATES = (
    "attached to",
    "behind",
    "hanging from",
    "has",
    "holding",
    "in front of",
    "inside",
    "leaning on",
    "near",
    "on",
    "riding",
    "under",
    "wearing",
)

GRAPH_CLASSES = tuple(sorted(GRAPH_FAMILIES))
MASK_CLASSES = tuple(sorted(MASK_FAMILIES))

HELD_OUT_SHARE = 0.15


def held_out(subject: str, predicate: str, object_: str) -> bool:
    """Whether a triplet of names is kept out of training, by a hash of its names, whatever the seed."""
    digest = hashlib.sha256("|".join((subject, predicate, object_)).encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT_SHARE * 2**32
