"""Instance masks in COCO's layout (instances_*.json): a mask set, and true masks of a scene graph set."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from pycocotools import mask as coco_masks
from torch import Tensor

from segsg.data.coco_file import Outline, by_image, read_instances
from segsg.data.photos import Read, find_photo, read_photo
from segsg.data.views import ImageSet, Subset
from segsg.data.words import Vocabulary
from segsg.files import DataError
from segsg.structures import Sample

MaskAnnotation = tuple[Float[Tensor, "regions 4"], Int[Tensor, "regions"], Bool[Tensor, "regions h w"]]
NOTHING = np.zeros(0, dtype=np.int64)
TOGETHER = "draw the world again, with both files at once"


class MaskSet:
    """Images of a mask set with their instances. Annotations are read and checked at once, photos when asked for.

    Class labels are 1, 2 ... in the order of category ids (COCO's ids have gaps). Crowds are no instances, but what
    judges a detector needs them; boxes without width or height are nothing at all. Bad files are a DataError. `read`
    makes an image of a photo's file.
    """

    def __init__(self, annotations: Path, photos: Path, read: Read = read_photo):
        self._images, names, self._columns = read_instances(annotations)
        left_out = self._columns.left_out
        self.remarks = [f"{annotations}: {left_out} annotations without width or height, left out"] if left_out else []
        """what a user should know of files that break no rule"""
        self._photos, self._read_photo = Path(photos), read
        self._instances, self._crowds = by_image(self._columns)
        self.vocabulary = Vocabulary(names)
        self.image_ids = list(self._images)

    def __len__(self) -> int:
        return len(self.image_ids)

    def with_instances(self) -> Subset:
        """The images that have at least one instance: those to train on, and to show."""
        return Subset(self, [i for i, image_id in enumerate(self.image_ids) if image_id in self._instances])

    def annotation(self, index: int) -> MaskAnnotation:
        """(boxes_original, labels, masks) without opening the photo, in the order of the file."""
        return self._read(self._instances, index)

    def crowds(self, index: int) -> MaskAnnotation:
        """(boxes_original, labels, masks) of the image's crowds."""
        return self._read(self._crowds, index)

    def _read(self, wanted: dict[int, Int[np.ndarray, "_"]], index: int) -> MaskAnnotation:
        image, columns = self._images[self.image_ids[index]], self._columns
        rows = wanted.get(image.image_id, NOTHING)
        height, width = image.size
        boxes = torch.from_numpy(columns.boxes[rows]).float()
        boxes = boxes.clamp_min(0).minimum(torch.tensor([width, height, width, height]))
        return (
            boxes,
            torch.from_numpy(columns.labels[rows]),
            _masks([columns.outlines[row] for row in rows], image.size),
        )

    def __getitem__(self, index: int) -> Sample:
        """DataError if the photo is missing, cannot be decoded, or differs in size from its entry."""
        image = self._images[self.image_ids[index]]
        path = find_photo(self._photos, image.file_name)
        pixels = self._read_photo(path)
        if tuple(pixels.shape[-2:]) != image.size:
            rule = f"is {tuple(pixels.shape[-2:])} (height, width), its entry says {image.size}"
            raise DataError(path, "photo", rule, "take photos and annotations from the same source")
        boxes, labels, masks = self.annotation(index)
        return Sample(image.image_id, pixels, boxes, labels, torch.zeros(0, 3, dtype=torch.int64), masks)


class WithTrueMasks(Subset):
    """The images of `dataset`, each with the masks of its regions from a file of COCO instances.

    The k-th instance of an image in the file belongs to its k-th box. DataError where their numbers differ.
    """

    def __init__(self, dataset: ImageSet, annotations: Path):
        super().__init__(dataset, range(len(dataset)))
        self._path = Path(annotations)
        self._images, _, self._columns = read_instances(annotations)
        self._instances, _ = by_image(self._columns)

    def __getitem__(self, index: int) -> Sample:
        """A sample with masks, in the frame of its photo."""
        sample = super().__getitem__(index)
        masks = self.masks(index, len(sample.boxes))
        if tuple(masks.shape[-2:]) != sample.size:
            rule = f"has masks of size {tuple(masks.shape[-2:])} (height, width), its photo is {sample.size}"
            raise DataError(self._path, f"image {sample.image_id}", rule, TOGETHER)
        return replace(sample, masks=masks)

    def masks(self, index: int, regions: int) -> Bool[Tensor, "regions h w"]:
        """The true masks of an image's regions, without opening the photo."""
        image_id = self.image_ids[index]
        rows = self._instances.get(image_id, NOTHING)
        if image_id not in self._images or len(rows) != regions:
            rule = f"has {len(rows)} masks for {regions} boxes of the scene graph set"
            raise DataError(self._path, f"image {image_id}", rule, TOGETHER)
        return _masks([self._columns.outlines[row] for row in rows], self._images[image_id].size)


def _masks(outlines: Sequence[Outline], size: tuple[int, int]) -> Bool[Tensor, "regions h w"]:
    masks = np.zeros((len(outlines), *size), dtype=bool)
    for mask, outline in zip(masks, outlines, strict=True):
        mask[:] = decode(outline, size)
    return torch.from_numpy(masks)


def decode(outline: Outline, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """The mask of polygons or of run lengths."""
    if isinstance(outline, bytes):
        return coco_masks.decode({"size": list(size), "counts": outline}).astype(bool)
    polygons = [np.frombuffer(polygon).tolist() for polygon in outline]
    return coco_masks.decode(coco_masks.merge(coco_masks.frPyObjects(polygons, *size))).astype(bool)
