"""Reads truths and predictions from files in the formats of `segsg.evaluation.formats`, image after image.

`evaluate(read_truths(a), read_graphs(b, predicates), recall)` needs both in the same order of images.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from segsg.evaluation.formats import LENGTHS, PREDICTION, TRUTH, Background, graph_of, truth_of
from segsg.evaluation.records import Truth
from segsg.structures import ImageGraph

_HEADER = ("background_class", "background_predicate")
Record = tuple[str, dict[str, Any]]
"""where it was found, for messages, and its fields"""


def _lines(path: Path) -> Iterator[Record]:
    with path.open() as file:
        for number, line in enumerate(file, start=1):
            where = f"{path}: line {number}"
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{where}: not JSON ({error}); write one object on each line") from error
            if not isinstance(record, dict):
                raise ValueError(f"{where}: not an object but {type(record).__name__}")
            yield where, record


def _opened(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _split(file: Mapping[str, np.ndarray], names: Mapping[str, int | None], path: Path) -> Iterator[Record]:
    """The images of an .npz."""
    counted = {name: f"{LENGTHS.get(name, name)}_count" for name in names}
    lacking = sorted({"image_ids", *names, *counted.values()} - set(file))
    if lacking:
        raise ValueError(f"{path}: lacks {', '.join(lacking)}")
    for name, count in counted.items():
        if len(file[count]) != len(file["image_ids"]) or file[count].sum() != len(file[name]):
            raise ValueError(f"{path}: {count} does not divide the {len(file[name])} rows of {name!r} among "
                             f"{len(file['image_ids'])} images")  # fmt: skip
    stops = {name: np.cumsum(file[count]) for name, count in counted.items()}
    for i, image_id in enumerate(file["image_ids"].tolist()):
        parts = {name: file[name][stops[name][i] - file[counted[name]][i] : stops[name][i]] for name in names}
        yield f"{path}: image {image_id}", {"image_id": image_id} | parts


def _is_numpy(path: Path) -> bool:
    if path.suffix not in (".npz", ".jsonl"):
        raise ValueError(f"{path}: the name must end in .npz or .jsonl")
    return path.suffix == ".npz"


def read_truths(path: str | os.PathLike) -> Iterator[Truth]:
    """Truths in the order of the file. Raises ValueError that names file, place and rule."""
    path = Path(path)
    records = _split(_opened(path), TRUTH, path) if _is_numpy(path) else _lines(path)
    for where, record in records:
        yield truth_of(record, where)


def read_graphs(path: str | os.PathLike, predicates: int) -> Iterator[ImageGraph]:
    """Predicted graphs in the order of the file; `predicates` counts background.

    Raises ValueError that names file, place and rule.
    """
    path = Path(path)
    if _is_numpy(path):
        file = _opened(path)
        header, records = {name: float(file[name]) for name in _HEADER if name in file}, _split(file, PREDICTION, path)
    else:
        records = _lines(path)
        _, header = next(records, ("", {}))
    background = Background.of(header, str(path))
    for where, record in records:
        yield graph_of(record, background, predicates, where)
