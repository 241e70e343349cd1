"""What a bundle says about one photo: regions and relations, at any size, and as JSON."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from pycocotools import mask as coco_masks

from segsg.files import write_text

FORMAT, VERSION = "segsg-prediction", 2
SCHEMA = Path(__file__).parent / "prediction.schema.json"
SAID = 3
"""relations in the words of a graph"""
SCREEN = 1024
"""pixels; the longer side of a photo on a page or in a picture"""
SCORE = "A score is the product of the scores of both objects and the probability of the predicate"
UNCALIBRATED = f"{SCORE}; nobody calibrated it."
"""what people have to know of the scores of a study's network"""
CALIBRATED = f"{SCORE}. The last is calibrated; the scores of objects are those of whoever found them."
Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the photo, upright"""


@dataclass(frozen=True)
class Origin:
    """Where a graph is from: the name of a bundle, what everybody who sees its answers has to know, what a score is."""

    bundle: str = "in Python"
    warning: str | None = None
    scores: str = f"{SCORE}."


@dataclass(frozen=True)
class Wanted:
    """Which relations to keep: the `top` surest, with scores of at least `threshold`. ValueError for bad numbers."""

    top: int = 20
    threshold: float = 0.05

    def __post_init__(self):
        if self.top < 0:
            raise ValueError(f"top {self.top}: the number of relations is at least 0")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold {self.threshold}: a score lies between 0 and 1")


@dataclass(frozen=True)
class Region:
    """An object. `runs` is its mask as COCO's compressed run lengths, None where its box has to stand for it.

    `given`: the mask came with the region, and was not found by the model.
    """

    name: str
    score: float
    box: Box
    runs: dict | None = field(repr=False)
    given: bool = False

    @property
    def mask_from(self) -> str:
        """Where its mask is from: "given", "found" by the model, or none, and the "box" stands for it."""
        return "box" if self.runs is None else "given" if self.given else "found"

    @property
    def mask(self) -> Bool[np.ndarray, "h w"] | None:
        """The mask in the frame of the photo."""
        return None if self.runs is None else mask_of(self.runs)


@dataclass(frozen=True)
class PairRegion:
    """Where the smoothed masks of two regions meet (eq. 6; of a study's model as it sees them), in their union box."""

    box: Box
    weights: Float[np.ndarray, "28 28"] = field(repr=False)


@dataclass(frozen=True)
class Relation:
    """`subject` and `object` count regions; `score` is the product of both regions' and the predicate's probability."""

    subject: int
    predicate: str
    object: int
    score: float
    where: PairRegion | None = field(default=None, compare=False)


@dataclass(frozen=True, repr=False)
class PhotoGraph:
    """The regions of a photo, and its relations, surest first. `image` is the photo upright, without transparency."""

    image: UInt8[np.ndarray, "h w 3"] = field(repr=False)
    regions: tuple[Region, ...]
    relations: tuple[Relation, ...]
    origin: Origin = Origin()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo in pixels."""
        return self.image.shape[:2]

    def related(self) -> list[int]:
        """Regions that have a relation, in order."""
        return sorted({region for relation in self.relations for region in (relation.subject, relation.object)})

    def __repr__(self) -> str:
        """In words: "2 regions, 1 relation: man riding horse (0.81)"."""
        counts = ((len(self.regions), "region"), (len(self.relations), "relation"))
        said = ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts)
        shown = [
            f"{self.regions[r.subject].name} {r.predicate} {self.regions[r.object].name} ({r.score:.2f})"
            for r in self.relations[:SAID]
        ]
        more = ", ..." if len(self.relations) > SAID else ""
        return said + (f": {', '.join(shown)}{more}" if shown else "")

    def _repr_html_(self) -> str:
        """The page of the graph in a notebook, apart from the notebook's own styles."""
        from segsg.photos.page import photo_page  # pages are made of graphs

        page = escape(photo_page(self, "photo"))
        return f'<iframe srcdoc="{page}" width="100%" height="720" style="border:0"></iframe>'

    def to_dict(self, photo: str = "") -> dict:
        """What JSON files hold of it, as `SCHEMA` has it (docs/formats.md). `photo` is the name of the photo's file."""
        height, width = self.size
        return {
            "format": FORMAT,
            "version": VERSION,
            "bundle": self.origin.bundle,
            "warning": self.origin.warning,
            "photo": {"file": photo, "width": width, "height": height},
            "regions": [
                {
                    "class": region.name,
                    "score": round(region.score, 4),
                    "box": [round(side, 2) for side in region.box],
                    "mask": region.runs,
                    "mask_from": region.mask_from,
                }
                for region in self.regions
            ],
            "relations": [
                {"subject": r.subject, "predicate": r.predicate, "object": r.object, "score": round(r.score, 4)}
                for r in self.relations
            ],
        }

    def to_coco(self, image_id: int, categories: Mapping[str, int]) -> list[dict]:
        """The regions as COCO's results; `categories` are the ids of names. LookupError for a name without one."""
        return [
            {
                "image_id": image_id,
                "category_id": categories[region.name],
                "bbox": [left, top, right - left, bottom - top],
                "score": region.score,
                **({} if region.runs is None else {"segmentation": region.runs}),
            }
            for region in self.regions
            for left, top, right, bottom in [region.box]
        ]

    def to_networkx(self) -> "networkx.MultiDiGraph":
        """Nodes are regions by place (`name`, `score`, `box`), edges are relations (`predicate`, `score`)."""
        import networkx

        made = networkx.MultiDiGraph()
        for place, region in enumerate(self.regions):
            made.add_node(place, name=region.name, score=region.score, box=region.box)
        for each in self.relations:
            made.add_edge(each.subject, each.object, predicate=each.predicate, score=each.score)
        return made

    def save(self, path: str | os.PathLike, photo: str | None = None) -> None:
        """Writes the page (.html), the JSON (.json) or the picture (.png), as `segsg predict` does.

        They name the photo `photo`, or as the file that is written. ValueError for another ending.
        """
        from segsg.figures.style import save
        from segsg.photos.page import overlay, photo_page

        path = Path(path)
        photo = path.stem if photo is None else photo
        if path.suffix == ".html":
            write_text(path, photo_page(self, photo))
        elif path.suffix == ".json":
            write_text(path, json.dumps(self.to_dict(photo), indent=1) + "\n")
        elif path.suffix == ".png":
            save(overlay(self, photo), path)
        else:
            raise ValueError(f"{path}: ending {path.suffix or 'none'}; a graph is saved as .html, .json or .png")


def mask_of(runs: dict) -> Bool[np.ndarray, "h w"]:
    """A mask from COCO's compressed run lengths."""
    return coco_masks.decode(runs).astype(bool)


def runs_of(mask: Bool[np.ndarray, "h w"]) -> dict:
    """A mask as COCO's compressed run lengths, ready for JSON: {"size": [h, w], "counts": text}."""
    runs = coco_masks.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(side) for side in runs["size"]], "counts": runs["counts"].decode("ascii")}


