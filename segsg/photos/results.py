"""The files of one run of `segsg predict`: those of each photo, the index, and all graphs as one table."""

import csv
import io
import json
from pathlib import Path

from segsg.figures.style import save
from segsg.files import digest, read_json, write_text
from segsg.photos.graph import Origin, PhotoGraph, from_dict
from segsg.photos.input import INDEX, LINES, RESULTS, TABLE, Named, read
from segsg.photos.page import Thumbnail, index_page, overlay, photo_page, thumbnail
from segsg.report.table import inert

HEAD = ("photo", "subject", "predicate", "object", "score", "subject_region", "object_region")


class Results:
    """The files of one run in the folder `out`; `skipped` has a line for each photo that cannot be read.

    `run` is what the run's answers follow from; `only` "json" leaves out pages and pictures; `index`: the page of all
    photos is wanted.
    """

    def __init__(self, origin: Origin, out: Path, *, run: str, only: str | None = None, index: bool = False):
        self.origin, self.out, self.run, self.only, self.index = origin, out, run, only, index
        self.skipped: list[str] = []
        self._thumbnails: dict[str, Thumbnail] = {}
        self._records: dict[str, dict] = {}

    @property
    def done(self) -> int:
        """Number of photos with results."""
        return len(self._records)

    def add(self, photo: Named, graph: PhotoGraph) -> None:
        """NAME.json, and NAME.png and NAME.html if they are wanted. The JSON comes last: with it all is whole."""
        record = graph.to_dict(photo.file) | {"run": self.run, "sha256": digest(photo.path)}
        if self.only is None:
            page = photo_page(graph, photo.file, index=self.index)
            small = thumbnail(graph, photo.name, photo.file)
            save(overlay(graph, photo.file), self.out / f"{photo.name}.png")
            write_text(self.out / f"{photo.name}.html", page)
            self._thumbnails[photo.name] = small
        write_text(self.out / f"{photo.name}.json", json.dumps(record, indent=1) + "\n")
        self._records[photo.name] = record

    def take_over(self, photo: Named) -> bool:
        """Whether an earlier run left whole results of this photo that this run would write again."""
        wanted = RESULTS if self.only is None else (".json",)
        if not all((self.out / f"{photo.name}{ending}").is_file() for ending in wanted):
            return False
        try:
            record = read_json(self.out / f"{photo.name}.json")
            if (record["run"], record["sha256"]) != (self.run, digest(photo.path)):
                return False
            small = None if self.only else thumbnail(from_dict(record, read(photo.path)), photo.name, photo.file)
        except (ValueError, OSError, LookupError, TypeError):  # no such results: they are made again
            return False
        if small is not None:
            self._thumbnails[photo.name] = small
        self._records[photo.name] = record
        return True

    def close(self, photos: list[Named]) -> Path | None:
        """Writes the table of relations, all graphs as lines, and the index if there are several photos.

        Photos come in the order in which they are given here. Returns the page to open first; None without any.
        """
        records = [self._records[photo.name] for photo in photos if photo.name in self._records]
        thumbnails = [self._thumbnails[photo.name] for photo in photos if photo.name in self._thumbnails]
        if records:
            write_text(self.out / TABLE, relations_table(records))
            write_text(self.out / LINES, "".join(json.dumps(record) + "\n" for record in records))
        if self.index:
            write_text(self.out / f"{INDEX}.html", index_page(thumbnails, self.skipped, self.origin))
            return self.out / f"{INDEX}.html"
        return self.out / f"{thumbnails[0].name}.html" if thumbnails else None


def relations_table(records: list[dict]) -> str:
    """A line for each relation of all photos, as CSV. A name that looks like a formula gets an apostrophe in front."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEAD)
    for record in records:
        names = [region["class"] for region in record["regions"]]
        for each in record["relations"]:
            s, o = each["subject"], each["object"]
            triplet = record["photo"]["file"], names[s], each["predicate"], names[o]
            writer.writerow([*map(inert, triplet), each["score"], s, o])
    return stream.getvalue()
