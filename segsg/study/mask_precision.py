"""How precise the masks of the mask set are, as the detector gives them and as an experiment refines them: table 2."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from segsg.detection.detector import Domain
from segsg.evaluation.detection import average_precision, encode
from segsg.kernels.masks import paste
from segsg.models.scene_graph import best_names
from segsg.structures import Batch, Look
from segsg.study import data, runs, scene_graphs
from segsg.study.params import Params, grounding_of
from segsg.study.precision import mask_truths

Looks = Callable[[Batch], Look]
DOMAIN: Domain = "mask"


def mask_precision(params: Params, key: str) -> dict:
    """`masks` and `unrefined_masks`: AP of the masks of mask validation images in the task of a refining experiment.

    Nothing for others: their masks are the detector's own. PredCls: true boxes and classes, every score 1; SGCls: true
    boxes, the class that the detector names and its probability; SGDet: the regions that a scene graph is made of,
    named as in SGCls, so fewer than the detections that `segsg.study.precision` judges.
    """
    if not refines(params, key):
        return {}
    model, task = scene_graphs.load_model(params, key), params.experiments[key].task
    frozen = model.detector
    return {
        "masks": _precision(params, model.mask_look),
        "unrefined_masks": _precision(params, lambda batch: frozen.look(batch, task, DOMAIN)),
    }


def refines(params: Params, key: str) -> bool:
    """Whether an experiment refines the masks that its detector gives."""
    row = params.experiments[key]
    return row.method == "seg-grounded" and grounding_of(params, row).refinement != "none"


@torch.no_grad()
def _precision(params: Params, look: Looks) -> dict:
    photos = data.judged_mask_set(params)
    batches = (batch.to(runs.device()) for batch in data.all_batches(params, photos))
    found = (image for batch in batches for image in _images(look(batch), batch))
    return average_precision(mask_truths(photos), found, len(photos.vocabulary.classes) + 1, masks=True)


def _images(look: Look, batch: Batch) -> Iterator[dict]:
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
            "masks": _encoded(chosen[inside], boxes, size),
        }


def _encoded(probabilities: Tensor, boxes: Tensor, size: tuple[int, int]) -> list[dict]:
    return encode(paste(probabilities, boxes, size).cpu())
