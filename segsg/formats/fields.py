"""What every format is turned into: the fields of docs/formats.md, checked here once, and the records they make."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from segsg.evaluation.records import ROUNDING, Truth
from segsg.structures import ImageGraph
from segsg.values import once, proper_name

TRUTH = {"boxes": 4, "classes": None, "relations": 3}
"""arrays of a true image and their number of columns; None for one number in a row"""
ALL_CLASSES = {"boxes": 4, "class_scores": -1, "pairs": 2, "predicate_scores": -1}
"""a prediction; -1 for any number of columns, the same in the whole file"""
ONE_CLASS = {"boxes": 4, "classes": None, "scores": None, "pairs": 2, "predicate_scores": -1}
"""a prediction that has already chosen a class for each box"""
LENGTHS = dict.fromkeys(("classes", "class_scores", "scores"), "boxes") | {"predicate_scores": "pairs"}
"""arrays that need a row for each row of another"""
MOST_BYTES = 2**26
"""of one image, or of one array about all images; 2,000 boxes with all their scores take less"""
HEADER = ("background_class", "background_predicate")
_REAL = ("boxes", "class_scores", "scores", "predicate_scores")

Record = Mapping[str, Any]
"""an image in the documented fields, still to be checked"""
MakeRecord = Callable[[], Record]
"""parses an image as its format has it; ValueError if it cannot"""


@dataclass(frozen=True)
class Background:
    """Columns of the background in class scores and in predicate scores of a file; None where it has no column."""

    classes: int | None
    predicates: int | None

    @staticmethod
    def of(header: Record, where: str) -> "Background":
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


class File(ABC):
    """A file of truths or of predictions, read image by image; each format is a subclass.

    Every method raises ValueError that names file, place and rule: for the file at once, for an image when it is
    parsed.
    """

    endings: tuple[str, ...]

    def __init__(self, path: Path):
        self.path = path

    def header(self) -> Record:
        """What the file says of all images: `predicate_names` of truths, and the columns of `HEADER` of predictions.

        Without another word predictions have chosen a class, and their predicate scores begin with the background.
        """
        return {"background_class": None, "background_predicate": 0}

    @abstractmethod
    def true_images(self) -> Iterator[tuple[str, MakeRecord]]:
        """Place and content of each image of a file of truths."""

    @abstractmethod
    def predicted_images(self, predicates: int) -> Iterator[tuple[str, MakeRecord]]:
        """Place and content of each image of a file of predictions; `predicates` counts background."""

    def predicate_names(self) -> tuple[str, ...] | None:
        """Foreground predicates that a file of truths lists, label 1 first; None if it lists none."""
        listed = self.header().get("predicate_names")
        return None if listed is None else names_of(listed, self.path)

    def predicate_columns(self) -> int | None:
        """Number of predicates of a file of predictions, background included, by the first image with a pair."""
        background = Background.of(self.header(), str(self.path))
        for where, make in self.predicted_images(0):
            with suppress(ValueError):  # an image that breaks a rule is reported when it is evaluated
                scores = table(make().get("predicate_scores", ()), "predicate_scores", -1, where)
                if len(scores):
                    return scores.shape[1] + (background.predicates is None)
        return None

    def truths(self) -> Iterator[Callable[[], Truth]]:
        """One function for each image, which parses it and returns its `Truth`."""
        for where, make in self.true_images():
            yield partial(_truth, make, where)

    def graphs(self, predicates: int) -> Iterator[Callable[[], ImageGraph]]:
        """One function for each image, which parses it and returns its graph; `predicates` counts background."""
        background = Background.of(self.header(), str(self.path))
        for where, make in self.predicted_images(predicates):
            yield partial(_graph, make, where, background, predicates)


def _truth(make: MakeRecord, where: str) -> Truth:
    record = make()
    values = arrays(record, TRUTH, where)
    return Truth(values["boxes"], values["classes"], values["relations"], image_id(record, where))


def _graph(make: MakeRecord, where: str, background: Background, predicates: int) -> ImageGraph:
    """Without a chosen class, a region's is its best foreground class, and its score the probability of that.

    In PredCls the evaluation takes true classes in place of these, so they are checked here.
    """
    record = make()
    values = arrays(record, prediction_fields(record), where)
    if (least := values["classes"].min(initial=1) if "classes" in values else 1) < 1:
        raise ValueError(f"{where}: 'classes' must count from 1, 0 being background; found {least}")
    labels, scores = _chosen_classes(values, background, where)
    probabilities = background_first(values["predicate_scores"], background.predicates, where)
    if not len(values["pairs"]):
        probabilities = np.zeros((0, predicates), dtype=np.float32)
    parts = (values["boxes"], labels, scores, values["pairs"], probabilities)
    return ImageGraph(image_id(record, where), *(torch.from_numpy(array) for array in parts))


def prediction_fields(names: Container[str]) -> dict[str, int | None]:
    """Which of the two kinds of prediction has these names."""
    return ONE_CLASS if "class_scores" not in names and "scores" in names else ALL_CLASSES


def _chosen_classes(
    values: Mapping[str, np.ndarray], background: Background, where: str
) -> tuple[Int[np.ndarray, "regions"], Float[np.ndarray, "regions"]]:
    if "classes" in values:
        return values["classes"], values["scores"]
    class_scores = background_first(values["class_scores"], background.classes, where)[:, 1:]
    if not ((class_scores >= 0) & (class_scores <= 1 + ROUNDING)).all():
        raise ValueError(f"{where}: 'class_scores' must be within 0..1, no NaN; are they logits?")
    labels = class_scores.argmax(axis=1) + 1 if len(class_scores) else np.zeros(0, dtype=np.int64)
    return labels, class_scores.max(axis=1, initial=0)


def background_first(
    scores: Float[np.ndarray, "rows columns"], column: int | None, where: str
) -> Float[np.ndarray, "rows _"]:
    """`scores` with the background in column 0: moved there, or of score 0 where there was none."""
    if len(scores) and column is not None and not -scores.shape[1] <= column < scores.shape[1]:
        raise ValueError(f"{where}: background in column {column} of {scores.shape[1]} columns")
    if not len(scores) or column is None:
        return np.concatenate([np.zeros_like(scores[:, :1]), scores], axis=1)
    return scores if column == 0 else np.concatenate([scores[:, [column]], np.delete(scores, column, axis=1)], axis=1)


def arrays(record: Record, columns: Mapping[str, int | None], where: str) -> dict[str, np.ndarray]:
    """The arrays of one image, float32 or int64. Raises ValueError that names the place and the broken rule."""
    result = {}
    for name, width in columns.items():
        if name not in record:
            raise ValueError(f"{where}: {name!r} is missing; an image needs {', '.join(['image_id', *columns])}")
        result[name] = table(record[name], name, width, where)
    for name, other in LENGTHS.items():
        if name in result and len(result[name]) != len(result[other]):
            raise ValueError(f"{where}: {len(result[name])} rows of {name!r} for {len(result[other])} of {other!r}")
    return result


def table(values: Any, name: str, width: int | None, where: str) -> np.ndarray:
    """`values` of the field `name` with so many columns: None for one number in a row, -1 for any number of them."""
    values = _numbers(values, name, where)
    if values.shape[:1] == (0,):
        values = values.reshape((0,) if width is None else (0, max(width, 2)))
    fits = values.ndim == (1 if width is None else 2) and width in (None, -1, values.shape[-1])
    if not fits or 0 in values.shape[1:]:
        raise ValueError(f"{where}: {name!r} has shape {values.shape}; see docs/formats.md")
    return values


def _numbers(values: Any, name: str, where: str) -> np.ndarray:
    """float32, or int64 where the field counts something: then every number has to be whole. Nothing is coerced."""
    rows = (row if type(row) is list else [row] for row in values) if type(values) is list else ()
    if bool in set(map(type, chain.from_iterable(rows))):
        raise ValueError(f"{where}: {name!r} has true or false among its numbers")
    try:
        values = np.asarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{where}: {name!r} is not a table of numbers ({error})") from error
    if values.size and values.dtype.kind not in "iuf":
        raise ValueError(f"{where}: {name!r} is not a table of numbers ({values.dtype})")
    if name in _REAL:
        return values.astype(np.float32)
    whole = np.isfinite(values) & (values == np.floor(values))
    if not whole.all():
        raise ValueError(f"{where}: {name!r} must be whole numbers; found {values.flat[np.argmin(whole)]}")
    if values.size and not np.abs(values.astype(np.float64)).max() < 2**63:
        raise ValueError(f"{where}: {name!r} has a number beyond 2 to the power of 63")
    return values.astype(np.int64)


def image_id(record: Record, where: str) -> int:
    """The id of an image. Raises ValueError if it is no whole number."""
    value = record.get("image_id")
    if type(value) is not int or abs(value) >= 2**63:
        raise ValueError(f"{where}: 'image_id' must be a whole number, not {value!r}")
    return value


def names_of(value: Any, path: Path) -> tuple[str, ...]:
    """A list of names. Raises ValueError that names the file."""
    if not isinstance(value, list) or not value:
        raise ValueError(f"{path}: names of predicates must be a list of words")
    names = tuple(proper_name(path, f"predicate name {place}", name) for place, name in enumerate(value, start=1))
    once(path, "predicate name", names)
    return names


def from_json(text: bytes, where: str, way_out: str) -> Any:
    """The content of JSON. Raises ValueError that names the place."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError(f"{where}: not JSON that can be read: its brackets lie too deep; {way_out}") from error
    except ValueError as error:
        raise ValueError(f"{where}: not JSON ({error}); {way_out}") from error


def existing(path: Path) -> Path:
    """`path` itself. Raises ValueError if there is no such file."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    return path
