"""Scene graphs in Visual Genome's layout (VG-SGG.h5, VG-SGG-dicts.json, image_data.json, photos)."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from segsg.data.photos import Read, find_photo, read_photo
from segsg.data.visual_genome_file import LONGER_SIDE, MOST_ROWS, NOT_SHARED, Rows, check, read_images, read_rows
from segsg.data.words import Vocabulary, check_names
from segsg.files import DAMAGED, DataError, is_table, read_json, read_torch
from segsg.structures import Sample
from segsg.values import CORRECT, field, whole_number

Split = Literal["train", "validation", "test"]
ASPECT_TOLERANCE = 0.02
WHOLE = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
Annotation = tuple[Float[Tensor, "regions 4"], Int[Tensor, "regions"], Int[Tensor, "relations 3"]]


def read_vocabulary(path: Path) -> Vocabulary:
    """Class and predicate names of VG-SGG-dicts.json, in label order. DataError if an index is missing."""
    record = read_json(path)
    return Vocabulary(_names(path, record, "label_to_idx"), _names(path, record, "predicate_to_idx"))


def _names(path: Path, record: Any, key: str) -> tuple[str, ...]:
    numbers = field(path, "file", record, key, dict)
    check_names(path, f"'{key}'", numbers)
    names = {whole_number(path, f"'{key}'", numbers, name): name for name in numbers}
    if sorted(names) != list(range(1, len(numbers) + 1)):
        rule = "numbers are not 1, 2, 3 ... without gaps, each for one name"
        raise DataError(path, f"'{key}'", rule, "number the names so; 0 is background and has no name")
    return tuple(names[index] for index in range(1, len(names) + 1))


def read_zero_shot(path: Path, vocabulary: Vocabulary) -> Int[Tensor, "triplets 3"]:
    """The published zero-shot triplets as rows (subject class, predicate, object class) of labels.

    The file's columns are subject, object, predicate, counted from 1 - which is how this project counts labels too.
    """
    try:
        columns = read_torch(path)
        if not is_table(columns, 3) or columns.dtype not in WHOLE or len(columns) > MOST_ROWS:
            raise DataError(path, "file", "is not a tensor of rows of three labels, which are whole numbers", CORRECT)
        most = torch.tensor([len(vocabulary.classes), len(vocabulary.classes), len(vocabulary.predicates)])
        unknown = bool(((columns < 1) | (columns > most)).any())
    except DataError:
        raise
    except DAMAGED as error:
        rule = f"cannot be read as a tensor ({type(error).__name__})"
        raise DataError(path, "file", rule, "correct its path, or take the file from its source again") from error
    if unknown:
        raise DataError(path, "file", "has labels beyond the vocabulary", "take both from the same source")
    return columns[:, [0, 2, 1]].long()


class SceneGraphSet:
    """One split of a scene graph set; annotations are read and checked at once, a photo when its sample is asked for.

    `train` and `validation` share the rows marked 0: validation takes the first `validation_images` of those that
    have boxes and relations, training the rest. The cut does not move with `keep_empty`, which adds images without
    relations to either side of it; otherwise a detector could train on validation images of the scene graph models.
    Test images keep repeated relations. A file whose rows break a rule is a DataError. `read` makes an image of a
    photo's file.
    """

    def __init__(
        self,
        annotations: Path,
        vocabulary: Path,
        images: Path,
        photos: Path,
        split: Split,
        validation_images: int = 0,
        keep_empty: bool = False,
        read: Read = read_photo,
    ):
        self.vocabulary = read_vocabulary(vocabulary)
        self._rows = read_rows(annotations)
        self._images = read_images(images, len(self._rows.split))
        self._photos, self._read_photo = Path(photos), read
        self.remarks = check(annotations, self._rows, self._images, self.vocabulary)
        """what a user should know of files that break no rule"""
        self._chosen = np.flatnonzero(_in_split(self._rows, split, validation_images, keep_empty))
        if len(self._chosen) == 0:
            way_out = "change validation_images in the profile, or take another file"
            raise DataError(annotations, f"split '{split}'", "has no image", way_out)

    def __len__(self) -> int:
        return len(self._chosen)

    @property
    def image_ids(self) -> list[int]:
        return self._images.ids[self._chosen].tolist()

    @property
    def shared_ids(self) -> list[int | None]:
        """Id of each image in the mask set (`coco_id`), None for an image that it does not have."""
        return [None if shared == NOT_SHARED else shared for shared in self._images.shared[self._chosen].tolist()]

    def annotation(self, index: int) -> Annotation:
        """(boxes_original, labels, relations) without opening the photo; boxes are in the frame of image_data.json."""
        row = self._chosen[index]
        boxes, relations = _slice(self._rows.boxes_of[row]), _slice(self._rows.relations_of[row])
        pairs = self._rows.relationships[relations] - boxes.start
        return (
            torch.from_numpy(decode(self._rows.boxes_1024[boxes], *self._images.sizes[row].tolist())),
            torch.from_numpy(self._rows.labels[boxes].copy()),
            torch.from_numpy(np.hstack([pairs, self._rows.predicates[relations, None]])),
        )

    def __getitem__(self, index: int) -> Sample:
        """The image in its stored frame. A photo of another size than image_data.json says is a scaled copy.

        `scale` is then the photo's width over the listed width, so that boxes / scale are boxes_original again.
        DataError if the photo is missing, cannot be decoded, or is not of the listed shape.
        """
        boxes, labels, relations = self.annotation(index)
        row = self._chosen[index]
        path = find_photo(self._photos, f"{self._images.ids[row]}.jpg")
        image = self._read_photo(path)
        listed = self._images.sizes[row].tolist()
        down, right = (found / size for found, size in zip(image.shape[-2:], listed, strict=True))
        if abs(right / down - 1) > ASPECT_TOLERANCE:
            rule = f"is {tuple(image.shape[-2:])} (height, width), image_data.json says {tuple(listed)}"
            raise DataError(path, "photo", rule, "take photos and image_data.json from the same source")
        boxes = boxes * torch.tensor([right, down, right, down])
        return Sample(int(self._images.ids[row]), image, boxes, labels, relations, scale=right)


def _in_split(rows: Rows, split: Split, validation_images: int, keep_empty: bool) -> Bool[np.ndarray, "images"]:
    has_boxes, has_relations = rows.boxes_of[:, 0] >= 0, rows.relations_of[:, 0] >= 0
    usable = has_boxes & (has_relations | keep_empty)
    if split == "test":
        return usable & (rows.split == 2)
    complete = (rows.split == 0) & has_boxes & has_relations
    in_validation = np.cumsum(complete) - complete < validation_images
    return usable & (rows.split == 0) & (in_validation == (split == "validation"))


def _slice(ends: Int[np.ndarray, "2"]) -> slice:
    return slice(ends[0], ends[1] + 1) if ends[0] >= 0 else slice(0, 0)


def decode(boxes_1024: Int[np.ndarray, "regions 4"], height: int, width: int) -> Float[np.ndarray, "regions 4"]:
    """Boxes (centre x, centre y, width, height) at longer side 1024 -> float32 xyxy pixels of a height x width photo.

    The corner is centre - size / 2 exactly; the released code cuts that half off, up to half a pixel at 1024.
    Boxes are clipped to the photo. One that begins beyond the last pixel (Visual Genome clips its boxes to a square,
    not to the photo) becomes the last pixel, so every box keeps an area and every relation its boxes.
    """
    corner = boxes_1024[:, :2] - boxes_1024[:, 2:] / 2
    scale, end = max(height, width) / LONGER_SIDE, np.array([width, height])
    first = (corner * scale).clip(0, end - 1)
    last = ((corner + boxes_1024[:, 2:]) * scale).clip(0, end)
    return np.hstack([first, last]).astype(np.float32)
