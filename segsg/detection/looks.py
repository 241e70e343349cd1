"""What the frozen detector says about each image, on disk, so that stage 2 never runs it again.

A folder belongs to one detector. In it, per domain ("graph", "mask"): `DOMAIN-features`, the feature maps, once per
image; `DOMAIN-given`, regions in the true boxes, for PredCls and SGCls; `DOMAIN-detected`, regions of SGDet. Feature
maps are kept as float16, mask logits as whole eighths between -16 and 16. At 160 pixels, with a dozen regions of 18
mask classes, 1000 images take 0.27 GB (resnext-mini-fpn) or 0.12 GB (vgg-mini) of maps and 0.17 GB of mask logits.
Every array has a checksum, which a process compares when it first reads that array: of gigabytes, a step reads a few
images."""

import json
import os
import shutil
import zlib
from collections.abc import Iterable
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from jaxtyping import Float, Int8
from torch import Tensor, nn

from segsg.detection.detector import Detector
from segsg.files import DataError, check_seal, read_json
from segsg.structures import Batch, Domain, Look, Regions, Task, image_index, one_hot

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
        self.sums: dict[str, list[int]] = {}
        self.keys: dict[int, None] = {}

    def add(self, key: int, arrays: dict[str, np.ndarray]) -> None:
        """Appends an entry. ValueError for a key that has one: it would take the place of the other."""
        if key in self.keys:
            raise ValueError(f"{self.folder}: two images have the id {key}; give each photo of a set an id of its own")
        self.keys[key] = None
        for name, array in arrays.items():
            if name not in self.files:
                self.files[name] = (self.part / f"{name}.raw").open("wb")
                self.dtypes[name], self.shapes[name], self.sums[name] = str(array.dtype), [], []
            content = np.ascontiguousarray(array).tobytes()
            self.shapes[name].append(array.shape)
            self.sums[name].append(zlib.crc32(content))
            self.files[name].write(content)

    def close(self) -> None:
        """Gives the folder its name; one that was there before goes."""
        for file in self.files.values():
            file.close()
        index = {"keys": list(self.keys), "dtypes": self.dtypes, "shapes": self.shapes, "sums": self.sums}
        (self.part / INDEX).write_text(json.dumps(index))
        shutil.rmtree(self.folder, ignore_errors=True)
        os.replace(self.part, self.folder)


class RaggedReader:
    """Reads the arrays of a folder that a `RaggedWriter` has written. ValueError if it has none or they are damaged.

    Arrays are parts of files in memory, which the system reads when they are looked at and may forget again.
    """

    def __init__(self, folder: Path):
        if not (folder / INDEX).exists():
            raise ValueError(f"{folder}: no such looks; write them first (write_looks)")
        check_seal(folder / INDEX)
        index = read_json(folder / INDEX)
        self.folder = folder
        self.places = {key: place for place, key in enumerate(index["keys"])}
        self.shapes: dict[str, list[list[int]]] = index["shapes"]
        self.sums: dict[str, list[int]] = index["sums"]
        self.starts = {name: np.cumsum([0, *map(prod, shapes)]) for name, shapes in self.shapes.items()}
        self.values = {name: self._values(name, dtype) for name, dtype in index["dtypes"].items()}
        self.right = {name: np.zeros(len(self.places), dtype=bool) for name in self.values}
        """of each array, whether this reader has found its checksum right"""

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def read(self, key: int, name: str) -> np.ndarray:
        """One array of an entry, not to be changed. ValueError if there is no such entry, or if its bytes have changed.

        Bytes are compared at the first read of an array.
        """
        if key not in self.places:
            raise ValueError(
                f"{self.folder}: nothing about image {key}; write the looks of its split too (write_looks)"
            )
        place = self.places[key]
        start, stop = self.starts[name][place : place + 2]
        values = self.values[name][start:stop]
        if not self.right[name][place]:
            self._compare(key, name, values)
        return values.reshape(self.shapes[name][place])

    def _compare(self, key: int, name: str, values: np.ndarray) -> None:
        place = self.places[key]
        if zlib.crc32(values.data) != self.sums[name][place]:
            path, rule = self.folder / f"{name}.raw", "is not what was written"
            way_out = f"delete {self.folder.parent} and what `segsg verify` names, then `segsg repro` makes it again"
            raise DataError(path, f"image {key}", rule, way_out)
        self.right[name][place] = True

    def _values(self, name: str, dtype: str) -> np.ndarray:
        if self.starts[name][-1] == 0:
            return np.empty(0, dtype)
        # Of a private map ("c") PyTorch takes parts without a copy or a warning; np.asarray makes slices cheap.
        return np.asarray(np.memmap(self.folder / f"{name}.raw", dtype, mode="c"))


STEPS = 8
"""steps of a stored mask logit per unit: an error of 0.06 moves no probability by more than 0.016"""


def to_steps(logits: Float[Tensor, "*shape"]) -> Int8[Tensor, "*shape"]:
    """Mask logits as they are stored: whole eighths between -16 and 16."""
    return (logits * STEPS).round().clamp(-128, 127).to(torch.int8)


