"""What a user's files hold, counted before any training, and what about them looks wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int

from segsg.data.coco import MaskSet
from segsg.data.photos import find_photo
from segsg.data.visual_genome import SceneGraphSet, Split
from segsg.data.words import Vocabulary, read_name_pairs
from segsg.files import DataError
from segsg.study.sets import SIDES
from segsg.tools.own_files import COCO_PAIRS, OwnFiles
from segsg.tools.own_labels import Borrowed, Labels, borrow, read_vectors

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
FEW = 5
"""examples; a predicate with fewer is hardly learned"""
SMALL = 0.5
"""share of boxes of a pixel from which their unit is doubted"""
NAMED = 8
"""names in a line"""


@dataclass(frozen=True)
class Counts:
    """A split of a scene graph set, counted. Arrays have an entry for each label, that of the background first.

    `shortest` is the shorter side of each box in pixels of its photo.
    """

    photos: int
    boxes: int
    relations: int
    of_class: Int[np.ndarray, "classes"]
    of_predicate: Int[np.ndarray, "predicates"]
    shortest: Float[np.ndarray, "boxes"]


def count(dataset: SceneGraphSet) -> Counts:
    """Counts all annotations; no photo is opened."""
    names = dataset.vocabulary
    parts = [dataset.annotation(index) for index in range(len(dataset))]
    boxes, labels, relations = (torch.cat(column).numpy() for column in zip(*parts, strict=True))
    return Counts(
        photos=len(dataset),
        boxes=len(boxes),
        relations=len(relations),
        of_class=np.bincount(labels, minlength=len(names.classes) + 1),
        of_predicate=np.bincount(relations[:, 2], minlength=len(names.predicates) + 1),
        shortest=(boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf),
    )


@dataclass(frozen=True)
class OwnData:
    """Sets that could be read. `lost` are the photos that are not there."""

    files: OwnFiles
    graphs: Mapping[str, SceneGraphSet]
    masks: MaskSet
    counts: Mapping[str, Counts]
    name_pairs: Mapping[str, str]
    lost: tuple[str, ...]

    @property
    def names(self) -> Vocabulary:
        """Names of classes and predicates."""
        return self.graphs["train"].vocabulary

    @cached_property
    def pairs(self) -> dict[str, str]:
        """The name pairs of classes and mask classes that are there."""
        known, masks = self.names.classes, self.masks.vocabulary.classes
        return {name: other for name, other in self.name_pairs.items() if name in known and other in masks}

    @cached_property
    def borrowed(self) -> Borrowed | DataError:
        """Which mask classes each class borrows from; the error where a mask class has no word vector."""
        classes, mask_classes = Labels(self.names.classes), Labels(self.masks.vocabulary.classes)
        files = self.files
        try:
            vectors = read_vectors(files.word_vectors, classes, mask_classes, files.word_aliases)
        except DataError as error:
            return error
        how = {"mode": files.mode, "threshold": files.threshold, "name_pairs": self.pairs}
        return borrow(classes, mask_classes, vectors, **how)


def read(files: OwnFiles) -> OwnData:
    """Reads and counts all annotations. DataError for files that no study could read."""
    graphs = {split: _split(files, split) for split in SPLITS if split != "validation" or files.validation_images}
    masks = MaskSet(files.masks.annotations, files.masks.photos)
    counts = {split: count(dataset) for split, dataset in graphs.items()}
    return OwnData(files, graphs, masks, counts, read_name_pairs(files.name_pairs), _lost(files, graphs))


def _split(files: OwnFiles, split: Split) -> SceneGraphSet:
    graphs = files.graphs
    parts = (graphs.annotations, graphs.vocabulary, graphs.images, graphs.photos)
    return SceneGraphSet(*parts, split, validation_images=files.validation_images)


def _lost(files: OwnFiles, graphs: Mapping[str, SceneGraphSet]) -> tuple[str, ...]:
    lost = []
    for image_id in (image_id for dataset in graphs.values() for image_id in dataset.image_ids):
        try:
            find_photo(files.graphs.photos, f"{image_id}.jpg")
        except DataError:
            lost.append(f"{image_id}.jpg")
    return tuple(lost)


def faults(data: OwnData) -> list[str]:
    """What would stop a study, a line each."""
    names, masks, lines = data.names, data.masks.vocabulary.classes, []
    if data.lost:
        lines.append(f"Photos that are not in {data.files.graphs.photos} ({len(data.lost)}): {_listed(data.lost)}.")
    if isinstance(data.borrowed, DataError):
        lines.append(f"{data.borrowed}.")
    else:
        missing = [f"{c.name} ({c.detail})" for c in data.borrowed.concerns if c.detail.startswith("no vector")]
        if missing:
            lines.append(
                f"Classes with a word that {data.files.word_vectors.name} lacks ({len(missing)}): {_listed(missing)}. "
                "Take a larger file of word vectors, or name other words as data.word_aliases of the profile."
            )
    wrong = [
        f"{name} ({other})" for name, other in data.name_pairs.items() if name in names.classes and other not in masks
    ]
    if wrong:
        lines.append(f"{data.files.name_pairs} pairs classes with what is no mask class: {_listed(wrong)}.")
    sided = [name for name in names.predicates if SIDES & set(name.lower().split())]
    if sided and data.files.mirrored:
        lines.append(f"Mirrored photos make predicates untrue: {_listed(sided)}. Set stage2.flip to false.")
    return lines


def concerns(data: OwnData) -> list[str]:
    """What looks wrong and stops nothing, a line each."""
    train, test, names = data.counts["train"], data.counts["test"], data.names
    lines = [*data.graphs["train"].remarks, *data.masks.remarks]
    small = int((train.shortest <= 1).sum())
    if small > SMALL * train.boxes:
        lines.append(
            f"{small} of {train.boxes} training boxes are no thicker than a pixel. Are their corners shares of the "
            "photo, where pixels were expected?"
        )
    unused = [name for name, number in zip(names.classes, train.of_class[1:], strict=True) if not number]
    if unused:
        lines.append(f"Classes without a training box ({len(unused)}): {_listed(unused)}.")
    trained, asked = train.of_predicate[1:], test.of_predicate[1:]
    never = [name for name, number in zip(names.predicates, trained, strict=True) if not number]
    if never:
        lines.append(f"Predicates without a training example ({len(never)}): {_listed(never)}.")
    few = [f"{name} ({number})" for name, number in zip(names.predicates, trained, strict=True) if 0 < number < FEW]
    if few:
        lines.append(f"Predicates with fewer than {FEW} training examples ({len(few)}): {_listed(few)}.")
    unseen = [name for name, lacks in zip(names.predicates, (asked > 0) & (trained == 0), strict=True) if lacks]
    if unseen:
        lines.append(f"Predicates of test photos that no model can learn ({len(unseen)}): {_listed(unseen)}.")
    return [*lines, *_about_masks(data)]


def _about_masks(data: OwnData) -> list[str]:
    lines = []
    if len(data.masks.with_instances()) == 0:
        lines.append("No photo of the mask set has a mask.")
    if isinstance(data.borrowed, DataError):
        return lines
    if not any(data.borrowed.transfer.copied):
        lines.append(
            "No class shares its name with a mask class, so every mask is a mixture. A file data.name_pairs says which "
            "mask class shows the same thing."
        )
    others = sorted(data.name_pairs.keys() - set(data.names.classes))
    if others and data.files.name_pairs.resolve() != COCO_PAIRS:
        lines.append(f"{data.files.name_pairs} has pairs of what is no class ({len(others)}): {_listed(others)}.")
    weak = [concern.name for concern in data.borrowed.concerns if concern.kind == "weak"]
    if weak:
        lines.append(f"Classes near no mask class, which take the nearest alone ({len(weak)}): {_listed(weak)}.")
    return lines


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
