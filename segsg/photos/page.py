"""The picture of a graph, its page, and the page of all photos, which ask the network for nothing."""

import base64
import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import torch
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image

from segsg.figures.overlay import Picture, scene_graph_overlay
from segsg.photos.diagram import diagram
from segsg.photos.drawing import drawing, embedded
from segsg.photos.graph import Origin, PhotoGraph, Region, shrunk
from segsg.report import pages

TEMPLATES = Path(__file__).parent / "templates"
THUMBNAIL = 320
MASKS_FROM = {
    "given": "given with their objects",
    "found": "found by the bundle",
    "box": "not known, so that the box stands for them",
}


@dataclass(frozen=True)
class Line:
    """A relation on the index."""

    subject: str
    predicate: str
    object: str
    score: float


@dataclass(frozen=True)
class Thumbnail:
    """A photo on the index: `name` is that of its page without .html, `photo` that of its file."""

    name: str
    photo: str
    uri: str
    classes: tuple[str, ...]
    relations: tuple[Line, ...]
    """surest first"""

    @property
    def link(self) -> str:
        return quote(f"{self.name}.html")


def overlay(graph: PhotoGraph, title: str = "") -> Figure:
    """The figure of the study's gallery: the photo with the masks of related regions, and its surest relations.

    Pictures travel alone: the title of one of a bundle with a warning says so.
    """
    graph = shrunk(graph)
    has_masks = any(region.runs is not None for region in graph.regions)
    return scene_graph_overlay(
        Picture(
            image=torch.from_numpy(graph.image.copy()).permute(2, 0, 1),
            boxes=torch.tensor([region.box for region in graph.regions]).reshape(-1, 4),
            names=tuple(region.name for region in graph.regions),
            masks=torch.from_numpy(np.stack([_mask_or_box(r, graph.size) for r in graph.regions]))
            if has_masks
            else None,
            relations=tuple((r.subject, r.predicate, r.object, r.score) for r in graph.relations),
            title=f"{title} (not for photographs)" if graph.origin.warning else title,
        )
    )


def _mask_or_box(region: Region, size: tuple[int, int]) -> np.ndarray:
    """bool [h, w]: the mask of a region; its box where it has none."""
    if region.runs is not None:
        return region.mask
    whole, (left, top, right, bottom) = np.zeros(size, dtype=bool), (round(side) for side in region.box)
    whole[top:bottom, left:right] = True
    return whole


def photo_page(graph: PhotoGraph, photo: str, *, index: bool = False) -> str:
    """The page of one photo; `index` says whether the page of all photos lies beside it."""
    graph = shrunk(graph)
    drawn = drawing(graph)
    image = embedded(Image.fromarray(graph.image), "jpeg", quality=90)
    facts = {"photo": photo, "drawn": drawn, "diagram": diagram(drawn), "image": image, "index": index}
    facts["masks"] = masks_from(graph)
    return _render("photo", graph.origin, facts)


def masks_from(graph: PhotoGraph) -> str:
    """Where the masks of a photo's objects are from, in words; empty without objects."""
    counts = Counter(region.mask_from for region in graph.regions)
    said = [f"{counts[kind]} {words}" for kind, words in MASKS_FROM.items() if counts[kind]]
    return f"Masks: {', '.join(said)}." if said else ""


def thumbnail(graph: PhotoGraph, name: str, photo: str) -> Thumbnail:
    """A photo for the index, with its relations."""
    image = Image.fromarray(graph.image)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    names = [region.name for region in graph.regions]
    lines = tuple(Line(names[r.subject], r.predicate, names[r.object], round(r.score, 4)) for r in graph.relations)
    return Thumbnail(name, photo, embedded(image, "jpeg", quality=80), tuple(sorted(set(names))), lines)


def index_page(photos: list[Thumbnail], skipped: list[str], origin: Origin) -> str:
    """The page of all photos; a line of `skipped` says why a file could not be read."""
    classes = sorted({name for photo in photos for name in photo.classes})
    predicates = sorted({line.predicate for photo in photos for line in photo.relations})
    facts = {"photos": photos, "skipped": skipped, "classes": classes, "predicates": predicates}
    return _render("index", origin, facts)


def _render(page: str, origin: Origin, facts: dict) -> str:
    """HTML of a page. Its security policy names the digests of its style and script, so browsers run no others."""
    templates = pages.environment(TEMPLATES, pages.TEMPLATES)
    style = templates.get_template("photo.css").render()
    script = (TEMPLATES / f"{page}.js").read_text(encoding="utf-8")
    policy = f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}"
    shared = {"origin": origin, "style": Markup(style), "script": Markup(script), "policy": policy}
    return templates.get_template(f"{page}.html").render(facts | shared)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
