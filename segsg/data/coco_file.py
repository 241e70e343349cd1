"""What COCO's instances_*.json holds, read an entry at a time, and every rule that its entries must keep."""

from array import array
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from pycocotools import mask as coco_masks

from segsg.data.entries import read_lists
from segsg.data.photos import MOST_PIXELS
from segsg.data.words import check_names
from segsg.files import DataError
from segsg.values import CORRECT, are_finite, demand, field, once, proper_name, shown, whole_number

Outline = tuple[bytes, ...] | bytes
"""Polygons (float64 x, y, x, y ... each), or compressed run lengths: a twentieth of the memory of COCO's lists"""
POLYGON_NUMBERS = 6
"""Three corners, the fewest that enclose an area."""
POINTS_A_PIXEL, MOST_POINTS = 5, 2**24
"""along an outline: as pycocotools makes them; as many as take 0.3 GiB"""
MOST_MASK_PIXELS = 2**31
"""of all masks of an image, a byte each"""
ANY_SIZE, UNLIMITED = (0, 0), (0.0,) * 8
"""of polygons, that name no size; of run lengths, that need no extents"""


@dataclass(frozen=True, slots=True)
class ImageEntry:
    image_id: int
    file_name: str
    size: tuple[int, int]
    """(height, width)"""


@dataclass(frozen=True)
class Instances:
    """Annotations of a file as columns, in its order.

    Boxes are xyxy in original pixels. A crowd is several things under one mask, which COCO neither trains on nor
    counts as missed or found.
    """

    image_ids: Int[np.ndarray, "n"]
    labels: Int[np.ndarray, "n"]
    boxes: Float[np.ndarray, "n 4"]
    crowds: Bool[np.ndarray, "n"]
    outlines: Sequence[Outline]
    left_out: int
    """annotations without width or height, of which COCO has a few"""


def read_instances(path: Path) -> tuple[dict[int, ImageEntry], tuple[str, ...], Instances]:
    """(images by id, class names in label order, instances in the order of the file). DataError at a bad entry."""
    found = _Found(path)
    makers = {"images": found.images, "categories": found.categories, "annotations": found.annotations}
    missing = set(makers)
    for key, entries in read_lists(path):
        if key in makers:
            makers[key](entries)
            missing.discard(key)
    if missing:
        raise DataError(path, "file", f"has no list '{min(missing)}'", "give a file of COCO's layout")
    images, names, instances = found.checked()
    if not len(instances.labels):
        raise DataError(path, "file", "has no annotation with an area", "give the instances, not the list of images")
    return images, names, instances


