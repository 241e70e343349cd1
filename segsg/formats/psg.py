"""The JSON files of OpenPSG (truths) and sgbench (predictions), as far as they have boxes.

Both count classes and predicates from 0. sgbench's predictions are ranked without scores; here the first of n
triplets scores 1, the next (n - 1) / n, and so on, and boxes score 1, so that the order is theirs.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from segsg.evaluation.records import Truth
from segsg.formats.fields import image_id, names_of
from segsg.structures import ImageGraph

XYXY, XYWH = 0, 1
"""`bbox_mode` of Detectron2"""


def _load(path: Path, lists: tuple[str, ...]) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error}); files with masks (.zip) are not read, only boxes") from error
    for name in lists:
        if not isinstance(content, dict) or not isinstance(content.get(name), list):
            raise ValueError(f"{path}: no list {name!r}; truths are in OpenPSG's layout, predictions in sgbench's")
    if not content[lists[0]]:
        raise ValueError(f"{path}: empty; no image in {lists[0]!r}")
    return content


def _get(record: Any, name: str, where: str) -> Any:
    if not isinstance(record, dict) or name not in record:
        raise ValueError(f"{where}: {name!r} is missing")
    return record[name]


def _image_id(value: Any, where: str) -> int:
    """OpenPSG writes ids as words."""
    return image_id(int(value) if isinstance(value, str) and value.isdecimal() else value, where)


def _regions_of(record: dict[str, Any], name: str, where: str) -> list:
    regions = _get(record, name, where)
    if not isinstance(regions, list):
        raise ValueError(f"{where}: {name!r} must be a list")
    return regions


def _table(rows: Any, columns: int, kind: type, name: str, where: str) -> np.ndarray:
    try:
        return np.asarray(rows, dtype=kind).reshape(len(rows), columns)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{where}: {name!r} is not a table of {columns} numbers in a row ({error})") from error


def _triplets(record: dict[str, Any], name: str, where: str) -> Int[np.ndarray, "triplets 3"]:
    """Rows (subject, object, predicate), predicates from 1."""
    return _table(_get(record, name, where), 3, np.int64, name, where) + np.array([0, 0, 1])


def names(path: Path) -> tuple[str, ...]:
    """Foreground predicates."""
    return names_of(_load(path, ("data", "predicate_classes"))["predicate_classes"], f"{path}: predicate_classes")


def truths(path: Path) -> Iterator[Callable[[], Truth]]:
    """Every test image, or every image of a file that does not list the test images, still to be checked."""
    content = _load(path, ("data", "predicate_classes"))
    listed = content.get("test_image_ids")
    wanted = set(map(str, listed)) if isinstance(listed, list) else None
    for number, record in enumerate(content["data"]):
        name = _get(record, "image_id", f"{path}: image number {number}")
        if wanted is None or str(name) in wanted:
            yield partial(_truth, record, f"{path}: image {name}")


def _truth(record: dict[str, Any], where: str) -> Truth:
    regions = _regions_of(record, "annotations", where)
    boxes = np.concatenate([np.zeros((0, 4), dtype=np.float32), *(_box(region, where) for region in regions)])
    labels = _labels([_get(region, "category_id", where) for region in regions], where)
    relations = _triplets(record, "relations", where)
    return Truth(boxes, labels, relations, _image_id(record["image_id"], where))


def _box(region: Any, where: str) -> Float[np.ndarray, "1 4"]:
    box = _table([_get(region, "bbox", where)], 4, np.float32, "bbox", where)
    mode = region.get("bbox_mode", XYXY)
    if mode not in (XYXY, XYWH):
        raise ValueError(f"{where}: bbox_mode {mode!r}; 0 is (x1, y1, x2, y2), 1 is (x, y, width, height)")
    return box if mode == XYXY else np.concatenate([box[:, :2], box[:, :2] + box[:, 2:]], axis=1)


def predicates(path: Path) -> None:
    """The file does not say how many there are."""


def graphs(path: Path, predicates: int) -> Iterator[Callable[[], ImageGraph]]:
    """Every image, still to be checked; `predicates` counts background."""
    for number, record in enumerate(_load(path, ("images",))["images"]):
        name = _get(record, "id", f"{path}: image number {number}")
        yield partial(_graph, record, predicates, f"{path}: image {name}")


def _graph(record: dict[str, Any], predicates: int, where: str) -> ImageGraph:
    boxes, labels = _regions(record, where)
    triplets = _triplets(record, "triplets", where)
    pairs, probabilities = _as_scores(triplets, predicates, where)
    found = (boxes, labels, np.ones(len(boxes), dtype=np.float32), pairs, probabilities)
    return ImageGraph(_image_id(record["id"], where), *(torch.from_numpy(array) for array in found))


def _regions(record: dict[str, Any], where: str) -> tuple[Float[np.ndarray, "regions 4"], Int[np.ndarray, "regions"]]:
    """From "annotation", which sgbench 1.0 reads, or from "bboxes" and "categories", which its manual describes."""
    if "annotation" in record:
        regions = _regions_of(record, "annotation", where)
        boxes = [_first_four(_get(region, "bbox", where)) for region in regions]
        categories = [_get(region, "category", where) for region in regions]
    else:
        boxes, categories = _get(record, "bboxes", where), _get(record, "categories", where)
    boxes, labels = _table(boxes, 4, np.float32, "bboxes", where), _labels(categories, where)
    if len(boxes) != len(labels):
        raise ValueError(f"{where}: {len(boxes)} boxes and {len(labels)} categories")
    return boxes, labels


def _first_four(box: Any) -> Any:
    """sgbench lets a score follow the corners."""
    return box[:4] if isinstance(box, list) else box


def _labels(categories: Any, where: str) -> Int[np.ndarray, "regions"]:
    """Classes from 1."""
    return _table(categories, 1, np.int64, "categories", where)[:, 0] + 1


def _as_scores(
    triplets: Int[np.ndarray, "triplets 3"], predicates: int, where: str
) -> tuple[Int[np.ndarray, "pairs 2"], Float[np.ndarray, "pairs predicates"]]:
    """Pairs in the order of their best triplets, and scores that fall by equal steps."""
    if len(triplets) and not 0 < triplets[:, 2].min() <= triplets[:, 2].max() < predicates:
        raise ValueError(f"{where}: predicates {triplets[:, 2].min() - 1}..{triplets[:, 2].max() - 1}, "
                         f"but the truths name {predicates - 1} of them, 0..{predicates - 2}")  # fmt: skip
    ranked = triplets[_first(triplets)]
    pairs = ranked[_first(ranked[:, :2]), :2]
    place = {pair: i for i, pair in enumerate(map(tuple, pairs.tolist()))}
    scores = np.zeros((len(pairs), predicates), dtype=np.float32)
    rows = [place[pair] for pair in map(tuple, ranked[:, :2].tolist())]
    scores[rows, ranked[:, 2]] = 1 - np.arange(len(ranked)) / max(len(ranked), 1)
    return pairs, scores


def _first(rows: Int[np.ndarray, "rows _"]) -> Int[np.ndarray, "kept"]:
    """Where each different row is for the first time, in order."""
    return np.sort(np.unique(rows, axis=0, return_index=True)[1])
