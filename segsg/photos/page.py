"""What `segsg predict` writes for each photo: JSON, a picture, and a page that asks the network for nothing."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import torch
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image

from segsg.figures.overlay import Picture, scene_graph_overlay
from segsg.figures.style import save
from segsg.files import write_text
from segsg.photos.drawing import diagram, drawing, embedded
from segsg.photos.graph import PhotoGraph, shrunk, to_json
from segsg.photos.input import INDEX, Named
from segsg.report import pages

TEMPLATES = Path(__file__).parent / "templates"
THUMBNAIL = 320


@dataclass(frozen=True)
class Frame:
    """What all pages of one run share. `index` says whether a page of all photos lies beside them."""

    bundle: str
    warning: str | None
    index: bool = False


@dataclass(frozen=True)
class Thumbnail:
    """A photo on the index: `name` is that of its page without .html, `photo` that of its file."""

    name: str
    photo: str
    uri: str
    relations: tuple[str, ...]

    @property
    def link(self) -> str:
        return quote(f"{self.name}.html")


class Results:
    """The files of one run in the folder `out`; `skipped` has a line for each photo that cannot be read."""

    def __init__(self, frame: Frame, out: Path):
        self.frame, self.out = frame, out
        self.thumbnails: list[Thumbnail] = []
        self.skipped: list[str] = []

    def add(self, photo: Named, graph: PhotoGraph) -> None:
        """NAME.json, NAME.png and NAME.html."""
        bundle, warning = self.frame.bundle, self.frame.warning
        text = to_json(graph, photo=photo.file, bundle=bundle, warning=warning)
        page, small = photo_page(graph, photo.file, self.frame), thumbnail(graph, photo.name, photo.file)
        title = f"{photo.file} (not for photographs)" if warning else photo.file  # pictures travel alone
        save(overlay(graph, title), self.out / f"{photo.name}.png")
        write_text(self.out / f"{photo.name}.html", page)
        write_text(self.out / f"{photo.name}.json", text)
        self.thumbnails.append(small)

    def close(self) -> Path | None:
        """Writes the index if there are several photos. Returns the page to open first; None without any photo."""
        if self.frame.index:
            write_text(self.out / f"{INDEX}.html", index_page(self.thumbnails, self.skipped, self.frame))
            return self.out / f"{INDEX}.html"
        return self.out / f"{self.thumbnails[0].name}.html" if self.thumbnails else None


def overlay(graph: PhotoGraph, title: str = "") -> Figure:
    """The figure of the study's gallery: the photo with the masks of related regions, and its surest relations."""
    graph = shrunk(graph)
    has_masks = bool(graph.regions) and graph.regions[0].runs is not None
    return scene_graph_overlay(
        Picture(
            image=torch.from_numpy(graph.image.copy()).permute(2, 0, 1),
            boxes=torch.tensor([region.box for region in graph.regions]).reshape(-1, 4),
            names=tuple(region.name for region in graph.regions),
            masks=torch.from_numpy(np.stack([r.mask for r in graph.regions])) if has_masks else None,
            relations=tuple((r.subject, r.predicate, r.object, r.score) for r in graph.relations),
            title=title,
        )
    )


def photo_page(graph: PhotoGraph, photo: str, frame: Frame) -> str:
    """The page of one photo."""
    graph = shrunk(graph)
    drawn = drawing(graph)
    image = embedded(Image.fromarray(graph.image), "jpeg", quality=90)
    return _render("photo", frame, {"photo": photo, "drawn": drawn, "diagram": diagram(drawn), "image": image})


def thumbnail(graph: PhotoGraph, name: str, photo: str) -> Thumbnail:
    """A photo for the index, with its three surest relations."""
    image = Image.fromarray(graph.image)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    lines = (
        f"{graph.regions[r.subject].name} {r.predicate} {graph.regions[r.object].name}" for r in graph.relations[:3]
    )
    return Thumbnail(name, photo, embedded(image, "jpeg", quality=80), tuple(lines))


def index_page(photos: list[Thumbnail], skipped: list[str], frame: Frame) -> str:
    """The page of all photos; a line of `skipped` says why a file could not be read."""
    return _render("index", frame, {"photos": photos, "skipped": skipped})


def _render(page: str, frame: Frame, facts: dict) -> str:
    """HTML of a page. Its security policy names the digests of its style and script, so browsers run no others."""
    templates = pages.environment(TEMPLATES, pages.TEMPLATES)
    style = templates.get_template("photo.css").render()
    script = (TEMPLATES / "photo.js").read_text(encoding="utf-8")
    policy = f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}"
    shared = {"frame": frame, "style": Markup(style), "script": Markup(script), "policy": policy}
    return templates.get_template(f"{page}.html").render(facts | shared)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