class _Found:
    """What one file holds, taken an entry at a time; lists may come in any order."""

    def __init__(self, path: Path):
        self._path = path
        self._images: dict[int, ImageEntry] = {}
        self._categories: dict[int, str] = {}
        self._numbers, self._boxes, self._extents = array("q"), array("d"), array("d")
        self._outlines: list[Outline] = []

    def images(self, entries: Iterable[Any]) -> None:
        path = self._path
        for place, entry in enumerate(entries):
            image_id = _id(path, "image", place, entry, self._images)
            item = f"image {image_id}"
            size = (whole_number(path, item, entry, "height", 1), whole_number(path, item, entry, "width", 1))
            if size[0] * size[1] > MOST_PIXELS:
                raise DataError(path, item, f"has more than {MOST_PIXELS} pixels", CORRECT)
            name = proper_name(path, item, field(path, item, entry, "file_name", str))
            relative = PurePath(name)
            if relative.is_absolute() or ".." in relative.parts:
                raise DataError(path, item, f"file_name {name!r} lies outside the folder of photos", CORRECT)
            self._images[image_id] = ImageEntry(image_id, name, size)
        once(path, "photo", (image.file_name for image in self._images.values()))

    def categories(self, entries: Iterable[Any]) -> None:
        for place, entry in enumerate(entries):
            number = _id(self._path, "category", place, entry, self._categories)
            self._categories[number] = field(self._path, f"category {number}", entry, "name", str)
        check_names(self._path, "category", self._categories.values())

    def annotations(self, entries: Iterable[Any]) -> None:
        """Checks all that needs no other list."""
        path = self._path
        for place, entry in enumerate(entries):
            number = whole_number(path, f"annotation at place {place}", entry, "id")
            item = f"annotation {number}"
            image_id = whole_number(path, item, entry, "image_id")
            category = whole_number(path, item, entry, "category_id")
            crowd = whole_number(path, item, entry, "iscrowd", 0, 1) if "iscrowd" in entry else 0
            box = field(path, item, entry, "bbox", list)
            if len(box) != 4 or not are_finite(box) or min(box[2:]) < 0:
                raise DataError(path, item, f"bbox {shown(box)} is not x, y, width, height", CORRECT)
            segmentation = field(path, item, entry, "segmentation", list, dict)
            if type(segmentation) is dict:
                size, outline = _runs(path, item, segmentation)
                extents = UNLIMITED
            else:
                size, outline = ANY_SIZE, _polygons(path, item, segmentation)
                extents = _extents(segmentation)
            self._numbers.extend((number, image_id, category, crowd, *size))
            self._boxes.extend(box)
            self._extents.extend(extents)
            self._outlines.append(outline)

    def checked(self) -> tuple[dict[int, ImageEntry], tuple[str, ...], Instances]:
        """All of it, once everything is known that an annotation may name."""
        numbers = np.frombuffer(self._numbers, dtype=np.int64).reshape(-1, 6)
        ids, image_ids, categories, crowds, *_ = numbers.T

        def must(good: Bool[np.ndarray, "n"], rule: Callable[[int], str]) -> None:
            demand(self._path, good, lambda row: f"annotation {ids[row]}", rule)

        first = np.zeros(len(ids), dtype=bool)
        first[np.unique(ids, return_index=True)[1]] = True
        must(first, lambda i: "appears more than once")
        images, image = _places(self._images, image_ids)
        must(image >= 0, lambda i: f"image {image_ids[i]} is not in the file's list of images")
        classes, label = _places(self._categories, categories)
        must(label >= 0, lambda i: f"category {categories[i]} is not in the file's categories")
        sizes = np.array([self._images[number].size for number in images], dtype=np.int64).reshape(-1, 2)[image]
        boxes = np.frombuffer(self._boxes).reshape(-1, 4)
        boxes = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
        extents = np.frombuffer(self._extents).reshape(-1, 4, 2).transpose(1, 0, 2)
        _check_places(must, boxes, extents, sizes, numbers[:, 4:])
        _check_memory(must, self._outlines, extents, np.bincount(image)[image] * sizes.prod(axis=1))
        kept = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        outlines = [self._outlines[row] for row in kept]
        columns = image_ids[kept], label[kept] + 1, boxes[kept], crowds[kept] == 1
        instances = Instances(*columns, outlines, left_out=len(boxes) - len(kept))
        return self._images, tuple(self._categories[number] for number in classes), instances


def _check_places(must: Callable, boxes: np.ndarray, extents: np.ndarray, sizes: np.ndarray, named: np.ndarray) -> None:
    """Boxes and outlines lie in their images, of `sizes`; run lengths are for the sizes that they name."""

    def outside(row: int, what: str, low: np.ndarray, high: np.ndarray) -> str:
        image = f"its image of size {tuple(sizes[row].tolist())} (height, width)"
        return f"{what} from {low[row].tolist()} to {high[row].tolist()} lies outside {image}"

    fitting = ((named == sizes) | (named == ANY_SIZE)).all(axis=1)
    found = "run lengths are for size {}, the image is {} (height, width)"
    must(fitting, lambda i: found.format(*(tuple(pair[i].tolist()) for pair in (named, sizes))))
    end, left_top, right_bottom = sizes[:, ::-1], boxes[:, :2], boxes[:, 2:]
    inside = ((left_top < end) & (right_bottom >= 0)).all(axis=1)
    must(inside, lambda i: outside(i, "bbox", left_top, right_bottom))
    low, high, last_low, first_high = extents
    inside = ((last_low <= end) & (first_high >= 0) & (low >= -end) & (high <= 2 * end)).all(axis=1)
    must(inside, lambda i: outside(i, "a polygon", low, high))


