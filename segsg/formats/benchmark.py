"""`eval_results.pytorch` of Scene-Graph-Benchmark and its descendants, read without running any code of the file.

Such a file is a pickle, which can do anything to whoever opens it. PyTorch's restricted reader builds tensors and
plain containers only; the one other class of these files, BoxList, becomes an inert record. Anything else is refused.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from segsg.evaluation.records import Truth
from segsg.files import DAMAGED, read_torch
from segsg.structures import ImageGraph

BOX_LIST = "maskrcnn_benchmark.structures.bounding_box.BoxList"


class BoxList:
    """What stands for the class of the same name: its attributes, and no method."""


def load(path: Path) -> dict[str, list[BoxList]]:
    """The lists "groundtruths" and "predictions". Tensors of a file of today's layout stay on disk until used.

    Raises ValueError for a file that is damaged, holds other classes, or lacks one of the lists.
    """
    try:
        content = read_torch(path, [(BoxList, BOX_LIST)])
    except DAMAGED as error:
        rule = f"only tensors, plain containers and BoxList are read, never code ({type(error).__name__})"
        raise ValueError(f"{path}: refused; {rule}") from error
    for name in ("groundtruths", "predictions"):
        found = content.get(name) if isinstance(content, dict) else None
        if not isinstance(found, list) or not all(isinstance(item, BoxList) for item in found):
            raise ValueError(f"{path}: no list {name!r} of BoxList; expected eval_results.pytorch of the benchmark")
    if not content["groundtruths"]:
        raise ValueError(f"{path}: empty; no image in it")
    return content


def _field(item: BoxList, name: str, columns: int | None, where: str) -> Tensor:
    """A field with so many numbers in a row: None for one number, -1 for any number of columns."""
    fields = getattr(item, "extra_fields", None)
    fields = fields if isinstance(fields, dict) else {}
    if not isinstance(fields.get(name), Tensor):
        raise ValueError(f"{where}: no tensor {name!r} among its fields {', '.join(map(str, fields)) or '(none)'}")
    return _table(fields[name], name, columns, where)


def _table(values: Tensor, name: str, columns: int | None, where: str) -> Tensor:
    if not values.numel() and columns != -1:
        values = values.reshape((0,) if columns is None else (0, columns))
    if values.ndim != (1 if columns is None else 2) or columns not in (None, -1, values.shape[-1]):
        raise ValueError(f"{where}: {name!r} has shape {tuple(values.shape)}")
    return values


def _boxes(item: BoxList, where: str) -> Float[Tensor, "regions 4"]:
    """xyxy; widths of the other layout count pixels inclusively."""
    boxes, mode = getattr(item, "bbox", None), getattr(item, "mode", None)
    if not isinstance(boxes, Tensor) or mode not in ("xyxy", "xywh"):
        raise ValueError(f"{where}: boxes must be a tensor in mode xyxy or xywh, not {mode!r}")
    boxes = _table(boxes, "bbox", 4, where).float()
    if mode == "xyxy":
        return boxes
    return torch.cat([boxes[:, :2], boxes[:, :2] + (boxes[:, 2:] - 1).clamp(min=0)], dim=1)


def _same_length(rows: int, others: dict[str, Tensor], where: str) -> None:
    for name, values in others.items():
        if len(values) != rows:
            raise ValueError(f"{where}: {len(values)} rows of {name!r} where {rows} are needed")


def _truth(number: int, item: BoxList, where: str) -> Truth:
    boxes, labels = _boxes(item, where), _field(item, "labels", None, where).long()
    _same_length(len(boxes), {"labels": labels}, where)
    return Truth(boxes, labels, _field(item, "relation_tuple", 3, where).long(), number)


def _graph(number: int, item: BoxList, predicates: int, where: str) -> ImageGraph:
    """Without the pair (0, 0) that the benchmark writes where it has no pair."""
    boxes, pairs = _boxes(item, where), _field(item, "rel_pair_idxs", 2, where).long()
    labels, scores = _field(item, "pred_labels", None, where).long(), _field(item, "pred_scores", None, where).float()
    probabilities = _field(item, "pred_rel_scores", -1, where).float()
    _same_length(len(boxes), {"pred_labels": labels, "pred_scores": scores}, where)
    _same_length(len(pairs), {"pred_rel_scores": probabilities}, where)
    kept = pairs[:, 0] != pairs[:, 1]
    probabilities = probabilities[kept] if kept.any() else probabilities.new_zeros(0, predicates)
    return ImageGraph(number, boxes, labels, scores, pairs[kept], probabilities)


def names(path: Path) -> None:
    """The file has none."""


def truths(path: Path) -> Iterator[Callable[[], Truth]]:
    """Every image, still to be checked; they count from 0."""
    for number, item in enumerate(load(path)["groundtruths"]):
        yield partial(_truth, number, item, f"{path}: groundtruth of image {number}")


def predicates(path: Path) -> int | None:
    """Number of predicates, background included; None if no image has a pair."""
    for number, item in enumerate(load(path)["predictions"]):
        scores = _field(item, "pred_rel_scores", -1, f"{path}: prediction of image {number}")
        if len(scores):
            return scores.shape[1]
    return None


def graphs(path: Path, predicates: int) -> Iterator[Callable[[], ImageGraph]]:
    """Every image, still to be checked; `predicates` counts background."""
    for number, item in enumerate(load(path)["predictions"]):
        yield partial(_graph, number, item, predicates, f"{path}: prediction of image {number}")
