"""The JSON files of OpenPSG (truths) and sgbench (predictions), as far as they have boxes.

Both count classes and predicates from 0. sgbench's predictions are ranked without scores; here the first of n
triplets scores 1, the next (n - 1) / n, and so on, and boxes score 1, so that the order is theirs.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from segsg.formats.fields import File, MakeRecord, Record, from_json, names_of, table
from segsg.values import shown

XYXY, XYWH = 0, 1
"""`bbox_mode` of Detectron2"""


class Panoptic(File):
    """Truths in OpenPSG's layout or predictions in sgbench's."""

    endings = (".json",)

    def _load(self, *lists: str) -> dict[str, Any]:
        text = self.path.read_bytes()
        if text.startswith(b"PK"):
            raise ValueError(f"{self.path}: a zip archive; files with masks are not read, give one with boxes (.json)")
        way_out = "write it again in OpenPSG's layout (truths) or sgbench's (predictions)"
        content = from_json(text, str(self.path), way_out)
        for name in lists:
            if not isinstance(content, dict) or not isinstance(content.get(name), list):
                raise ValueError(
                    f"{self.path}: no list {name!r}; truths are in OpenPSG's layout, predictions in sgbench's"
                )
        if not content[lists[0]]:
            raise ValueError(f"{self.path}: empty; no image in {lists[0]!r}")
        return content

    def predicate_names(self) -> tuple[str, ...]:
        return names_of(self._load("data", "predicate_classes")["predicate_classes"], self.path)

    def predicate_columns(self) -> None:
        """The file does not say how many there are."""

    def true_images(self) -> Iterator[tuple[str, MakeRecord]]:
        """The test images, or all images of a file that does not list the test images."""
        content = self._load("data", "predicate_classes")
        listed = content.get("test_image_ids")
        if listed is not None and not (type(listed) is list and {int, str}.issuperset(map(type, listed))):
            raise ValueError(f"{self.path}: 'test_image_ids' is {shown(listed)}, not a list of ids")
        wanted = None if listed is None else set(map(str, listed))
        for number, image in enumerate(content["data"]):
            name = _get(image, "image_id", f"{self.path}: image number {number}")
            if wanted is None or str(name) in wanted:
                where = f"{self.path}: image {name}"
                yield where, partial(_true_record, image, where)

    def predicted_images(self, predicates: int) -> Iterator[tuple[str, MakeRecord]]:
        for number, image in enumerate(self._load("images")["images"]):
            name = _get(image, "id", f"{self.path}: image number {number}")
            where = f"{self.path}: image {name}"
            yield where, partial(_predicted_record, image, where, predicates)


def _true_record(image: dict[str, Any], where: str) -> Record:
    regions = _list(image, "annotations", where)
    return {
        "image_id": _whole_number(image["image_id"]),
        "boxes": [_corners(region, where) for region in regions],
        "classes": _labels([_get(region, "category_id", where) for region in regions], where),
        "relations": _triplets(image, "relations", where),
    }


def _predicted_record(image: dict[str, Any], where: str, predicates: int) -> Record:
    """Boxes and categories are under "annotation", which sgbench 1.0 reads, or apart, as its manual describes."""
    if "annotation" in image:
        regions = _list(image, "annotation", where)
        boxes = [_get(region, "bbox", where) for region in regions]
        boxes = [box[:4] if isinstance(box, list) else box for box in boxes]  # a score may follow the corners
        categories = [_get(region, "category", where) for region in regions]
    else:
        boxes, categories = _get(image, "bboxes", where), _get(image, "categories", where)
    labels = _labels(categories, where)
    pairs, scores = _as_scores(_triplets(image, "triplets", where), predicates, where)
    record = {"image_id": _whole_number(image["id"]), "boxes": boxes, "classes": labels, "scores": np.ones(len(labels))}
    return record | {"pairs": pairs, "predicate_scores": scores}


def _get(record: Any, name: str, where: str) -> Any:
    if not isinstance(record, dict) or name not in record:
        raise ValueError(f"{where}: {name!r} is missing")
    return record[name]


def _list(record: dict[str, Any], name: str, where: str) -> list:
    values = _get(record, name, where)
    if not isinstance(values, list):
        raise ValueError(f"{where}: {name!r} must be a list")
    return values


def _whole_number(image_id: Any) -> Any:
    """OpenPSG writes ids as words."""
    return int(image_id) if isinstance(image_id, str) and image_id.isdecimal() else image_id


def _triplets(record: dict[str, Any], name: str, where: str) -> Int[np.ndarray, "triplets 3"]:
    """The field `name` as rows (subject, object, predicate); predicates count from 1, in the file from 0."""
    return table(_get(record, name, where), name, 3, where) + np.array([0, 0, 1])


def _labels(categories: Any, where: str) -> Int[np.ndarray, "regions"]:
    """Class labels of regions, counted from 1; in the file they count from 0."""
    return table(categories, "categories", None, where) + 1


def _corners(region: Any, where: str) -> Float[np.ndarray, "4"]:
    boxes, mode = table([_get(region, "bbox", where)], "boxes", 4, where), region.get("bbox_mode", XYXY)
    if mode not in (XYXY, XYWH):
        raise ValueError(f"{where}: bbox_mode {mode!r}; 0 is (x1, y1, x2, y2), 1 is (x, y, width, height)")
    (box,) = boxes
    return box if mode == XYXY else np.concatenate([box[:2], box[:2] + box[2:]])


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
