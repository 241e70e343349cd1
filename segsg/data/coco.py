"""Photos with instance masks in COCO's layout (instances_*.json, photos)."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from pycocotools import mask as coco_masks
from torch import Tensor

from segsg.data.coco_file import Instance, read_instances
from segsg.data.errors import DataError
from segsg.data.files import find_photo, read_photo
from segsg.data.vocabulary import Vocabulary
from segsg.structures import Sample

MaskAnnotation = tuple[Float[Tensor, "regions 4"], Int[Tensor, "regions"], Bool[Tensor, "regions h w"]]


class MaskSet:
    """Images that have at least one instance; annotations are read and checked at once, photos when asked for.

    Class labels are 1, 2 ... in the order of category ids (COCO's ids have gaps). Crowd annotations are checked but
    are no instances; nor are boxes without width or height, of which COCO has a few. Bad files are a DataError.
    """

    def __init__(self, annotations: Path, photos: Path):
        self._images, names, instances = read_instances(annotations)
        self._photos = Path(photos)
        self._instances: dict[int, list[Instance]] = {}
        for instance in instances:
            self._instances.setdefault(instance.image_id, []).append(instance)
        self.vocabulary = Vocabulary(names)
        self.image_ids = [image_id for image_id in self._images if image_id in self._instances]

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def image_sizes(self) -> list[tuple[int, int]]:
        """(height, width) of each photo."""
        return [self._images[image_id].size for image_id in self.image_ids]

    def annotation(self, index: int) -> MaskAnnotation:
        """(boxes_original, labels, masks) without opening the photo, in the order of the file."""
        image = self._images[self.image_ids[index]]
        instances = self._instances[image.image_id]
        height, width = image.size
        boxes = torch.tensor([instance.box for instance in instances]).reshape(-1, 4)
        masks = np.stack([decode(instance.segmentation, image.size) for instance in instances])
        limits = torch.tensor([width, height, width, height])
        return boxes.clamp_min(0).minimum(limits), torch.tensor([i.label for i in instances]), torch.from_numpy(masks)

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
