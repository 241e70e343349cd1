"""Average precision of masks under the class that the detector names, before and after the pixel refiner (table 2).

On mask-set images nothing is transferred: a mask is the channel of the class that its region is named, and the pixel
refiner starts from the logits of that channel.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from segsg.detection.detector import Detector
from segsg.evaluation.detection import average_precision, encode
from segsg.kernels.masks import paste
from segsg.models.scene_graph import best_names
from segsg.structures import TASKS, Batch, Look
from segsg.study import refiners, runs, sets
from segsg.study.detectors import load_detector
from segsg.study.params import Params
from segsg.study.precision import mask_truths

ALL = "detections"
"""the protocol of the detector alone: all that it detects, a region for each class that it finds there"""


def detector_masks(params: Params, key: str) -> dict:
    """`mask_precision` {protocol: {"masks": AP, "pixel_masks": AP}} of a joint detector; nothing for a plain one.

    AP of its masks on mask validation images, and of what its pixel refiner makes of them. Protocols: `detections`, all
    that the detector finds, and the three tasks, whose regions and names are those of `measurements.mask_precision`.
    """
    if not params.detectors[key].joint:
        return {}
    detector = load_detector(params, key).to(runs.device())
    refiner = refiners.trained_refiner(params, key, detector)

    def looks(batch: Batch) -> dict[tuple[str, str], Look]:
        seen = {ALL: detections(detector, batch)} | {task: detector.look(batch, task, "mask") for task in TASKS}
        before = {(protocol, "masks"): look for protocol, look in seen.items()}
        after = {(protocol, "pixel_masks"): by_pixels(look, refiner, batch.images) for protocol, look in seen.items()}
        return before | after

    measured: dict[str, dict] = {}
    for (protocol, name), precision in precisions(params, looks).items():
        measured.setdefault(protocol, {})[name] = precision
    return {"mask_precision": measured}


@torch.no_grad()
def precisions(params: Params, looks: Callable[[Batch], dict[Hashable, Look]]) -> dict[Hashable, dict]:
    """AP of the masks of mask validation images in each of the looks that `looks` has of a batch, by their names."""
    photos = sets.judged_mask_set(params)
    found: dict[Hashable, list[dict]] = {}
    for batch in sets.all_batches(params, photos):
        batch = batch.to(runs.device())
        for name, look in looks(batch).items():
            found.setdefault(name, []).extend(named_masks(look, batch))
    truths, classes = list(mask_truths(photos)), len(photos.vocabulary.classes) + 1
    return {name: average_precision(truths, images, classes, masks=True) for name, images in found.items()}


def named_masks(look: Look, batch: Batch) -> Iterator[dict]:
    """Regions of each image under the class that the detector names, with the mask of that class."""
    regions = look.regions
    scores, labels = best_names(regions.class_probabilities.float(), regions.boxes)
    chosen = regions.mask_logits[torch.arange(len(regions), device=labels.device), labels - 1].sigmoid()
    sizes = batch.photo_sizes or batch.sizes
    for image, size in enumerate(sizes):
        inside = regions.image == image
        boxes = regions.boxes[inside] / batch.scales[image]
        yield {
            "boxes_original": boxes.cpu(),
            "labels": labels[inside].cpu(),
            "scores": scores[inside].cpu(),
            "masks": encode(paste(chosen[inside], boxes, size).cpu()),
        }


def by_pixels(look: Look, refiner: nn.Module, photos: UInt8[Tensor, "images 3 h w"]) -> Look:
    """A look of mask-set images with pixel-refined masks: those of the named classes, in every channel of a region.

    `look` may have masks that are already refined (eq. 8). `refiner` is called as a PixelRefiner is; `photos` are the
    images that the look saw.
    """
    regions = look.regions
    _, labels = best_names(regions.class_probabilities.float(), regions.boxes)
    logits = regions.mask_logits[torch.arange(len(regions), device=labels.device), labels - 1].float()
    refined = refiner(logits, look, photos)[:, None].expand(-1, regions.mask_logits.shape[1], -1, -1)
    return replace(look, regions=replace(regions, mask_logits=refined))


def detections(detector: Detector, batch: Batch) -> Look:
    """A look at all detections in mask-set images, believed to be of their class alone, with their score."""
    found = detector.detect(batch, "mask")
    boxes = [image["boxes_original"] * scale for image, scale in zip(found, batch.scales, strict=True)]
    given = replace(batch, boxes=boxes, labels=[image["labels"] for image in found])
    look = detector.look(given, "predcls", "mask")
    belief = look.regions.class_probabilities * torch.cat([image["scores"] for image in found])[:, None]
    return replace(look, regions=replace(look.regions, class_probabilities=belief))
