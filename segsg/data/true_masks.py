"""A scene graph set together with masks that it does not have itself."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from segsg.data.coco import decode
from segsg.data.coco_file import Instance, read_instances
from segsg.data.filters import Subset
from segsg.files import DataError
from segsg.structures import Sample


class WithTrueMasks(Subset):
    """The images of `dataset`, each with the masks of its regions from a file of COCO instances.

    The k-th instance of an image in the file belongs to its k-th box. DataError where their numbers differ.
    """

    def __init__(self, dataset: Any, annotations: Path):
        super().__init__(dataset, range(len(dataset)))
        self._path = Path(annotations)
        self._images, _, instances = read_instances(annotations)
        self._instances: dict[int, list[Instance]] = {image_id: [] for image_id in self._images}
        for instance in (instance for instance in instances if not instance.crowd):
            self._instances[instance.image_id].append(instance)

    def __getitem__(self, index: int) -> Sample:
        """A sample with masks, in the frame of its photo."""
        sample = super().__getitem__(index)
        return replace(sample, masks=self.masks(index, len(sample.boxes)))

    def masks(self, index: int, regions: int) -> Bool[Tensor, "regions h w"]:
        """The true masks of an image's regions, without opening the photo."""
        image_id = self.image_ids[index]
        instances = self._instances.get(image_id, [])
        if len(instances) != regions:
            rule = f"has {len(instances)} masks for {regions} boxes of the scene graph set"
            raise DataError(self._path, f"image {image_id}", rule, "draw the world again, with both files at once")
        if not instances:
            return torch.zeros(0, *self._images[image_id].size, dtype=torch.bool)
        size = self._images[image_id].size
        return torch.from_numpy(np.stack([decode(instance.segmentation, size) for instance in instances]))
