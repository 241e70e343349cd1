"""The figures of a report: image files in one folder, and figures.json that says which page shows each, and how."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from matplotlib.figure import Figure

from segsg.figures.overlay import (
    Contact,
    Picture,
    compared_overlay,
    contacts_overlay,
    masks_overlay,
    scene_graph_overlay,
)
from segsg.figures.style import save
from segsg.files import read_json, write_text

LIST = "figures.json"
Page = Literal["pairs", "gallery", "transfer", "kernels", "refinement", "curves"]


@dataclass(frozen=True)
class Entry:
    """A figure of the album. `page` is the page of the report that shows it, `words` say what the figure shows."""

    page: Page
    file: str
    title: str
    caption: str
    words: str = ""


class Album:
    """Collects figures in `folder`; they count from `close` on."""

    def __init__(self, folder: Path | str):
        self.folder, self.entries = Path(folder), []

    def add(self, page: Page, file: str, figure: Figure, title: str, caption: str, words: str = "") -> Path:
        """Save `figure` as `file` and note its page; returns the path of the file."""
        self.entries.append(Entry(page, file, title, caption, words))
        return save(figure, self.folder / file)

    def add_photos(self, page: Page, photos: Iterable[tuple[Figure, str, str]], caption: str) -> list[Path]:
        """Save figures with their titles and words, as JPEG: photos as PNG would be several times larger.

        `caption` stands below the first alone.
        """
        return [
            self.add(page, f"{page}-{i:02d}.jpg", figure, title, caption if i == 1 else "", words)
            for i, (figure, title, words) in enumerate(photos, start=1)
        ]

    def add_pictures(self, pictures: Iterable[Picture], caption: str) -> list[Path]:
        """Save each picture with its graph."""
        photos = ((scene_graph_overlay(p), p.title, f"A photo and its graph: {p.words}") for p in pictures)
        return self.add_photos("gallery", photos, caption)

    def add_pairs(self, pairs: Iterable[tuple[Picture, Picture]], caption: str) -> list[Path]:
        """Save each photo with the graphs of two models side by side: (without masks, with masks)."""
        photos = ((compared_overlay(a, b), b.title, f"Without masks: {a.words}. With: {b.words}") for a, b in pairs)
        return self.add_photos("pairs", photos, caption)

    def add_masks(self, photos: Iterable[tuple[Picture, dict]], caption: str) -> list[Path]:
        """Save each photo once for each kind of masks."""
        drawn = ((masks_overlay(p, k), p.title, f"Masks of {', '.join(p.names)}: {', '.join(k)}") for p, k in photos)
        return self.add_photos("refinement", drawn, caption)

    def add_borrowed(self, photos: Iterable[tuple[Picture, dict, Sequence[Contact]]], caption: str) -> list[Path]:
        """Save each photo once for each kind of masks, with the places where two of its regions meet."""
        drawn = (
            (
                contacts_overlay(p, k, meet),
                p.title,
                f"Masks of {', '.join(p.names)}: {', '.join(k)}. Where two meet: {', '.join(c.words for c in meet)}",
            )
            for p, k, meet in photos
        )
        return self.add_photos("transfer", drawn, caption)

    def close(self) -> None:
        """Write the list of figures."""
        write_text(self.folder / LIST, json.dumps([asdict(entry) for entry in self.entries], indent=1) + "\n")


def read_album(folder: Path) -> list[Entry]:
    """ValueError if its notebook has not written it."""
    path = folder / LIST
    if not path.is_file():
        raise ValueError(f"{path}: missing; the stage `{folder.name}` writes it: `dvc repro`")
    return [Entry(**entry) for entry in read_json(path)]
