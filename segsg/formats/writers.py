"""Writes truths and predictions as JSON lines (docs/formats.md), so that any other evaluator can read them."""

import gzip
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from segsg.evaluation.records import Truth, as_array
from segsg.structures import ImageGraph

Record = dict[str, Any]


def write_truths(path: Path, truths: Iterable[Truth], names: tuple[str, ...]) -> None:
    """`names` are the foreground predicates, label 1 first."""
    _write(path, _with_header({"predicate_names": names}, map(_truth, truths)))


def write_graphs(path: Path, graphs: Iterable[ImageGraph]) -> None:
    """Predictions with the class that each region was given."""
    _write(path, _with_header({"background_class": None, "background_predicate": 0}, map(_graph, graphs)))


def _with_header(header: Record, records: Iterable[Record]) -> Iterator[Record]:
    yield header
    yield from records


def _truth(truth: Truth) -> Record:
    return {
        "image_id": truth.image_id,
        "boxes": _shortest(truth.boxes),
        "classes": as_array(truth.labels).tolist(),
        "relations": as_array(truth.relations).tolist(),
    }


def _graph(graph: ImageGraph) -> Record:
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
    flat = [float(f"{value:.9g}") for value in values.ravel().tolist()]
    if values.ndim == 1:
        return flat
    width = values.shape[1]
    return [flat[i : i + width] for i in range(0, len(flat), width)]


def _write(path: Path, records: Iterable[Record]) -> None:
    """Whole or not at all; compressed if the name ends in .gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as raw, _compressed(raw) if path.suffix == ".gz" else nullcontext(raw) as file:
            for record in records:
                file.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _compressed(raw: BinaryIO) -> gzip.GzipFile:
    """Without time and name in its header a compressed file depends on its content alone."""
    return gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0)
