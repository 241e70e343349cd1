"""`segsg predict`: from photos to JSON, an overlay and a page for each."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm.auto import tqdm

from segsg.figures.style import save
from segsg.files import DataError, write_text
from segsg.photos import record
from segsg.photos.bundle import Bundle
from segsg.photos.folder import INDEX, Named, has_index
from segsg.photos.graph import PhotoGraph
from segsg.photos.page import Frame, Thumbnail, index_page, photo_page, thumbnail
from segsg.photos.picture import overlay
from segsg.photos.pixels import Pixels, read
from segsg.photos.wanted import Wanted


class Results:
    """The files of one run in `out`, and what went wrong: a line for each photo that cannot be read.

    Several photos get an index; an older index in `out` gives way to one of this run.
    """

    def __init__(self, bundle: Bundle, out: Path, photos: int):
        self.bundle, self.out = bundle, out
        self.frame = Frame(bundle.manifest.name, bundle.warning, index=photos > 1 or has_index(out))
        self.thumbnails: list[Thumbnail] = []
        self.skipped: list[str] = []

    def add(self, photo: Named, graph: PhotoGraph) -> None:
        """NAME.json, NAME.png and NAME.html."""
        text = record.text(graph, photo.file, self.frame.bundle, self.frame.warning)
        write_text(self.out / f"{photo.name}.json", text)
        title = f"{photo.file} (not for photographs)" if self.frame.warning else photo.file  # pictures travel alone
        save(overlay(graph, title), self.out / f"{photo.name}.png")
        write_text(self.out / f"{photo.name}.html", photo_page(graph, photo.file, self.frame))
        self.thumbnails.append(thumbnail(graph, photo.name, photo.file))

    def skip(self, error: DataError) -> None:
        self.skipped.append(str(error))
        tqdm.write(f"Skipped: {error}", file=sys.stderr)

    def close(self) -> Path | None:
        """The page to begin with: the index of several photos, the page of a single one, None without any."""
        if self.frame.index:
            write_text(self.out / f"{INDEX}.html", index_page(self.thumbnails, self.skipped, self.frame))
            return self.out / f"{INDEX}.html"
        return self.out / f"{self.thumbnails[0].name}.html" if self.thumbnails else None


def predict(bundle: Bundle, photos: list[Named], out: Path, wanted: Wanted, batch: int) -> Results:
    """Writes the results of all photos that can be read, `batch` of them computed at a time."""
    results = Results(bundle, out, len(photos))
    with tqdm(total=len(photos), desc="photos", unit="photo") as bar:
        for start in range(0, len(photos), batch):
            part = photos[start : start + batch]
            readable = dict(_readable(part, results))
            graphs = bundle.predict_all(list(readable.values()), wanted.top, wanted.threshold)
            for photo, graph in zip(readable, graphs, strict=True):
                results.add(photo, graph)
            bar.update(len(part))
    return results


def _readable(photos: list[Named], results: Results) -> Iterator[tuple[Named, Pixels]]:
    for photo in photos:
        try:
            yield photo, read(photo.path)
        except DataError as error:
            results.skip(error)