def from_steps(steps: Int8[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Stored mask logits as numbers; exact, since a step is a power of two."""
    return steps.float().mul_(1 / STEPS)


SETS: dict[Task, str] = {"predcls": "given", "sgcls": "given", "sgdet": "detected"}


def write_looks(
    detector: Detector, batches: Iterable[Batch], folder: Path, *, task: Task, domain: Domain = "graph"
) -> None:
    """Stores the look of every image of `batches`; one pass serves PredCls and SGCls, another SGDet.

    Feature maps that `folder` already has are kept: they do not depend on the task.
    """
    regions = RaggedWriter(folder / f"{domain}-{SETS[task]}")
    with_features = not (folder / f"{domain}-features").exists()
    features = RaggedWriter(folder / f"{domain}-features") if with_features else None
    for batch in batches:
        look = detector.look(batch, "sgcls" if SETS[task] == "given" else task, domain)
        for i, image_id in enumerate(batch.image_ids):
            regions.add(image_id, _regions_of(look, i))
            if features is not None:
                features.add(image_id, _features_of(look, i))
    for writer in (regions, features):
        if writer is not None:
            writer.close()


class CachedDetector(nn.Module):
    """A frozen detector that reads its looks from `folder` instead of running, up to rounding.

    Padding beyond an image repeats its last cells, and a crop at its border may read half of one. The detector itself
    reads there what the padding of its batch looked like. Batches have to hold the images as they were when the looks
    were written: not mirrored, at the same size.
    """

    def __init__(self, detector: Detector, folder: Path):
        super().__init__()
        self.detector, self.folder = detector, folder
        self.record, self.channels = detector.record, detector.channels
        self.readers: dict[str, RaggedReader] = {}

    def look(self, batch: Batch, task: Task, domain: Domain = "graph", *, masks: bool = True) -> Look:
        """Stored maps and regions of a batch, with mask logits if `masks`.

        ValueError if an image has none or its true boxes have changed.
        """
        regions = self._regions(batch, self._reader(f"{domain}-{SETS[task]}"), masks)
        if SETS[task] == "given":
            self._check(batch, regions)
        if task == "predcls":
            probabilities = one_hot(regions.labels, regions.class_probabilities.shape[1])
            regions = replace(regions, class_probabilities=probabilities)
        features = self._features(batch, self._reader(f"{domain}-features"))
        return Look(features, regions, self.record.strides, self.record.cells).to(batch.images.device)

    def _reader(self, name: str) -> RaggedReader:
        if name not in self.readers:
            self.readers[name] = RaggedReader(self.folder / name)
        return self.readers[name]

    def _regions(self, batch: Batch, reader: RaggedReader, masks: bool) -> Regions:
        def column(name: str) -> list[Tensor]:
            return [torch.from_numpy(reader.read(image_id, name)) for image_id in batch.image_ids]

        boxes = column("boxes")
        image = image_index([len(part) for part in boxes], boxes[0].device)
        stored = masks and "mask_logits" in reader
        logits = from_steps(torch.cat(column("mask_logits"))) if stored else None
        named = [torch.cat(column(name)) for name in ("labels", "class_probabilities")]
        return Regions(torch.cat(boxes), image, *named, batch.sizes, logits)

    def _features(self, batch: Batch, reader: RaggedReader) -> list[Tensor]:
        levels = []
        for level, stride in enumerate(self.record.strides):
            h, w = (-(-side // stride) for side in batch.images.shape[-2:])
            maps = torch.empty(len(batch), h, w, self.record.channels)
            for i, image_id in enumerate(batch.image_ids):
                stored = torch.from_numpy(reader.read(image_id, f"level{level}"))
                _fill(maps[i], stored)
            levels.append(maps.permute(0, 3, 1, 2))
        return levels

    def _check(self, batch: Batch, regions: Regions) -> None:
        true_boxes = torch.cat(batch.boxes).to(regions.boxes.device)
        if true_boxes.shape != regions.boxes.shape or not torch.allclose(true_boxes, regions.boxes, atol=0.01):
            raise ValueError(
                f"{self.folder}: the boxes of images {batch.image_ids} are not those that the looks were written for; "
                "train on cached looks without flipping and at the same size, or write the looks again"
            )


def _fill(whole: Float[Tensor, "h w channels"], stored: Float[Tensor, "rows columns channels"]) -> None:
    """`stored` from the upper left corner; its last column and row go on to the border."""
    rows, columns = stored.shape[:2]
    whole[:rows, :columns] = stored
    if columns < whole.shape[1]:
        whole[:rows, columns:] = stored[:, -1:]
    if rows < whole.shape[0]:
        whole[rows:] = whole[rows - 1 : rows]


def _regions_of(look: Look, image: int) -> dict[str, np.ndarray]:
    regions, mine = look.regions, look.regions.image == image
    arrays = {name: getattr(regions, name)[mine].cpu().numpy() for name in ("boxes", "labels", "class_probabilities")}
    if regions.mask_logits is not None:
        arrays["mask_logits"] = to_steps(regions.mask_logits[mine]).cpu().numpy()
    return arrays


def _features_of(look: Look, image: int) -> dict[str, np.ndarray]:
    """The part of each map that an image covers, [h, w, channels]: the layout that region crops read fastest."""
    h, w = look.regions.sizes[image]
    parts = [level[image, :, : -(-h // s), : -(-w // s)] for level, s in zip(look.features, look.strides, strict=True)]
    return {f"level{i}": part.permute(1, 2, 0).half().cpu().numpy() for i, part in enumerate(parts)}
