"""Arrays of different shapes in one memory-mapped file: append once, read any of them without reading the rest.

A folder holds NAME.raw (all values, one array after the other) for each name, and index.json with dtypes and shapes.
It appears whole: it is written as FOLDER.part and renamed.
"""

import json
import os
import shutil
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

INDEX = "index.json"


class RaggedWriter:
    """Entries keyed by an integer; every entry has the same names, each with an array of any shape."""

    def __init__(self, folder: Path):
        self.folder, self.part = folder, folder.with_name(f"{folder.name}.part")
        shutil.rmtree(self.part, ignore_errors=True)
        self.part.mkdir(parents=True)
        self.files: dict[str, BinaryIO] = {}
        self.dtypes: dict[str, str] = {}
        self.shapes: dict[str, list[tuple[int, ...]]] = {}
        self.keys: dict[int, None] = {}

    def add(self, key: int, arrays: dict[str, np.ndarray]) -> None:
        """Appends an entry. ValueError for a key that has one: it would take the place of the other."""
        if key in self.keys:
            raise ValueError(f"{self.folder}: two images have the id {key}; give each photo of a set an id of its own")
        self.keys[key] = None
        for name, array in arrays.items():
            if name not in self.files:
                self.files[name] = (self.part / f"{name}.raw").open("wb")
                self.dtypes[name], self.shapes[name] = str(array.dtype), []
            self.shapes[name].append(array.shape)
            self.files[name].write(np.ascontiguousarray(array).data)

    def close(self) -> None:
        """Gives the folder its name; one that was there before goes."""
        for file in self.files.values():
            file.close()
        index = {"keys": list(self.keys), "dtypes": self.dtypes, "shapes": self.shapes}
        (self.part / INDEX).write_text(json.dumps(index))
        shutil.rmtree(self.folder, ignore_errors=True)
        os.replace(self.part, self.folder)


class RaggedReader:
    """What a `RaggedWriter` has written."""

    def __init__(self, folder: Path):
        if not (folder / INDEX).exists():
            raise ValueError(f"{folder}: no such looks; write them first (write_looks)")
        index = json.loads((folder / INDEX).read_text())
        self.folder = folder
        self.places = {key: place for place, key in enumerate(index["keys"])}
        self.shapes: dict[str, list[list[int]]] = index["shapes"]
        self.starts = {name: np.cumsum([0, *map(prod, shapes)]) for name, shapes in self.shapes.items()}
        self.values = {name: self._values(name, dtype) for name, dtype in index["dtypes"].items()}

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def read(self, key: int, name: str) -> np.ndarray:
        """A copy of one array of an entry. ValueError if there is no such entry."""
        if key not in self.places:
            raise ValueError(
                f"{self.folder}: nothing about image {key}; write the looks of its split too (write_looks)"
            )
        place = self.places[key]
        start, stop = self.starts[name][place : place + 2]
        return np.array(self.values[name][start:stop]).reshape(self.shapes[name][place])

    def _values(self, name: str, dtype: str) -> np.ndarray:
        if self.starts[name][-1] == 0:
            return np.empty(0, dtype)
        return np.memmap(self.folder / f"{name}.raw", dtype, mode="r")
