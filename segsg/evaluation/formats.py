"""Two plain formats for truths and predictions of other programs, so that they can be measured by the same rules.

**JSON lines** (`.jsonl`): one object for each image.

truth
    `{"image_id": 7, "boxes": [[x1, y1, x2, y2], ...], "classes": [1, ...], "relations": [[subject, object, 1], ...]}`
prediction
    `{"image_id": 7, "boxes": [...], "class_scores": [[...], ...], "pairs": [[subject, object], ...],
    "predicate_scores": [[...], ...]}`

**NumPy** (`.npz`): the same names, rows of all images one after another, with `image_ids`, and the number of rows of
each image in `boxes_count` and `relations_count` or `pairs_count`.

Boxes are in pixels of the original photo; classes and predicates count from 1; subjects and objects count the boxes
of their image from 0. Scores are probabilities. The first line of a prediction file, or the scalars of the same
names in the .npz, says in which column the background is, -1 being the last and null (NaN) meaning that there is no
such column: `{"background_class": 0, "background_predicate": -1}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from segsg.evaluation.records import Truth
from segsg.structures import ImageGraph

TRUTH = {"boxes": 4, "classes": None, "relations": 3}
"""arrays of a true image and their number of columns; None for one number in a row"""
PREDICTION = {"boxes": 4, "class_scores": -1, "pairs": 2, "predicate_scores": -1}
"""-1 for any number of columns, the same in the whole file"""
LENGTHS = {"classes": "boxes", "class_scores": "boxes", "predicate_scores": "pairs"}
"""arrays that need a row for each row of another"""
_REAL = ("boxes", "class_scores", "predicate_scores")


@dataclass(frozen=True)
class Background:
    """In which column of class scores and of predicate scores the background is; None where it has none."""

    classes: int | None
    predicates: int | None

    @staticmethod
    def of(header: Mapping[str, Any], where: str) -> "Background":
        """From the header of a prediction file. Raises ValueError where it does not name both columns."""
        try:
            named = [header["background_class"], header["background_predicate"]]
        except KeyError as error:
            raise ValueError(
                f"{where}: {error.args[0]} is not named; begin the file with "
                '{"background_class": COLUMN, "background_predicate": COLUMN}, null where there is no such column'
            ) from error
        return Background(*(None if column is None or np.isnan(column) else int(column) for column in named))


def background_first(
    scores: Float[np.ndarray, "rows columns"], column: int | None, where: str
) -> Float[np.ndarray, "rows _"]:
    """`scores` with the background in column 0: moved there, or of score 0 where there was none."""
    if len(scores) and column is not None and not -scores.shape[1] <= column < scores.shape[1]:
        raise ValueError(f"{where}: background in column {column} of {scores.shape[1]} columns")
    if not len(scores) or column is None:
        return np.concatenate([np.zeros_like(scores[:, :1]), scores], axis=1)
    return np.concatenate([scores[:, [column]], np.delete(scores, column, axis=1)], axis=1)


def arrays(record: Mapping[str, Any], columns: Mapping[str, int | None], where: str) -> dict[str, np.ndarray]:
    """The arrays of one image, float32 or int64. Raises ValueError that names the place and the broken rule."""
    result = {}
    for name, width in columns.items():
        if name not in record:
            raise ValueError(f"{where}: {name!r} is missing; an image needs {', '.join(['image_id', *columns])}")
        try:
            values = np.asarray(record[name], dtype=np.float32 if name in _REAL else np.int64)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{where}: {name!r} is not a table of numbers ({error})") from error
        if not values.size:
            values = values.reshape((0,) if width is None else (0, max(width, 2)))
        fits = values.ndim == (1 if width is None else 2) and width in (None, -1, values.shape[-1])
        if not fits:
            raise ValueError(f"{where}: {name!r} has shape {values.shape}; see segsg.evaluation.formats")
        result[name] = values
    for name, other in LENGTHS.items():
        if name in result and len(result[name]) != len(result[other]):
            raise ValueError(f"{where}: {len(result[name])} rows of {name!r} for {len(result[other])} of {other!r}")
    return result


def _image_id(record: Mapping[str, Any], where: str) -> int:
    if type(record.get("image_id")) is not int:
        raise ValueError(f"{where}: 'image_id' must be a whole number, not {record.get('image_id')!r}")
    return record["image_id"]


def truth_of(record: Mapping[str, Any], where: str) -> Truth:
    """One image's truth from the documented fields."""
    values = arrays(record, TRUTH, where)
    return Truth(values["boxes"], values["classes"], values["relations"], _image_id(record, where))


def graph_of(record: Mapping[str, Any], background: Background, predicates: int, where: str) -> ImageGraph:
    """One image's prediction from the documented fields; `predicates` counts background.

    A region's label is its best foreground class, its score the probability of that class.
    """
    values = arrays(record, PREDICTION, where)
    class_scores = background_first(values["class_scores"], background.classes, where)[:, 1:]
    probabilities = background_first(values["predicate_scores"], background.predicates, where)
    if not len(values["pairs"]):
        probabilities = np.zeros((0, predicates), dtype=np.float32)
    found = (
        values["boxes"],
        class_scores.argmax(axis=1) + 1 if len(class_scores) else np.zeros(0, dtype=np.int64),
        class_scores.max(axis=1, initial=0),
        values["pairs"],
        probabilities,
    )
    return ImageGraph(_image_id(record, where), *(torch.from_numpy(array) for array in found))
