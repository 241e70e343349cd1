"""The JSON of one photo: prediction.schema.json says what is in it, docs/photos.md what it means."""

import json
from pathlib import Path

from segsg.photos.graph import PhotoGraph, Region, Relation

FORMAT, VERSION = "segsg-prediction", 1
SCHEMA = Path(__file__).parent / "prediction.schema.json"


def record(graph: PhotoGraph, photo: str, bundle: str, warning: str | None) -> dict:
    """A graph as plain values. `photo` is the file's name, `bundle` the bundle's."""
    height, width = graph.size
    return {
        "format": FORMAT,
        "version": VERSION,
        "bundle": bundle,
        "warning": warning,
        "photo": {"file": photo, "width": width, "height": height},
        "regions": [_region(region) for region in graph.regions],
        "relations": [_relation(relation) for relation in graph.relations],
    }


def text(graph: PhotoGraph, photo: str, bundle: str, warning: str | None) -> str:
    """The same as the text of a file."""
    return json.dumps(record(graph, photo, bundle, warning), indent=1) + "\n"


def _region(region: Region) -> dict:
    box = [round(side, 2) for side in region.box]
    return {"class": region.name, "score": round(region.score, 4), "box": box, "mask": region.runs}


def _relation(relation: Relation) -> dict:
    return {
        "subject": relation.subject,
        "predicate": relation.predicate,
        "object": relation.object,
        "score": round(relation.score, 4),
    }
