"""Masks that rows see and that no step changes: computed once in a process for all rows that see the same."""

import os

from torch import Tensor, nn
from tqdm.auto import tqdm

from segsg.data.photos import blank_photo
from segsg.data.views import ImageSet
from segsg.data.visual_genome import Split
from segsg.files import digest
from segsg.grounding.kept_masks import masks_by_image
from segsg.study import detectors, facts, refiners, runs, sets
from segsg.study.models import truth
from segsg.study.params import Params
from segsg.study.rows import Row
from segsg.training.checkpoint import WEIGHTS

_tables: dict[str, dict[int, Tensor]] = {}
"""by a fingerprint of all that decides them: mask logits of each image's regions, in steps"""


class RowMasks:
    """Masks of scene-graph images as a row with pixel-refined or true masks sees them, on a frozen detector.

    Called with an image's id, it returns the mask logits of its regions in steps, int8 [regions, 1, 28, 28]. The first
    image of a split that is asked for brings all of the split. Every image is computed alone, so that a row has the
    same masks whatever else its process does. 2,000 images of a dozen regions take 20 MB.
    """

    def __init__(self, params: Params, row: Row, detector: nn.Module):
        self.params, self.row, self.detector = params, row, detector
        self.source = _source(params, row, detector)
        self.table = _tables.setdefault(runs.fingerprint(_depends_on(params, row)), {})

    def __call__(self, image_id: int) -> Tensor:
        """ValueError for an image of no split."""
        if image_id not in self.table:
            self._fill(image_id)
        return self.table[image_id]

    def _fill(self, image_id: int) -> None:
        for split in detectors.SPLITS:
            images = self._images(split)
            if image_id in images.image_ids:
                break
        else:
            raise ValueError(f"image {image_id} is in no split of the scene graph set, so it has no masks to keep")
        device = next(self.detector.parameters()).device
        label, quiet = f"{self.row.detector_key} {self.row.task} masks", os.environ.get("RANK", "0") != "0"
        alone = tqdm(sets.all_batches(self.params, images, 1), label, len(images), mininterval=10, disable=quiet)
        self.table |= masks_by_image(self.source.to(device), (batch.to(device) for batch in alone), self.row.task)

    def _images(self, split: Split) -> ImageSet:
        """The images of a split with what masks come from: their true masks, or their photos."""
        if self.row.sees_truth:
            return sets.with_true_masks(self.params, sets.stage2_set(self.params, split, blank_photo), split)
        return sets.stage2_set(self.params, split)


def _source(params: Params, row: Row, detector: nn.Module) -> nn.Module:
    if row.sees_truth:
        return truth(row, detector)
    return refiners.with_refiner(params, row.detector_key, row.grounding, detector)


def _depends_on(params: Params, row: Row) -> list:
    wanted, scene_graphs = row.grounding, params.data.scene_graphs
    read = [facts.folder(params) / name for name in (facts.NAMES, facts.NUMBERS)]
    if row.sees_truth:
        read += [scene_graphs.true_masks_train, scene_graphs.true_masks]
    else:
        read += [refiners.folder(params, row.detector_key) / WEIGHTS]
    digests = [*(digest(path) for path in read), *detectors.looks_digests(params, row.detector_key)]
    return [params.data, row.detector_key, row.task, wanted.masks, wanted.transfer, wanted.transfer_threshold, digests]
