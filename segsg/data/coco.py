"""Instance masks in COCO's layout (instances_*.json): a mask set, and true masks of a scene graph set.

Every entry of a file is checked when it is read.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from pycocotools import mask as coco_masks
from torch import Tensor

from segsg.data.photos import find_photo, read_photo
from segsg.data.views import ImageSet, Subset
from segsg.data.words import Vocabulary
from segsg.files import DataError, field, read_json
from segsg.structures import Sample

MaskAnnotation = tuple[Float[Tensor, "regions 4"], Int[Tensor, "regions"], Bool[Tensor, "regions h w"]]
AGAIN = "correct the entry, or take the file from its source again"
POLYGON_NUMBERS = 6
"""Three corners, the fewest that enclose an area."""


@dataclass(frozen=True, slots=True)
class ImageEntry:
    image_id: int
    file_name: str
    size: tuple[int, int]
    """(height, width)"""


@dataclass(frozen=True, slots=True)
class Instance:
    """`box` is xyxy in original pixels. Polygons are arrays: a tenth of the memory of COCO's lists of numbers."""

    image_id: int
    label: int
    box: tuple[float, float, float, float]
    segmentation: Any
    crowd: bool
    """several things under one mask, which COCO neither trains on nor counts as missed or found"""


class MaskSet:
    """Images of a mask set with their instances. Annotations are read and checked at once, photos when asked for.

    Class labels are 1, 2 ... in the order of category ids (COCO's ids have gaps). Crowds are no instances, but what
    judges a detector needs them; boxes without width or height are nothing at all. Bad files are a DataError.
    """

    def __init__(self, annotations: Path, photos: Path):
        self._images, names, instances = read_instances(annotations)
        self._photos = Path(photos)
        self._instances, self._crowds = by_image(instances)
        self.vocabulary = Vocabulary(names)
        self.image_ids = list(self._images)

    def __len__(self) -> int:
        return len(self.image_ids)

    def with_instances(self) -> Subset:
        """The images that have at least one instance: those to train on, and to show."""
        return Subset(self, [i for i, image_id in enumerate(self.image_ids) if image_id in self._instances])

    def annotation(self, index: int) -> MaskAnnotation:
        """(boxes_original, labels, masks) without opening the photo, in the order of the file."""
        return self._read(self._instances, index)

    def crowds(self, index: int) -> MaskAnnotation:
        """(boxes_original, labels, masks) of the image's crowds."""
        return self._read(self._crowds, index)

    def _read(self, wanted: dict[int, list[Instance]], index: int) -> MaskAnnotation:
        image = self._images[self.image_ids[index]]
        instances = wanted.get(image.image_id, [])
        height, width = image.size
        boxes = torch.tensor([instance.box for instance in instances]).reshape(-1, 4)
        labels = torch.tensor([instance.label for instance in instances], dtype=torch.int64)
        boxes = boxes.clamp_min(0).minimum(torch.tensor([width, height, width, height]))
        return boxes, labels, _masks(instances, image.size)

    def __getitem__(self, index: int) -> Sample:
        """DataError if the photo is missing, cannot be decoded, or differs in size from its entry."""
        image = self._images[self.image_ids[index]]
        path = find_photo(self._photos, image.file_name)
        pixels = read_photo(path)
        if tuple(pixels.shape[-2:]) != image.size:
            rule = f"is {tuple(pixels.shape[-2:])} (height, width), its entry says {image.size}"
            raise DataError(path, "photo", rule, "take photos and annotations from the same source")
        boxes, labels, masks = self.annotation(index)
        return Sample(image.image_id, pixels, boxes, labels, torch.zeros(0, 3, dtype=torch.int64), masks)


class WithTrueMasks(Subset):
    """The images of `dataset`, each with the masks of its regions from a file of COCO instances.

    The k-th instance of an image in the file belongs to its k-th box. DataError where their numbers differ.
    """

    def __init__(self, dataset: ImageSet, annotations: Path):
        super().__init__(dataset, range(len(dataset)))
        self._path = Path(annotations)
        self._images, _, instances = read_instances(annotations)
        self._instances, _ = by_image(instances)

    def __getitem__(self, index: int) -> Sample:
        """A sample with masks, in the frame of its photo."""
        sample = super().__getitem__(index)
        return replace(sample, masks=self.masks(index, len(sample.boxes)))

    def masks(self, index: int, regions: int) -> Bool[Tensor, "regions h w"]:
        """The true masks of an image's regions, without opening the photo."""
        image_id = self.image_ids[index]
        instances = self._instances.get(image_id, [])
        if len(instances) != regions:
            rule = f"has {len(instances)} masks for {regions} boxes of the scene graph set"
            raise DataError(self._path, f"image {image_id}", rule, "draw the world again, with both files at once")
        return _masks(instances, self._images[image_id].size)


