"""JSON lines: one object for each image, plain or compressed (.jsonl, .jsonl.gz), read and written."""

import gzip
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from segsg.evaluation.records import Truth, as_array
from segsg.files import whole
from segsg.formats.fields import MOST_BYTES, File, MakeRecord, from_json
from segsg.structures import ImageGraph


class Lines(File):
    """A file of lines; the first may be a header, about the file and not an image."""

    endings = (".jsonl", ".jsonl.gz")

    def _lines(self) -> Iterator[tuple[str, bytes]]:
        with gzip.open(self.path) if self.path.suffix == ".gz" else self.path.open("rb") as file:
            try:
                for number in itertools.count(1):
                    line = file.readline(MOST_BYTES + 1)
                    if len(line) > MOST_BYTES:
                        rule = f"longer than {MOST_BYTES:,} bytes, more than any image needs"
                        raise ValueError(f"{self.path}: line {number}: {rule}; write one object on each line")
                    if not line:
                        return
                    if line.strip():
                        yield f"{self.path}: line {number}", line
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise ValueError(f"{self.path}: cannot be unpacked ({error}); write it again") from error

    def header(self) -> dict[str, Any]:
        """The first line, which may describe the whole file; empty if it is an image. ValueError for an empty file."""
        first = next(self._lines(), None)
        if first is None:
            raise ValueError(f"{self.path}: empty; write one object for each image")
        record = _record(first[1], first[0])
        return {} if "image_id" in record else record

    def true_images(self) -> Iterator[tuple[str, MakeRecord]]:
        lines = self._lines()
        if self.header():
            next(lines)
        for where, line in lines:
            yield where, partial(_record, line, where)

    def predicted_images(self, predicates: int) -> Iterator[tuple[str, MakeRecord]]:
        return self.true_images()


def _record(line: bytes, where: str) -> dict[str, Any]:
    record = from_json(line, where, "write one object on each line")
    if not isinstance(record, dict):
        raise ValueError(f"{where}: not an object but {type(record).__name__}")
    return record


def write_truths(path: Path, truths: Iterable[Truth], names: tuple[str, ...]) -> None:
    """Writes truths as JSON lines. `names` are the foreground predicates, label 1 first."""
    _write(path, {"predicate_names": names}, map(_truth, truths))


def write_graphs(path: Path, graphs: Iterable[ImageGraph]) -> None:
    """Writes predicted graphs as JSON lines, with the class that each region was given."""
    _write(path, {"background_class": None, "background_predicate": 0}, map(_graph, graphs))


def _truth(truth: Truth) -> dict[str, Any]:
    return {
        "image_id": truth.image_id,
        "boxes": _shortest(truth.boxes),
        "classes": as_array(truth.labels).tolist(),
        "relations": as_array(truth.relations).tolist(),
    }


def _graph(graph: ImageGraph) -> dict[str, Any]:
    return {
        "image_id": graph.image_id,
        "boxes": _shortest(graph.boxes_original),
        "classes": as_array(graph.labels).tolist(),
        "scores": _shortest(graph.scores),
        "pairs": as_array(graph.pairs).tolist(),
        "predicate_scores": _shortest(graph.predicate_probabilities),
    }


def _shortest(values) -> list:
    """Numbers with the nine digits that give the same float32 back."""
    values = as_array(values)
    if values.ndim > 1:
        return [_shortest(row) for row in values]
    return [float(f"{value:.9g}") for value in values.tolist()]


def _write(path: Path, header: dict[str, Any], records: Iterable[dict[str, Any]]) -> None:
    """Whole or not at all; compressed if the name ends in .gz."""
    with (
        whole(path) as part,
        part.open("wb") as raw,
        _compressed(raw) if path.suffix == ".gz" else nullcontext(raw) as file,
    ):
        for record in chain([header], records):
            file.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")


def _compressed(raw: BinaryIO) -> gzip.GzipFile:
    """Without time and name in its header a compressed file depends on its content alone."""
    return gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0)
