"""NumPy archives (.npz): the rows of all images one after another, read image by image, never as a whole."""

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from segsg.evaluation.records import Truth
from segsg.formats.fields import HEADER, LENGTHS, TRUTH, Background, graph_of, names_of, prediction_fields, truth_of
from segsg.structures import ImageGraph

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


@contextmanager
def _damage(where: str) -> Iterator[None]:
    """What reading a broken archive raises, as a ValueError that names the place."""
    try:
        yield
    except (ValueError, KeyError, OSError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{where} damaged or cut off ({error}); write the file again") from error


class Column:
    """One array of an archive, front to back."""

    def __init__(self, archive: zipfile.ZipFile, name: str):
        self._where = f"{archive.filename}: {name}"
        with _damage(self._where):
            self._stream = archive.open(f"{name}.npy")
            self.shape, fortran, self._dtype = _HEADERS[npy.read_magic(self._stream)](self._stream)
        if self._dtype.hasobject or (fortran and len(self.shape) > 1):
            raise ValueError(f"{self._where} must be a plain array of numbers, row after row")

    def take(self, rows: int) -> np.ndarray:
        """The next `rows` rows."""
        shape = (rows, *self.shape[1:])
        with _damage(self._where):
            content = bytearray(self._stream.read(int(np.prod(shape)) * self._dtype.itemsize))
            return np.frombuffer(content, self._dtype).reshape(shape)

    def whole(self) -> np.ndarray:
        """All rows; one for a single number."""
        return self.take(self.shape[0] if self.shape else 1)


class Archive:
    """An .npz by the names of its arrays."""

    def __init__(self, path: Path):
        with _damage(f"{path}: not an .npz, or"):
            self._file = zipfile.ZipFile(path)
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
            rows = columns[name].shape[0] if columns[name].shape else 1
            if not _divides(counts[count], rows, len(image_ids)):
                raise ValueError(
                    f"{self.path}: {count} does not divide the {rows} rows of {name!r} among {len(image_ids)} images"
                )
        for i, image_id in enumerate(image_ids.tolist()):
            parts = {name: column.take(int(counts[counted[name]][i])) for name, column in columns.items()}
            yield {"image_id": image_id} | parts


def _divides(counts: np.ndarray, rows: int, images: int) -> bool:
    whole = counts.shape == (images,) and np.issubdtype(counts.dtype, np.integer)
    return whole and bool((counts >= 0).all()) and int(counts.sum()) == rows


def names(path: Path) -> tuple[str, ...] | None:
    """Foreground predicates, where a file of truths lists them."""
    archive = Archive(path)
    if "predicate_names" not in archive.names:
        return None
    return names_of(archive.column("predicate_names").whole().tolist(), f"{path}: predicate_names")


def truths(path: Path) -> Iterator[Callable[[], Truth]]:
    """Every image, still to be checked."""
    for record in Archive(path).images(TRUTH):
        yield partial(truth_of, record, f"{path}: image {record['image_id']}")


def _background(archive: Archive) -> Background:
    columns = {name: archive.column(name).whole() for name in HEADER if name in archive.names}
    header = {name: values.item() if values.size == 1 else values.tolist() for name, values in columns.items()}
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