def _check_memory(must: Callable, outlines: list[Outline], extents: np.ndarray, mask_pixels: np.ndarray) -> None:
    """No mask takes more memory than there is: `mask_pixels` are those of all masks of an annotation's image."""
    few = mask_pixels <= MOST_MASK_PIXELS
    must(few, lambda i: f"is one of so many in its image that their masks take {mask_pixels[i]} bytes")
    numbers = np.array([len(b"".join(outline)) // 8 if isinstance(outline, tuple) else 0 for outline in outlines])
    most = POINTS_A_PIXEL * numbers / 2 * (extents[1] - extents[0]).max(axis=1)
    short = np.ones(len(outlines), dtype=bool)
    for row in np.flatnonzero(most > MOST_POINTS):
        short[row] = sum(map(_length, outlines[row])) * POINTS_A_PIXEL <= MOST_POINTS
    must(short, lambda i: "the outlines of its polygons are too long to be drawn")


def _length(polygon: bytes) -> float:
    """Pixels along an outline, counted as it is drawn: the longer side of each step."""
    corners = np.frombuffer(polygon).reshape(-1, 2)
    return float(np.abs(np.diff(corners, axis=0, append=corners[:1])).max(axis=1).sum())


def _id(path: Path, kind: str, place: int, entry: Any, known: Container[int]) -> int:
    number = whole_number(path, f"{kind} at place {place}", entry, "id")
    if number in known:
        raise DataError(path, f"{kind} {number}", "appears more than once", "remove the copies")
    return number


def _places(known: Iterable[int], wanted: Int[np.ndarray, "n"]) -> tuple[list[int], Int[np.ndarray, "n"]]:
    """(the known numbers in order, the place among them of each wanted one, -1 for one that is not known)."""
    numbers = np.array(sorted(known), dtype=np.int64)
    place = np.searchsorted(numbers, wanted)
    place[place == len(numbers)] = -1
    return numbers.tolist(), np.where((place >= 0) & (numbers[place] == wanted), place, -1) if len(numbers) else place


def _polygons(path: Path, item: str, polygons: list) -> tuple[bytes, ...]:
    """Polygons as float64, of which nothing is used before they are known to be whole."""
    if not polygons or not all(map(_is_polygon, polygons)):
        rule = f"a polygon needs an even number of coordinates, at least {POLYGON_NUMBERS}, all finite, in a flat list"
        raise DataError(path, item, rule, "remove the polygon or the annotation")
    return tuple(array("d", polygon).tobytes() for polygon in polygons)


def _is_polygon(polygon: Any) -> bool:
    return are_finite(polygon) and len(polygon) >= POLYGON_NUMBERS and len(polygon) % 2 == 0


def _extents(polygons: list[list[int | float]]) -> list[int | float]:
    """Ends along x and y: the least and the greatest of all corners, then the largest least and the smallest greatest
    end of a single polygon. The last two say whether some polygon lies wholly outside an image."""
    x, y = [polygon[::2] for polygon in polygons], [polygon[1::2] for polygon in polygons]
    low = [list(map(min, numbers)) for numbers in (x, y)]
    high = [list(map(max, numbers)) for numbers in (x, y)]
    return [*map(min, low), *map(max, high), *map(max, low), *map(min, high)]


def _runs(path: Path, item: str, runs: dict) -> tuple[tuple[int, int], bytes]:
    """(height, width) and compressed run lengths, which cover exactly so many pixels."""
    size, counts = field(path, item, runs, "size", list), field(path, item, runs, "counts", list, str)
    if len(size) != 2 or {int} != set(map(type, size)) or min(size) < 1 or size[0] * size[1] > MOST_PIXELS:
        raise DataError(path, item, f"run lengths are for size {shown(size)}, which is no height and width", CORRECT)
    lengths = run_lengths(counts) if type(counts) is str else counts
    if not all(type(length) is int and length >= 0 for length in lengths):
        raise DataError(path, item, "run lengths are not whole numbers from 0", CORRECT)
    if sum(lengths) != size[0] * size[1]:
        raise DataError(path, item, f"run lengths cover {sum(lengths)} pixels of {size[0] * size[1]}", CORRECT)
    if type(counts) is str:
        return (size[0], size[1]), counts.encode()
    return (size[0], size[1]), coco_masks.frPyObjects({"size": size, "counts": counts}, *size)["counts"]


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


def by_image(instances: Instances) -> tuple[dict[int, Int[np.ndarray, "_"]], dict[int, Int[np.ndarray, "_"]]]:
    """Rows of (instances, crowds) by the id of their image, in the order of the file. Other images are left out."""
    return _rows_by_image(instances, ~instances.crowds), _rows_by_image(instances, instances.crowds)


def _rows_by_image(instances: Instances, wanted: Bool[np.ndarray, "n"]) -> dict[int, Int[np.ndarray, "_"]]:
    rows = np.flatnonzero(wanted)
    rows = rows[np.argsort(instances.image_ids[rows], kind="stable")]
    image_ids, first = np.unique(instances.image_ids[rows], return_index=True)
    return dict(zip(image_ids.tolist(), np.split(rows, first[1:]), strict=False))
