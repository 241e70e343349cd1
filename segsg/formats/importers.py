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
ENDINGS = {
    ".jsonl": "lines",
    ".jsonl.gz": "lines",
    ".npz": "arrays",
    ".pytorch": "scene-graph-benchmark",
    ".pth": "scene-graph-benchmark",
    ".pt": "scene-graph-benchmark",
    ".json": "psg",
}


def open_file(path: Path, name: str | None = None) -> File:
    """A file by the name of its format or else by its ending. ValueError for neither, or if there is no file."""
    existing(path)
    if name is None:
        name = next((kind for ending, kind in ENDINGS.items() if path.name.endswith(ending)), None)
    if name not in FORMATS:
        raise ValueError(
            f"{path}: the name must end in {', '.join(ENDINGS)}; otherwise name the format: {', '.join(FORMATS)}"
        )
    return FORMATS[name](path)
