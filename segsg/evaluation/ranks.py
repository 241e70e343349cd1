"""From truths and predicted graphs to ranks: all that the recall family needs of a model, kept in one .npz file."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int
from torch import Tensor

from segsg.evaluation.matching import MISSED, Ranking, agreement, first_covering, intersection, rank
from segsg.evaluation.protocol import DEFAULT, PAPER, Protocol
from segsg.evaluation.records import (
    MOST_CLASSES,
    MOST_PREDICATES,
    MOST_REGIONS,
    Prediction,
    Truth,
    as_array,
    check_graph,
    check_truth,
)
from segsg.files import DAMAGED, DataError, check_seal, read_arrays, whole
from segsg.structures import ImageGraph, Task


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """The place at which every true relation was found. Images are in ascending order of id, rows in that of images.

    `image` is a row's index into `image_ids`; `triplets` are (subject class, predicate, object class); `constrained`
    and `free` are ranks from 0 with and without graph constraint, `MISSED` if not found.
    `boxes` counts true boxes, `predicted` says which images had a pair at all.
    `zero_shot` is None where no triplets were given, `training_counts` (per predicate, background first) likewise.
    """

    image_ids: Int[np.ndarray, "images"]
    boxes: Int[np.ndarray, "images"]
    predicted: Bool[np.ndarray, "images"]
    image: Int[np.ndarray, "relations"]
    triplets: Int[np.ndarray, "relations 3"]
    constrained: Int[np.ndarray, "relations"]
    free: Int[np.ndarray, "relations"]
    predicates: int
    protocol: Protocol
    zero_shot: Bool[np.ndarray, "relations"] | None = None
    training_counts: Int[np.ndarray, "predicates"] | None = None

    def __len__(self) -> int:
        return len(self.image_ids)

    def among(self, chosen: Bool[np.ndarray, "images"]) -> "Ranks":
        """The ranks of the chosen images alone."""
        return self._of_images(np.flatnonzero(chosen))

    def some(self, chosen: Bool[np.ndarray, "images"]) -> "Ranks | None":
        """The ranks of the chosen images alone; None where these are all images or none."""
        return self.among(chosen) if chosen.any() and not chosen.all() else None

    def in_order(self) -> "Ranks":
        """The images by ascending id. Raises ValueError for an image that is there twice."""
        order = np.argsort(self.image_ids, kind="stable")
        repeated = self.image_ids[order][1:][np.diff(self.image_ids[order]) == 0]
        if len(repeated):
            raise ValueError(f"image {repeated[0]}: evaluated twice; give every image once")
        return self._of_images(order)

    def _of_images(self, places: Int[np.ndarray, "chosen"]) -> "Ranks":
        """Images at these places, in this order, with their rows."""
        place = np.full(len(self), -1)
        place[places] = np.arange(len(places))
        image = place[self.image]
        rows = np.argsort(image, kind="stable")
        rows = rows[image[rows] >= 0]
        parts = {name: getattr(self, name)[places] for name in ("image_ids", "boxes", "predicted")}
        parts |= {name: getattr(self, name)[rows] for name in ("triplets", "constrained", "free")}
        flags = None if self.zero_shot is None else self.zero_shot[rows]
        return dataclasses.replace(self, image=image[rows], zero_shot=flags, **parts)


_ARRAYS = tuple(field.name for field in dataclasses.fields(Ranks) if field.name not in ("predicates", "protocol"))
_OPTIONAL = ("zero_shot", "training_counts")


def save(path: Path, ranks: Ranks) -> None:
    """Write `ranks` to a .npz file; a run that stops while writing leaves no partial file."""
    header = json.dumps({"predicates": ranks.predicates, "protocol": dataclasses.asdict(ranks.protocol)})
    arrays = {name: getattr(ranks, name) for name in _ARRAYS if getattr(ranks, name) is not None}
    with whole(path) as part, part.open("wb") as file:
        np.savez_compressed(file, header=np.array(header), **arrays)


def load(path: Path) -> Ranks:
    """Read what `save` wrote. DataError names the file and what is wrong with it; FileNotFoundError without a file."""
    try:
        check_seal(path)
        arrays = read_arrays(path)
        header = json.loads(str(arrays.pop("header")))
        rules = header["protocol"] | {"depths": tuple(header["protocol"]["depths"])}
        ranks = Ranks(predicates=header["predicates"], protocol=Protocol(**rules), **arrays)
        _check(ranks)
    except (FileNotFoundError, DataError):
        raise
    except DAMAGED as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else " ".join(str(error).split())[:200]
        raise DataError(path, "file", f"is not a file of ranks ({reason})", "evaluate the predictions again") from error
    return ranks


def _check(ranks: Ranks) -> None:
    """ValueError where arrays are of another kind, do not fit together, or point beyond each other."""
    if type(ranks.predicates) is not int or not 1 <= ranks.predicates <= MOST_PREDICATES:
        raise ValueError(f"{ranks.predicates!r:.40} predicates are not within 1..{MOST_PREDICATES}")
    images, relations = len(ranks.image_ids), len(ranks.image)
    shapes = {"image_ids": (images,), "boxes": (images,), "predicted": (images,), "image": (relations,)}
    shapes |= {"triplets": (relations, 3), "constrained": (relations,), "free": (relations,)}
    shapes |= {"zero_shot": (relations,), "training_counts": (ranks.predicates,)}
    for name, shape in shapes.items():
        array = getattr(ranks, name)
        if array is None and name in _OPTIONAL:
            continue
        kind = "b" if name in ("predicted", "zero_shot") else "iu"
        if array.shape != shape or array.dtype.kind not in kind:
            raise ValueError(f"{name} is {array.dtype} {array.shape}, not {kind} {shape}")
    _within("image", ranks.image, 0, images - 1)
    _within("predicates of triplets", ranks.triplets[:, 1], 1, ranks.predicates - 1)
    _within("classes of triplets", ranks.triplets[:, ::2], 1, MOST_CLASSES)
    _within("boxes", ranks.boxes, 0, MOST_REGIONS)
    for places in (ranks.constrained, ranks.free):
        _within("ranks", places, 0, MISSED)
    if (np.diff(ranks.image_ids) <= 0).any() or (np.diff(ranks.image) < 0).any():
        raise ValueError("images are not in ascending order")


def _within(name: str, values: np.ndarray, least: int, most: int) -> None:
    if values.size and not least <= values.min() <= values.max() <= most:
        raise ValueError(f"{name} {values.min()}..{values.max()} are not within {least}..{most}")


def paper_images(ranks: Ranks) -> Ranks | None:
    """The images that the paper's protocol keeps, by their number of true boxes; None where these are all or none."""
    return ranks.some(ranks.boxes <= PAPER.most_boxes)


