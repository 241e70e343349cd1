"""COCO's average precision of boxes and masks, and the overlap of masks with true masks."""

import contextlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from segsg.evaluation.metrics import ratio
from segsg.evaluation.records import as_array

STATISTICS = ("AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L")

Image = Mapping[str, Any]
"""Regions of one image in the frame of the original photo: `boxes_original` xyxy [regions, 4], `labels` [regions]
from 1, `scores` [regions] if they are detections, and `masks` if masks are judged: bool [regions, h, w] or one
run-length encoding of pycocotools for each region. A truth may have `crowd`, bool [regions]: what is found inside such
a region is neither right nor wrong."""


def encode(masks) -> list[dict]:
    """Run-length encodings of bool masks [regions, h, w]; a list of encodings is returned as it is."""
    if isinstance(masks, Sequence):
        return list(masks)
    return rle.encode(np.asfortranarray(as_array(masks).transpose(1, 2, 0).astype(np.uint8)))


def decode(masks) -> Bool[np.ndarray, "regions h w"]:
    """Masks as a boolean array, from run lengths or from an array of masks."""
    if isinstance(masks, Sequence):
        return np.stack([rle.decode(mask).astype(bool) for mask in masks])
    return as_array(masks).astype(bool)


def _required(image: Image, key: str, place: int, whose: str):
    if image.get(key) is None:
        raise ValueError(f"image number {place}: {whose} has no {key!r}, only {sorted(image)}")
    return image[key]


def _annotations(image: Image, place: int, whose: str, masks: bool) -> list[dict]:
    """COCO records of one image, without ids."""
    boxes = as_array(_required(image, "boxes_original", place, whose)).astype(np.float64)
    labels = as_array(_required(image, "labels", place, whose))
    scores = as_array(_required(image, "scores", place, whose)) if whose == "detection" else np.ones(len(boxes))
    if not len(boxes) == len(labels) == len(scores):
        raise ValueError(f"image number {place}: {whose} has {len(boxes)} boxes, {len(labels)} labels, "
                         f"{len(scores)} scores; one of each is needed for a region")  # fmt: skip
    crowd = as_array(image.get("crowd", np.zeros(len(boxes), dtype=bool)))
    sides = boxes[:, 2:] - boxes[:, :2]
    records = [
        {"image_id": place, "category_id": int(label), "score": float(score), "area": float(side.prod()),
         "bbox": [*box[:2].tolist(), *side.tolist()], "iscrowd": int(many)}
        for box, side, label, score, many in zip(boxes, sides, labels, scores, crowd, strict=True)
    ]  # fmt: skip
    if masks and records:
        encodings = encode(_required(image, "masks", place, whose))
        if len(encodings) != len(records):
            raise ValueError(f"image number {place}: {whose} has {len(encodings)} masks for {len(records)} boxes")
        for record, encoding in zip(records, encodings, strict=True):
            record |= {"segmentation": encoding, "area": float(rle.area(encoding))}
    return records


def _coco(annotations: list[dict], sizes: list[tuple[int, int]], classes: int) -> COCO:
    """An index over annotations. Ids count from 1: 0 means "unmatched" to pycocotools."""
    coco = COCO()
    coco.dataset = {
        "images": [{"id": i, "height": h, "width": w} for i, (h, w) in enumerate(sizes)],
        "categories": [{"id": label} for label in range(1, classes)],
        "annotations": [annotation | {"id": i} for i, annotation in enumerate(annotations, start=1)],
    }
    coco.createIndex()
    return coco


def _size(truth: list[dict], detections: list[dict], place: int) -> tuple[int, int]:
    """(height, width) of the masks of an image, (0, 0) if it has none."""
    sizes = {tuple(record["segmentation"]["size"]) for record in truth + detections if "segmentation" in record}
    if len(sizes) > 1:
        raise ValueError(f"image number {place}: masks of sizes {sorted(sizes)}; paste all into the original photo")
    return sizes.pop() if sizes else (0, 0)


def average_precision(
    truths: Iterable[Image], detections: Iterable[Image], classes: int, masks: bool = False
) -> dict[str, Any]:
    """AP, AP50, AP75, AP_S, AP_M, AP_L in fractions and `per_class`, AP of each foreground class (None if untested).

    `classes` counts background. NaN where no true region falls in a range of sizes; sizes are areas of masks if
    masks are judged, of boxes otherwise. The iterables are walked once, in step; only encodings of masks are kept.
    Raises ValueError for an image whose parts do not fit together.
    """
    true_records, detected_records, sizes = [], [], []
    for place, (truth, detection) in enumerate(zip(truths, detections, strict=True)):
        true_part = _annotations(truth, place, "truth", masks)
        detected_part = _annotations(detection, place, "detection", masks)
        sizes.append(_size(true_part, detected_part, place))
        true_records += true_part
        detected_records += detected_part
    with contextlib.redirect_stdout(io.StringIO()):
        indices = (_coco(records, sizes, classes) for records in (true_records, detected_records))
        evaluation = COCOeval(*indices, "segm" if masks else "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = {name: _known(value) for name, value in zip(STATISTICS, evaluation.stats, strict=False)}
    return values | {"per_class": _class_precision(evaluation.eval["precision"])}


def _known(value: float) -> float:
    return float("nan") if value < 0 else float(value)


def _class_precision(precision: Float[np.ndarray, "ious recalls classes areas limits"]) -> list[float | None]:
    """Mean over IoU thresholds and recalls, all areas, 100 detections; pycocotools writes -1 for a class unseen."""
    by_class = precision[:, :, :, 0, -1].transpose(2, 0, 1)
    return [float(values.mean()) if (values > -1).all() else None for values in by_class]


def mask_ious(images: Iterable[tuple[Any, Any, Any]], classes: int) -> dict[str, Any]:
    """How well masks fit: (true masks, predicted masks, labels) of each image, region by region in the same order.

    `mIoU` is the mean over the classes that occur; `per_class` the mean IoU of a class's regions (None if it does
    not occur) and `regions` their number, label 1 first. Two empty masks fit. `classes` counts background.
    """
    total, regions = np.zeros(classes), np.zeros(classes, dtype=int)
    for place, (true, predicted, labels) in enumerate(images):
        labels = as_array(labels)
        if not len(labels):
            continue
        true, predicted = decode(true), decode(predicted)
        if true.shape != predicted.shape or len(true) != len(labels):
            raise ValueError(f"image number {place}: true masks {true.shape}, predicted {predicted.shape}, "
                             f"{len(labels)} labels; give one pair of masks of one size for each label")  # fmt: skip
        both, either = (true & predicted).sum((1, 2)), (true | predicted).sum((1, 2))
        total += np.bincount(labels, np.where(either > 0, both / np.maximum(either, 1), 1.0), minlength=classes)
        regions += np.bincount(labels, minlength=classes)
    means = ratio(total, regions)[1:]
    occurring = ~np.isnan(means)
    return {
        "mIoU": float(means[occurring].mean()) if occurring.any() else float("nan"),
        "per_class": [float(mean) if known else None for mean, known in zip(means, occurring, strict=True)],
        "regions": regions[1:].tolist(),
    }
