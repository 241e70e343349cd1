"""The fields of our own two formats, JSON lines and .npz, and what is made of them; docs/formats.md describes both."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from segsg.evaluation.records import Truth
from segsg.structures import ImageGraph

TRUTH = {"boxes": 4, "classes": None, "relations": 3}
"""arrays of a true image and their number of columns; None for one number in a row"""
ALL_CLASSES = {"boxes": 4, "class_scores": -1, "pairs": 2, "predicate_scores": -1}
"""a prediction; -1 for any number of columns, the same in the whole file"""
ONE_CLASS = {"boxes": 4, "classes": None, "scores": None, "pairs": 2, "predicate_scores": -1}
"""a prediction that has already chosen a class for each box"""
LENGTHS = dict.fromkeys(("classes", "class_scores", "scores"), "boxes") | {"predicate_scores": "pairs"}
"""arrays that need a row for each row of another"""
HEADER = ("background_class", "background_predicate")
_REAL = ("boxes", "class_scores", "scores", "predicate_scores")


def prediction_fields(names: Container[str]) -> dict[str, int | None]:
    """Which of the two kinds of prediction has these names."""
    return ONE_CLASS if "class_scores" not in names and "scores" in names else ALL_CLASSES


@dataclass(frozen=True)
class Background:
    """In which column of class scores and of predicate scores the background is; None where it has none."""

    classes: int | None
    predicates: int | None

    @staticmethod
    def of(header: Mapping[str, Any], where: str) -> "Background":
        """From the header of a prediction file. Raises ValueError where it does not name both columns."""
        for name in HEADER:
            if name not in header:
                raise ValueError(
                    f"{where}: {name} is not named; begin the file with "
                    '{"background_class": COLUMN, "background_predicate": COLUMN}, null where there is no such column'
                )
        return Background(*(_column(header[name], name, where) for name in HEADER))


def _column(value: Any, name: str, where: str) -> int | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:
        raise ValueError(f"{where}: {name} must be the number of a column or null, not {value!r}")
    return int(value)


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
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"{where}: {name!r} is not a table of numbers ({error})") from error
        if not values.size:
            values = values.reshape((0,) if width is None else (0, max(width, 2)))
        fits = values.ndim == (1 if width is None else 2) and width in (None, -1, values.shape[-1])
        if not fits:
            raise ValueError(f"{where}: {name!r} has shape {values.shape}; see docs/formats.md")
        result[name] = values
    for name, other in LENGTHS.items():
        if name in result and len(result[name]) != len(result[other]):
            raise ValueError(f"{where}: {len(result[name])} rows of {name!r} for {len(result[other])} of {other!r}")
    return result


def image_id(value: Any, where: str) -> int:
    """`value` if it can be the id of an image. Raises ValueError that names the place."""
    if type(value) is not int or abs(value) >= 2**63:
        raise ValueError(f"{where}: 'image_id' must be a whole number, not {value!r}")
    return value


def names_of(value: Any, where: str) -> tuple[str, ...]:
    """A list of names. Raises ValueError that names the place."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"{where}: names of predicates must be a list of words")
    return tuple(value)


def truth_of(record: Mapping[str, Any], where: str) -> Truth:
    """One image's truth from the documented fields."""
    values = arrays(record, TRUTH, where)
    return Truth(values["boxes"], values["classes"], values["relations"], image_id(record.get("image_id"), where))


def graph_of(record: Mapping[str, Any], background: Background, predicates: int, where: str) -> ImageGraph:
    """One image's prediction from the documented fields; `predicates` counts background.

    Without a chosen class, a region's is its best foreground class, and its score the probability of that class.
    """
    values = arrays(record, prediction_fields(record), where)
    labels, scores = _chosen_classes(values, background, where)
    probabilities = background_first(values["predicate_scores"], background.predicates, where)
    if not len(values["pairs"]):
        probabilities = np.zeros((0, predicates), dtype=np.float32)
    found = (values["boxes"], labels, scores, values["pairs"], probabilities)
    return ImageGraph(image_id(record.get("image_id"), where), *(torch.from_numpy(array) for array in found))


def _chosen_classes(
    values: Mapping[str, np.ndarray], background: Background, where: str
) -> tuple[Int[np.ndarray, "regions"], Float[np.ndarray, "regions"]]:
    if "classes" in values:
        return values["classes"], values["scores"]
    class_scores = background_first(values["class_scores"], background.classes, where)[:, 1:]
    labels = class_scores.argmax(axis=1) + 1 if len(class_scores) else np.zeros(0, dtype=np.int64)
    return labels, class_scores.max(axis=1, initial=0)
