"""Photos with instance masks in COCO's layout (instances_*.json, photos)."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from pycocotools import mask as coco_masks
from torch import Tensor

from segsg.data.coco_file import Instance, read_instances
from segsg.data.filters import Subset
from segsg.data.photos import find_photo, read_photo
from segsg.data.vocabulary import Vocabulary
from segsg.files import DataError
from segsg.structures import Sample

MaskAnnotation = tuple[Float[Tensor, "regions 4"], Int[Tensor, "regions"], Bool[Tensor, "regions h w"]]


class MaskSet:
    """Every image of the file; annotations are read and checked at once, photos when asked for.

    Class labels are 1, 2 ... in the order of category ids (COCO's ids have gaps). Crowds are no instances, but what
    judges a detector needs them; boxes without width or height are nothing at all. Bad files are a DataError.
    """

    def __init__(self, annotations: Path, photos: Path):
        self._images, names, instances = read_instances(annotations)
        self._photos = Path(photos)
        self._instances: dict[int, list[Instance]] = {image_id: [] for image_id in self._images}
        self._crowds: dict[int, list[Instance]] = {image_id: [] for image_id in self._images}
        for instance in instances:
            (self._crowds if instance.crowd else self._instances)[instance.image_id].append(instance)
        self.vocabulary = Vocabulary(names)
        self.image_ids = list(self._images)

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def image_sizes(self) -> list[tuple[int, int]]:
        """(height, width) of each photo."""
        return [self._images[image_id].size for image_id in self.image_ids]

    def with_instances(self) -> Subset:
        """The images that have at least one instance: those to train on, and to show."""
        return Subset(self, [i for i, image_id in enumerate(self.image_ids) if self._instances[image_id]])

    def annotation(self, index: int) -> MaskAnnotation:
        """(boxes_original, labels, masks) without opening the photo, in the order of the file."""
        return self._read(self._instances, index)

    def crowds(self, index: int) -> MaskAnnotation:
        """The same of the image's crowds."""
        return self._read(self._crowds, index)

    def _read(self, wanted: dict[int, list[Instance]], index: int) -> MaskAnnotation:
        image = self._images[self.image_ids[index]]
        instances = wanted[image.image_id]
        height, width = image.size
        boxes = torch.tensor([instance.box for instance in instances]).reshape(-1, 4)
        labels = torch.tensor([instance.label for instance in instances], dtype=torch.int64)
        masks = np.zeros((len(instances), height, width), dtype=bool)
        for mask, instance in zip(masks, instances, strict=True):
            mask[:] = decode(instance.segmentation, image.size)
        return boxes.clamp_min(0).minimum(torch.tensor([width, height, width, height])), labels, torch.from_numpy(masks)

    def __getitem__(self, index: int) -> Sample:
        """DataError if the photo is missing, cannot be decoded, or differs in size from its entry."""
        image = self._images[self.image_ids[index]]
        path = find_photo(self._photos, image.file_name)
        pixels = read_photo(path)
        if tuple(pixels.shape[-2:]) != image.size:
            rule = f"is {tuple(pixels.shape[-2:])} (height, width), its entry says {image.size}"
            raise DataError(path, "photo", rule, "take photos and annotations from the same source")
        boxes, labels, masks = self.annotation(index)
        return Sample(image.image_id, pixels, boxes, labels, torch.zeros(0, 3, dtype=torch.int64), masks)


def decode(segmentation: list | dict, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """The mask of polygons (a list of x, y, x, y ...) or of run lengths, plain or compressed."""
    if isinstance(segmentation, dict):
        runs = segmentation
        if isinstance(runs["counts"], list):
            runs = coco_masks.frPyObjects(runs, *size)
    else:
        runs = coco_masks.merge(coco_masks.frPyObjects([polygon.tolist() for polygon in segmentation], *size))
    return coco_masks.decode(runs).astype(bool)