Triplets = Int[np.ndarray, "triplets 3"] | Int[Tensor, "triplets 3"]
Rankings = tuple[Ranking, Ranking]
"""with graph constraint and without"""
Counts = Int[np.ndarray, "predicates"] | Int[Tensor, "predicates"]


def is_member(triplets: Int[np.ndarray, "n 3"], known: Int[np.ndarray, "m 3"]) -> Bool[np.ndarray, "n"]:
    """Which rows of `triplets` occur among `known`, in any order; numbers below 2**20."""
    shifts = np.array([40, 20, 0])
    keys, known_keys = ((rows.astype(np.int64) << shifts).sum(axis=1) for rows in (triplets, known))
    return np.isin(keys, known_keys)


def overlapping(prediction: Prediction, pixel: float) -> Prediction:
    """`prediction` without the pairs whose boxes do not intersect."""
    meets = intersection(prediction.boxes, prediction.boxes, pixel) > 0
    kept = meets[prediction.pairs[:, 0], prediction.pairs[:, 1]]
    pairs, probabilities = prediction.pairs[kept], prediction.predicate_probabilities[kept]
    return Prediction(prediction.boxes, prediction.labels, prediction.scores, pairs, probabilities)


def checked(truth: Truth, graph: ImageGraph, task: Task, predicates: int) -> tuple[Truth, Prediction]:
    """An image's truth and predicted graph as NumPy arrays. ValueError names the image and the rule that is broken."""
    truth = check_truth(truth, graph.image_id, predicates)
    return truth, check_graph(graph, truth, task, predicates)