def read_instances(path: Path) -> tuple[dict[int, ImageEntry], tuple[str, ...], list[Instance]]:
    """(images by id, class names in label order, instances in the order of the file). DataError at a bad entry."""
    record = read_json(path)
    images = {entry.image_id: entry for entry in _read_images(path, field(path, "file", record, "images", list))}
    labels, names = _read_categories(path, field(path, "file", record, "categories", list))
    annotations = field(path, "file", record, "annotations", list)
    _check_unique(path, annotations, "annotation")
    instances = (_read_instance(path, annotation, images, labels) for annotation in annotations)
    return images, names, [instance for instance in instances if instance is not None]


def _check_unique(path: Path, entries: list, kind: str) -> None:
    seen = set()
    for place, entry in enumerate(entries):
        number = field(path, f"{kind} at place {place}", entry, "id", int)
        if number in seen:
            raise DataError(path, f"{kind} {number}", "appears more than once", "remove the copies")
        seen.add(number)


def _read_images(path: Path, entries: list) -> list[ImageEntry]:
    _check_unique(path, entries, "image")
    images = []
    for entry in entries:
        item = f"image {entry['id']}"
        size = (field(path, item, entry, "height", int), field(path, item, entry, "width", int))
        if min(size) <= 0:
            raise DataError(path, item, f"has height {size[0]} and width {size[1]}", AGAIN)
        name = field(path, item, entry, "file_name", str)
        if PurePath(name).is_absolute() or ".." in PurePath(name).parts:
            raise DataError(path, item, f"file_name {name!r} lies outside the folder of photos", AGAIN)
        images.append(ImageEntry(entry["id"], name, size))
    return images


def _read_categories(path: Path, entries: list) -> tuple[dict[int, int], tuple[str, ...]]:
    """({category id: label}, names in label order)."""
    _check_unique(path, entries, "category")
    entries = sorted(entries, key=lambda entry: entry["id"])
    labels = {entry["id"]: label for label, entry in enumerate(entries, start=1)}
    names = tuple(field(path, f"category {entry['id']}", entry, "name", str) for entry in entries)
    for entry, name in zip(entries, names, strict=True):
        if names.count(name) > 1:
            raise DataError(path, f"category {entry['id']}", f"has the name {name!r} of another one", AGAIN)
    return labels, names


def _read_instance(path: Path, entry: dict, images: dict[int, ImageEntry], labels: dict[int, int]) -> Instance | None:
    """One instance from an annotation of the file. None for a box without width or height, of which COCO has a few."""
    item = f"annotation {entry['id']}"
    image = images.get(field(path, item, entry, "image_id", int))
    if image is None:
        raise DataError(path, item, f"image {entry['image_id']} is not in the file's list of images", AGAIN)
    label = labels.get(field(path, item, entry, "category_id", int))
    if label is None:
        raise DataError(path, item, f"category {entry['category_id']} is not in the file's categories", AGAIN)
    segmentation = _read_segmentation(path, item, entry, image.size)
    box = _read_box(path, item, entry, image.size)
    crowd = entry.get("iscrowd", 0)
    if crowd not in (0, 1) or not isinstance(crowd, int):
        raise DataError(path, item, f"'iscrowd' is {crowd!r:.60}, neither 0 nor 1", AGAIN)
    if box[2] == box[0] or box[3] == box[1]:
        return None
    return Instance(image.image_id, label, box, segmentation, bool(crowd))


def _are_numbers(values: list) -> bool:
    """Whether all values are finite numbers; truth values are none."""
    return {int, float} >= set(map(type, values)) and all(map(math.isfinite, values))


def _read_box(path: Path, item: str, entry: dict, size: tuple[int, int]) -> tuple[float, float, float, float]:
    box = field(path, item, entry, "bbox", list)
    if len(box) != 4 or not _are_numbers(box) or min(box[2:]) < 0:
        raise DataError(path, item, f"bbox {box!r:.80} is not x, y, width, height", AGAIN)
    x, y, width, height = map(float, box)
    if x >= size[1] or y >= size[0] or x + width < 0 or y + height < 0:
        raise DataError(path, item, f"bbox {box!r:.80} lies outside its image of size {size} (height, width)", AGAIN)
    return x, y, x + width, y + height


