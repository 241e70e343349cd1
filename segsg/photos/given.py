"""Regions that a user gives to a study's model: boxes, names, and masks in the place of those it would find.

The model gets them through the batch and through its detector, as PredCls and SGCls do; no part of it is changed.
"""

from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from segsg.data.loading import collate
from segsg.grounding.extractor import GroundedExtractor
from segsg.kernels.masks import crop
from segsg.models.scene_graph import SceneGraphModel
from segsg.photos.found import Found
from segsg.photos.graph import mask_of
from segsg.structures import MASK_SIDE, Batch, Domain, FrozenDetector, Look, Regions, Sample, Task


@dataclass(frozen=True)
class GivenRegions(Regions):
    """Regions of which some bring their masks, in the frames of their boxes; `has_mask` says which."""

    given: Float[Tensor, "regions side side"] | None = None
    has_mask: Bool[Tensor, "regions"] | None = None


class GivenSegmenter(nn.Module):
    """Masks of every class as `segmenter` makes them, but a mask that is given is taken instead.

    Under a name that is certain (PredCls) it is the mask of that class alone, so that the other channels stay what the
    model was trained on. Without a name (SGCls) it is the mask of whatever class, as in an oracle. Background is empty.
    """

    def __init__(self, segmenter: nn.Module):
        super().__init__()
        self.segmenter = segmenter

    def forward(self, regions: Regions) -> Float[Tensor, "regions classes side side"]:
        """Masks of all regions."""
        masks = self.segmenter(regions)
        if not isinstance(regions, GivenRegions):
            return masks
        belief = regions.class_probabilities
        certain = belief.amax(dim=1, keepdim=True) == 1
        replaced = torch.where(certain, belief == 1, torch.ones_like(belief, dtype=torch.bool))
        replaced = replaced & regions.has_mask[:, None]
        replaced[:, 0] = False
        return torch.where(replaced[:, :, None, None], regions.given[:, None].to(masks.dtype), masks)

    def weights(self, label: int) -> Float[Tensor, "mask_classes"] | None:
        """Row of S (eq. 3) of a class, of masks that are not given."""
        return self.segmenter.weights(label)


@dataclass(frozen=True)
class GivenBatch(Batch):
    """Photos with regions, of which some bring their masks, in the frames of their boxes; `has_mask` says which.

    Both are of all regions of the batch, image after image.
    """

    given: Float[Tensor, "regions side side"] | None = None
    has_mask: Bool[Tensor, "regions"] | None = None


class GivenMasks(nn.Module):
    """A frozen detector whose look at a `GivenBatch` has the masks that come with it; all else is `detector`'s."""

    def __init__(self, detector: FrozenDetector):
        super().__init__()
        self.detector, self.channels = detector, detector.channels

    def look(self, batch: Batch, task: Task, domain: Domain = "graph", *, masks: bool = True) -> Look:
        """The detector's look; regions of a `GivenBatch` are `GivenRegions`."""
        look = self.detector.look(batch, task, domain, masks=masks)
        if not isinstance(batch, GivenBatch):
            return look
        values = {each.name: getattr(look.regions, each.name) for each in fields(Regions)}
        return replace(look, regions=GivenRegions(**values, given=batch.given, has_mask=batch.has_mask))


def given_to(model: SceneGraphModel) -> SceneGraphModel:
    """The model, which now takes the regions of a `GivenBatch` with their masks."""
    model.detector = GivenMasks(model.detector)
    if isinstance(model.extractor, GroundedExtractor):
        model.extractor.segmenter = GivenSegmenter(model.extractor.segmenter)
    return model


def given_batch(samples: list[Sample], found: list[Found], multiple: int) -> GivenBatch:
    """Photos with their regions, padded to a multiple of so many pixels."""
    batch, masks = collate(samples, multiple), [in_boxes(each) for each in found]
    values = {each.name: getattr(batch, each.name) for each in fields(Batch)}
    given, has_mask = (torch.cat(part) for part in zip(*masks, strict=True))
    return GivenBatch(**values, given=given, has_mask=has_mask)


def with_regions(sample: Sample, found: Found, labels: list[int]) -> Sample:
    """A photo as a sample with the regions that were found in it; `labels` are their classes, 0 for none."""
    boxes = torch.from_numpy(found.boxes).float().reshape(-1, 4)
    return replace(sample, boxes=boxes, labels=torch.tensor(labels, dtype=torch.int64))


def in_boxes(found: Found) -> tuple[Float[Tensor, "regions 28 28"], Bool[Tensor, "regions"]]:
    """(masks in the frames of their boxes, whether each region has one): 1 where a mask covers half of a cell.

    Decoded one at a time: a photo may have a hundred masks of its own size.
    """
    masks, has_mask = torch.zeros(len(found), MASK_SIDE, MASK_SIDE), torch.zeros(len(found), dtype=torch.bool)
    for place, (runs, box) in enumerate(zip(found.masks, found.boxes, strict=True)):
        if runs is not None:
            has_mask[place] = True
            whole = torch.from_numpy(mask_of(runs))[None]
            masks[place] = crop(whole, torch.from_numpy(box).float()[None], MASK_SIDE)[0]
    return masks, has_mask
