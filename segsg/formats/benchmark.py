"""`eval_results.pytorch` of Scene-Graph-Benchmark and its descendants, read without running any code of the file.

Such a file is a pickle, which can do anything to whoever opens it. PyTorch's restricted reader builds tensors and
plain containers only; the one other class of these files, BoxList, becomes an inert record. Anything else is refused.
"""

from collections.abc import Iterator
from functools import partial
from zipfile import is_zipfile

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from segsg.evaluation.records import as_array
from segsg.files import DAMAGED, is_plain, read_torch
from segsg.formats.fields import ONE_CLASS, File, MakeRecord, Record, arrays, table

BOX_LIST = ".structures.bounding_box.BoxList"
"""how the class is called in a package of any name"""
PACKAGES = ("maskrcnn_benchmark", "pysgg", "sgg_benchmark")
"""known ones"""


class BoxList:
    """Stand-in for maskrcnn_benchmark's class of this name, for unpickling: it has its attributes and no method."""


class Benchmark(File):
    """Truths and predictions in one file. Images count from 0."""

    endings = (".pytorch", ".pth", ".pt")

    def _load(self) -> dict[str, list[BoxList]]:
        """The lists "groundtruths" and "predictions". Tensors of a file of today's layout stay on disk until used.

        Raises ValueError for a file that is damaged, holds other classes, or lacks one of the lists.
        """
        try:
            named = [f"{package}{BOX_LIST}" for package in PACKAGES]
            if is_zipfile(self.path):  # files from PyTorch before 1.6 do not tell before they are read
                named = torch.serialization.get_unsafe_globals_in_checkpoint(self.path)
            content = read_torch(self.path, [(BoxList, name) for name in named if name.endswith(BOX_LIST)])
        except DAMAGED as error:
            rule = f"only tensors, plain containers and BoxList are read, never code ({type(error).__name__})"
            raise ValueError(f"{self.path}: refused; {rule}") from error
        for name in ("groundtruths", "predictions"):
            listed = content.get(name) if isinstance(content, dict) else None
            if not isinstance(listed, list) or not all(isinstance(item, BoxList) for item in listed):
                raise ValueError(
                    f"{self.path}: no list {name!r} of BoxList; expected eval_results.pytorch of the benchmark"
                )
        if not content["groundtruths"]:
            raise ValueError(f"{self.path}: empty; no image in it")
        return content

    def true_images(self) -> Iterator[tuple[str, MakeRecord]]:
        for number, item in enumerate(self._load()["groundtruths"]):
            where = f"{self.path}: groundtruth of image {number}"
            yield where, partial(true_record, number, item, where)

    def predicted_images(self, predicates: int) -> Iterator[tuple[str, MakeRecord]]:
        for number, item in enumerate(self._load()["predictions"]):
            where = f"{self.path}: prediction of image {number}"
            yield where, partial(predicted_record, number, item, where)


def true_record(number: int, item: BoxList, where: str) -> Record:
    """The documented fields of a true image."""
    classes, relations = _field(item, "labels", where), _field(item, "relation_tuple", where)
    return {"image_id": number, "boxes": _boxes(item, where), "classes": classes, "relations": relations}


def predicted_record(number: int, item: BoxList, where: str) -> Record:
    """The documented fields of a prediction, without the pair (0, 0) that stands alone where there is no pair."""
    record = {
        "boxes": _boxes(item, where),
        "classes": _field(item, "pred_labels", where),
        "scores": _field(item, "pred_scores", where),
        "pairs": _field(item, "rel_pair_idxs", where),
        "predicate_scores": _field(item, "pred_rel_scores", where),
    }
    record = arrays(record, ONE_CLASS, where)
    if record["pairs"].tolist() == [[0, 0]]:
        record |= {name: record[name][:0] for name in ("pairs", "predicate_scores")}
    return record | {"image_id": number}


def _field(item: BoxList, name: str, where: str) -> np.ndarray:
    fields = getattr(item, "extra_fields", None)
    fields = fields if isinstance(fields, dict) else {}
    if not isinstance(fields.get(name), Tensor):
        raise ValueError(f"{where}: no tensor {name!r} among its fields {', '.join(map(str, fields)) or '(none)'}")
    return _numbers(fields[name], f"{where}: {name!r}")


def _numbers(values: Tensor, where: str) -> np.ndarray:
    """A tensor as a NumPy array; floats become float32, since NumPy lacks some types of PyTorch.

    ValueError for a tensor that does not hold its numbers itself.
    """
    if not is_plain(values):
        raise ValueError(f"{where} is a tensor that does not hold its own numbers; save plain, contiguous tensors")
    return as_array(values.float() if values.is_floating_point() else values)


def _boxes(item: BoxList, where: str) -> Float[np.ndarray, "regions 4"]:
    """xyxy; widths of the other layout count pixels inclusively."""
    boxes, mode = getattr(item, "bbox", None), getattr(item, "mode", None)
    if not isinstance(boxes, Tensor) or mode not in ("xyxy", "xywh"):
        raise ValueError(f"{where}: boxes must be a tensor in mode xyxy or xywh, not {mode!r}")
    boxes = table(_numbers(boxes, f"{where}: boxes"), "boxes", 4, where)
    if mode == "xyxy":
        return boxes
    return np.concatenate([boxes[:, :2], boxes[:, :2] + (boxes[:, 2:] - 1).clip(min=0)], axis=1)
