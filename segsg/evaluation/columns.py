"""NumPy archives (.npz): the rows of all images one after another, read image by image, never as a whole."""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from segsg.evaluation.formats import HEADER, LENGTHS, TRUTH, Background, graph_of, prediction_fields, truth_of
from segsg.evaluation.records import Truth
from segsg.structures import ImageGraph

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class Column:
    """One array of an archive, front to back."""

    def __init__(self, archive: zipfile.ZipFile, name: str):
        self._stream, self._where = archive.open(f"{name}.npy"), f"{archive.filename}: {name}"
        self.shape, fortran, self._dtype = _HEADERS[npy.read_magic(self._stream)](self._stream)
        if self._dtype.hasobject or (fortran and len(self.shape) > 1):
            raise ValueError(f"{self._where} must be a plain array of numbers, row after row")

    def take(self, rows: int) -> np.ndarray:
        """The next `rows` rows."""
        shape = (rows, *self.shape[1:])
        content = bytearray(self._stream.read(int(np.prod(shape)) * self._dtype.itemsize))
        try:
            return np.frombuffer(content, self._dtype).reshape(shape)
        except ValueError as error:
            raise ValueError(f"{self._where} is cut off; write the file again") from error

    def whole(self) -> np.ndarray:
        """All rows; one for a single number."""
        return self.take(self.shape[0] if self.shape else 1)


class Archive:
    """An .npz by the names of its arrays."""

    def __init__(self, path: Path):
        try:
            self._file = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise ValueError(f"{path}: not an .npz ({error})") from error
        self.path, self.names = path, {Path(name).stem for name in self._file.namelist()}

    def column(self, name: str) -> Column:
        return Column(self._file, name)

    def images(self, fields: Mapping[str, int | None]) -> Iterator[dict[str, Any]]:
        """The record of each image. Raises ValueError where arrays are missing or do not fit together."""
        counted = {name: f"{LENGTHS.get(name, name)}_count" for name in fields}
        lacking = sorted({"image_ids", *fields, *counted.values()} - self.names)
        if lacking:
            raise ValueError(f"{self.path}: lacks {', '.join(lacking)}")
        counts = {name: self.column(name).whole() for name in set(counted.values())}
        image_ids, columns = self.column("image_ids").whole(), {name: self.column(name) for name in fields}
        if not len(image_ids):
            raise ValueError(f"{self.path}: empty; no image in image_ids")
        for name, count in counted.items():
            rows = columns[name].shape[0]
            if len(counts[count]) != len(image_ids) or counts[count].sum() != rows:
                raise ValueError(
                    f"{self.path}: {count} does not divide the {rows} rows of {name!r} among {len(image_ids)} images"
                )
        for i, image_id in enumerate(image_ids.tolist()):
            parts = {name: column.take(int(counts[counted[name]][i])) for name, column in columns.items()}
            yield {"image_id": image_id} | parts


def names(path: Path) -> tuple[str, ...] | None:
    """Foreground predicates, where a file of truths lists them."""
    archive = Archive(path)
    if "predicate_names" not in archive.names:
        return None
    return tuple(archive.column("predicate_names").whole().tolist())


def truths(path: Path) -> Iterator[Callable[[], Truth]]:
    """Every image, still to be checked."""
    for record in Archive(path).images(TRUTH):
        yield partial(truth_of, record, f"{path}: image {record['image_id']}")


def _background(archive: Archive) -> Background:
    header = {name: archive.column(name).whole().item() for name in HEADER if name in archive.names}
    return Background.of(header, str(archive.path))


def predicates(path: Path) -> int | None:
    """Number of predicates, background included, by the width of the scores; None if they have no row."""
    archive = Archive(path)
    background = _background(archive)
    if "predicate_scores" not in archive.names:
        return None
    shape = archive.column("predicate_scores").shape
    return shape[1] + (background.predicates is None) if len(shape) == 2 and shape[0] else None


def graphs(path: Path, predicates: int) -> Iterator[Callable[[], ImageGraph]]:
    """Every image, still to be checked; `predicates` counts background."""
    archive = Archive(path)
    background = _background(archive)
    for record in archive.images(prediction_fields(archive.names)):
        yield partial(graph_of, record, background, predicates, f"{path}: image {record['image_id']}")
