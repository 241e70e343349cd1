"""NumPy archives (.npz): the rows of all images one after another, read image by image, never as a whole."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.lib import format as npy
from safetensors import SafetensorError

from segsg.files import DAMAGED
from segsg.formats.fields import HEADER, LENGTHS, MOST_BYTES, TRUTH, File, MakeRecord, prediction_fields

_DAMAGED = (*DAMAGED, SafetensorError)
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


@contextmanager
def damage(where: str) -> Iterator[None]:
    """Context manager: turns what reading a broken archive raises into a ValueError that names the place."""
    try:
        yield
    except _DAMAGED as error:
        raise ValueError(f"{where} damaged or cut off ({error}); write the file again") from error


class Column:
    """One array of an archive, front to back."""

    def __init__(self, archive: ZipFile, name: str):
        self._where = f"{archive.filename}: {name}"
        with damage(self._where):
            self._stream = archive.open(f"{name}.npy")
            self.shape, fortran, self._dtype = _HEADERS[npy.read_magic(self._stream)](self._stream)
        if self._dtype.hasobject or (fortran and len(self.shape) > 1):
            raise ValueError(f"{self._where} must be a plain array of numbers, row after row")
        self.rows = self.shape[0] if self.shape else 1

    def take(self, rows: int) -> np.ndarray:
        """The next `rows` rows."""
        shape = (rows, *self.shape[1:])
        size = math.prod(shape) * self._dtype.itemsize
        if size > MOST_BYTES:
            raise ValueError(f"{self._where}: {size:,} bytes at once, more than the {MOST_BYTES:,} of any image")
        with damage(self._where):
            content = bytearray(self._stream.read(size))
            return np.frombuffer(content, self._dtype).reshape(shape)

    def whole(self) -> np.ndarray:
        """All rows; one for a single number."""
        return self.take(self.rows)


class Arrays(File):
    """An .npz by the names of its arrays."""

    endings = (".npz",)

    def __init__(self, path: Path):
        super().__init__(path)
        with damage(f"{path}: not an .npz, or"):
            self._archive = ZipFile(path)
        self.names = {Path(name).stem for name in self._archive.namelist()}

    def column(self, name: str) -> Column:
        """An array from its first row."""
        return Column(self._archive, name)

    def header(self) -> dict[str, Any]:
        known = [name for name in (*HEADER, "predicate_names") if name in self.names]
        values = {name: self.column(name).whole().tolist() for name in known}
        return {name: v[0] if name in HEADER and len(v) == 1 else v for name, v in values.items()}

    def true_images(self) -> Iterator[tuple[str, MakeRecord]]:
        return self._images(TRUTH)

    def predicted_images(self, predicates: int) -> Iterator[tuple[str, MakeRecord]]:
        return self._images(prediction_fields(self.names))

    def _images(self, fields: Mapping[str, int | None]) -> Iterator[tuple[str, MakeRecord]]:
        """Raises ValueError where arrays are missing or do not fit together."""
        counted = {name: f"{LENGTHS.get(name, name)}_count" for name in fields}
        lacking = sorted({"image_ids", *fields, *counted.values()} - self.names)
        if lacking:
            raise ValueError(f"{self.path}: lacks {', '.join(lacking)}")
        image_ids, columns = self.column("image_ids").whole(), {name: self.column(name) for name in fields}
        if not len(image_ids):
            raise ValueError(f"{self.path}: empty; no image in image_ids")
        counts = {name: self.column(name).whole() for name in counted.values()}
        for name, count in counted.items():
            rows, images = columns[name].rows, len(image_ids)
            if not _divides(counts[count], rows, images):
                rule = f"{count} does not divide the {rows} rows of {name!r} among {images} images"
                raise ValueError(f"{self.path}: {rule}")
        for i, image_id in enumerate(image_ids.tolist()):
            parts = {name: column.take(int(counts[counted[name]][i])) for name, column in columns.items()}
            yield f"{self.path}: image {image_id}", partial(dict, parts, image_id=image_id)


def _divides(counts: np.ndarray, rows: int, images: int) -> bool:
    fits = counts.shape == (images,) and np.issubdtype(counts.dtype, np.integer)
    return fits and bool((counts >= 0).all()) and int(counts.sum()) == rows