def from_dict(content: dict, image: UInt8[np.ndarray, "h w 3"]) -> PhotoGraph:
    """The graph of a JSON file on its photo, without the glow of its relations. LookupError for another content."""
    regions = tuple(
        Region(each["class"], each["score"], tuple(each["box"]), each["mask"], given=each["mask_from"] == "given")
        for each in content["regions"]
    )
    relations = tuple(Relation(r["subject"], r["predicate"], r["object"], r["score"]) for r in content["relations"])
    return PhotoGraph(image, regions, relations, Origin(content["bundle"], content["warning"]))


def shrunk(graph: PhotoGraph, longer: int = SCREEN) -> PhotoGraph:
    """The graph on a smaller copy of its photo, whose longer side is at most `longer` pixels."""
    height, width = graph.size
    if max(height, width) <= longer:
        return graph
    size = tuple(max(1, round(side * longer / max(height, width))) for side in (width, height))
    scale = (size[0] / width, size[1] / height)
    image = np.asarray(Image.fromarray(graph.image).resize(size, Image.Resampling.LANCZOS))
    regions = tuple(_shrunk_region(region, size, scale) for region in graph.regions)
    relations = tuple(_shrunk_relation(relation, scale) for relation in graph.relations)
    return replace(graph, image=image, regions=regions, relations=relations)


def _shrunk_region(region: Region, size: tuple[int, int], scale: tuple[float, float]) -> Region:
    runs = None
    if region.mask is not None:
        coverage = Image.fromarray(region.mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BOX)
        runs = runs_of(np.asarray(coverage) >= 128)
    return replace(region, box=_scaled(region.box, scale), runs=runs)


def _shrunk_relation(relation: Relation, scale: tuple[float, float]) -> Relation:
    if relation.where is None:
        return relation
    return replace(relation, where=replace(relation.where, box=_scaled(relation.where.box, scale)))


def _scaled(box: Box, scale: tuple[float, float]) -> Box:
    return box[0] * scale[0], box[1] * scale[1], box[2] * scale[0], box[3] * scale[1]
