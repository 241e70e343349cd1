"""Pages that show photos with their graphs: each one file, which asks the network for nothing."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from segsg.photos.contours import data_uri
from segsg.photos.diagram import diagram
from segsg.photos.drawing import drawing
from segsg.photos.graph import PhotoGraph
from segsg.photos.picture import shrunk
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
    regions: int
    relations: tuple[str, ...]

    @property
    def link(self) -> str:
        return quote(f"{self.name}.html")


def photo_page(graph: PhotoGraph, photo: str, frame: Frame) -> str:
    """The page of one photo."""
    graph = shrunk(graph)
    drawn = drawing(graph)
    image = data_uri(Image.fromarray(graph.image), "jpeg", quality=90)
    return _render("photo", frame, {"photo": photo, "drawn": drawn, "diagram": diagram(drawn), "image": image})


def thumbnail(graph: PhotoGraph, name: str, photo: str) -> Thumbnail:
    """A photo for the index, with its three surest relations."""
    image = Image.fromarray(graph.image)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    lines = (
        f"{graph.regions[r.subject].name} {r.predicate} {graph.regions[r.object].name}" for r in graph.relations[:3]
    )
    return Thumbnail(name, photo, data_uri(image, "jpeg", quality=80), len(graph.related()), tuple(lines))


def index_page(photos: list[Thumbnail], skipped: list[str], frame: Frame) -> str:
    """The page of all photos; `skipped` says of each file that is no photo why."""
    return _render("index", frame, {"photos": photos, "skipped": skipped})


def _render(page: str, frame: Frame, facts: dict) -> str:
    """Style and script are the only ones that the page's policy lets run: it names their digests."""
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, pages.TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = environment.get_template("photo.css").render()
    script = (TEMPLATES / "photo.js").read_text(encoding="utf-8")
    policy = f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}"
    shared = {"frame": frame, "style": Markup(style), "script": Markup(script), "policy": policy}
    return environment.get_template(f"{page}.html").render(facts | shared)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
