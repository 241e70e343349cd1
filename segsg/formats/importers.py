"""Truths and predictions of any program, from any of the formats of docs/formats.md."""

from pathlib import Path

from segsg.formats.arrays import Arrays
from segsg.formats.benchmark import Benchmark
from segsg.formats.fields import File, existing
from segsg.formats.lines import Lines
from segsg.formats.psg import Panoptic

FORMATS: dict[str, type[File]] = {
    "lines": Lines,
    "arrays": Arrays,
    "scene-graph-benchmark": Benchmark,
    "psg": Panoptic,
}


def open_file(path: Path, name: str | None = None) -> File:
    """A file by the name of its format or else by its ending. ValueError for neither, or if there is no file."""
    existing(path)
    if name is None:
        name = next((known for known, kind in FORMATS.items() if path.name.endswith(kind.endings)), None)
    if name not in FORMATS:
        endings = ", ".join(ending for kind in FORMATS.values() for ending in kind.endings)
        raise ValueError(f"{path}: the name must end in {endings}; otherwise name the format: {', '.join(FORMATS)}")
    return FORMATS[name](path)