class Recall:
    """Adds up images; holds a few numbers for each true relation and nothing of the predictions.

    `predicates` counts background. `zero_shot` are rows (subject class, predicate, object class) never seen in
    training; `training_counts` the rows of each predicate in the training split, background (ignored) first.
    What is not given is not measured.
    """

    def __init__(
        self,
        task: Task,
        predicates: int,
        zero_shot: Triplets | None = None,
        training_counts: Counts | None = None,
        protocol: Protocol = DEFAULT,
    ):
        self.task, self.predicates, self.protocol = task, predicates, protocol
        self.zero_shot = None if zero_shot is None else as_array(zero_shot)
        self.training_counts = None if training_counts is None else as_array(training_counts)
        self._images: list[tuple[int, int, bool]] = []
        self._rows: list[Int[np.ndarray, "relations 5"]] = []

    def add(self, truth: Truth, graph: ImageGraph) -> None:
        """Match one image. Raises ValueError that names the image and the rule that it breaks."""
        truth, prediction = checked(truth, graph, self.task, self.predicates)
        self.count(truth, self.rank(prediction), agreement(truth, prediction, self.protocol))

    @property
    def candidates(self) -> tuple:
        """What decides which relations compete: two evaluations that agree here have the same rankings."""
        filtered = self.task == "sgdet" and self.protocol.overlapping_pairs
        return self.protocol.depths[-1], self.protocol.pixel if filtered else None

    def rank(self, prediction: Prediction) -> Rankings:
        """The lists in which the relations of a checked prediction compete."""
        depth, pixel = self.candidates
        return rank(prediction if pixel is None else overlapping(prediction, pixel), depth)

    def count(self, truth: Truth, rankings: Rankings, agreeing: Bool[np.ndarray, "n m"]) -> None:
        """Add one image: keep the rank at which each relation of a checked truth is found."""
        places = [first_covering(truth.relations, agreeing, ranking) for ranking in rankings]
        classes = truth.labels[truth.relations[:, :2]]
        columns = (classes[:, 0], truth.relations[:, 2], classes[:, 1], *places)
        self._rows.append(np.stack(columns, axis=1, dtype=np.int32, casting="same_kind"))
        self._images.append((truth.image_id, len(truth.boxes), len(rankings[0]) > 0))

    def ranks(self) -> Ranks:
        """All that was added, independent of the order of adding. Raises ValueError for an image added twice."""
        image_ids, boxes, predicted = np.array(self._images, dtype=np.int64).reshape(-1, 3).T
        rows = np.concatenate([np.empty((0, 5), dtype=np.int32), *self._rows])
        image = np.repeat(np.arange(len(image_ids)), [len(r) for r in self._rows])
        zero_shot = None if self.zero_shot is None else is_member(rows[:, :3], self.zero_shot)
        ranks = Ranks(
            image_ids=image_ids,
            boxes=boxes,
            predicted=predicted.astype(bool),
            image=image,
            triplets=rows[:, :3],
            constrained=rows[:, 3],
            free=rows[:, 4],
            predicates=self.predicates,
            protocol=self.protocol,
            zero_shot=zero_shot,
            training_counts=self.training_counts,
        )
        return ranks.in_order()


class SideBySide:
    """Several protocols in one walk over the images; what two of them share is computed once."""

    def __init__(self, recalls: Mapping[str, Recall]):
        first = next(iter(recalls.values()))
        self.recalls, self.task, self.predicates = dict(recalls), first.task, first.predicates

    def add(self, truth: Truth, graph: ImageGraph) -> None:
        """Match one image under each protocol. Raises ValueError that names the image and the rule that it breaks."""
        truth, prediction = checked(truth, graph, self.task, self.predicates)
        rankings, agreeing = {}, {}
        for recall in self.recalls.values():
            lists, overlaps = recall.candidates, (recall.protocol.iou, recall.protocol.pixel)
            if lists not in rankings:
                rankings[lists] = recall.rank(prediction)
            if overlaps not in agreeing:
                agreeing[overlaps] = agreement(truth, prediction, recall.protocol)
            recall.count(truth, rankings[lists], agreeing[overlaps])

    def ranks(self) -> dict[str, Ranks]:
        """Ranks under each protocol."""
        return {name: recall.ranks() for name, recall in self.recalls.items()}


def evaluate(truths: Iterable[Truth], graphs: Iterable[ImageGraph], recall: Recall) -> Ranks:
    """`recall` of all images; both iterables are walked once, in step, and must be equally long."""
    for truth, graph in zip(truths, graphs, strict=True):
        recall.add(truth, graph)
    return recall.ranks()