def _read_segmentation(path: Path, item: str, entry: dict, size: tuple[int, int]) -> Any:
    """Run lengths, or polygons as arrays, of which no pixel has been asked for before they are known to be whole."""
    segmentation = field(path, item, entry, "segmentation", (list, dict))
    if isinstance(segmentation, dict):
        return _checked_runs(path, item, segmentation, size)
    if not segmentation or not all(_is_polygon(polygon) for polygon in segmentation):
        rule = f"a polygon needs an even number of coordinates, at least {POLYGON_NUMBERS}, all finite, in a flat list"
        raise DataError(path, item, rule, "remove the polygon or the annotation")
    polygons = [np.asarray(polygon, dtype=np.float64) for polygon in segmentation]
    end = np.array(size[::-1])
    for polygon in polygons:
        low, high = polygon.reshape(-1, 2).min(axis=0), polygon.reshape(-1, 2).max(axis=0)
        if (low > end).any() or (high < 0).any() or (low < -end).any() or (high > 2 * end).any():
            place = f"from {low.tolist()} to {high.tolist()}"
            rule = f"a polygon {place} lies outside its image of size {size} (height, width)"
            raise DataError(path, item, rule, "remove the polygon or the annotation")
    return polygons


def _is_polygon(polygon: Any) -> bool:
    whole = isinstance(polygon, list) and len(polygon) >= POLYGON_NUMBERS and len(polygon) % 2 == 0
    return whole and _are_numbers(polygon)


def _checked_runs(path: Path, item: str, runs: dict, size: tuple[int, int]) -> dict:
    named = tuple(field(path, item, runs, "size", list))
    counts = field(path, item, runs, "counts", (list, str))
    if named != size or not all(type(side) is int for side in named):
        raise DataError(path, item, f"run lengths are for size {named}, the image is {size} (height, width)", AGAIN)
    lengths = run_lengths(counts) if isinstance(counts, str) else counts
    if not all(type(length) is int and length >= 0 for length in lengths):
        raise DataError(path, item, "run lengths are not whole numbers from 0", AGAIN)
    if sum(lengths) != size[0] * size[1]:
        raise DataError(path, item, f"run lengths cover {sum(lengths)} pixels of {size[0] * size[1]}", AGAIN)
    return runs


def run_lengths(text: str) -> list[int]:
    """COCO's compressed run lengths as numbers; [-1] for text that holds none.

    Each number is in groups of five bits from the lowest, one character from "0" on; its sixth bit says that more
    follow, and the fifth bit of the last group is its sign. From the fourth on a number is the difference to the one
    before the last.
    """
    lengths, value, shift = [], 0, 0
    for character in text:
        bits = ord(character) - ord("0")
        if not 0 <= bits < 64 or shift > 30:
            return [-1]
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        value -= (1 << shift) if bits & 16 else 0
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value, shift = 0, 0
    return lengths if shift == 0 else [-1]


def by_image(instances: list[Instance]) -> tuple[dict[int, list[Instance]], dict[int, list[Instance]]]:
    """(instances, crowds) by the id of their image, in the order of the file; images without any are left out."""
    others, crowds = {}, {}
    for instance in instances:
        (crowds if instance.crowd else others).setdefault(instance.image_id, []).append(instance)
    return others, crowds


def _masks(instances: list[Instance], size: tuple[int, int]) -> Bool[Tensor, "regions h w"]:
    masks = np.zeros((len(instances), *size), dtype=bool)
    for mask, instance in zip(masks, instances, strict=True):
        mask[:] = decode(instance.segmentation, size)
    return torch.from_numpy(masks)


def decode(segmentation: list | dict, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """The mask of polygons (a list of x, y, x, y ...) or of run lengths, plain or compressed."""
    if isinstance(segmentation, dict):
        runs = segmentation
        if isinstance(runs["counts"], list):
            runs = coco_masks.frPyObjects(runs, *size)
    else:
        runs = coco_masks.merge(coco_masks.frPyObjects([polygon.tolist() for polygon in segmentation], *size))
    return coco_masks.decode(runs).astype(bool)
