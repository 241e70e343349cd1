"""How a region's mask comes about (eq. 4), and that of a pair (eq. 6), step by step."""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from segsg.grounding.edges import NoSmoothing, PairMasks
from segsg.grounding.segmenter import MixedClasses, Segmenter
from segsg.study import data
from segsg.study.seen import Seen

Panels = dict[str, Float[np.ndarray, "side side"]]
"""probabilities of masks by name"""


def photo_of(seen: Seen, *regions: int) -> UInt8[np.ndarray, "h w 3"]:
    """The part of the photo inside the smallest box around regions."""
    boxes = torch.as_tensor(seen.prediction.boxes[list(regions)]) * seen.sample.scale
    (x1, y1), (x2, y2) = boxes[:, :2].amin(0).floor().int().tolist(), boxes[:, 2:].amax(0).ceil().int().tolist()
    return seen.sample.image[:, max(y1, 0) : max(y2, y1 + 1), max(x1, 0) : max(x2, x1 + 1)].permute(1, 2, 0).numpy()


@torch.no_grad()
def region_masks(seen: Seen, region: int, most: int) -> Panels:
    """A region's mask in the `most` mask classes that its class borrows from, with their weights, and what comes of it.

    Controls have the last alone. Empty for a model that sees no masks.
    """
    segmenter = getattr(seen.experiment.model.extractor, "segmenter", None)
    if segmenter is None:
        return {}
    regions, label = seen.look.regions, int(seen.prediction.labels[region])
    panels = {}
    mask_names = data.mask_vocabulary(seen.experiment.params).classes
    if isinstance(segmenter, Segmenter) and segmenter.transfer.shape[1] == len(mask_names):
        weights = segmenter.transfer[label]
        for column in weights.abs().argsort(descending=True)[:most].tolist():
            if weights[column]:
                panels[f"{mask_names[column]} × {weights[column]:.2f}"] = _plain(
                    regions.mask_logits[region, column].sigmoid()
                )
    return panels | {f"= {seen.experiment.names.class_name(label)}": _plain(segmenter(regions)[region, label])}


@torch.no_grad()
def pair_masks(seen: Seen, subject: int, object_: int) -> Panels:
    """Eq. 6 step by step for the masks that the detector expects: as they are, smoothed, combined, in the pair's frame.

    Empty for a model whose edges see no masks.
    """
    extractor, regions = seen.experiment.model.extractor, seen.look.regions
    combine = getattr(extractor, "pair_masks", None)
    if not isinstance(combine, PairMasks):
        return {}
    expected = MixedClasses(regions.class_probabilities.shape[1], 1).to(regions.boxes.device)
    masks = expected(extractor.segmenter(regions), regions)
    pairs = torch.tensor([[subject, object_]], device=regions.boxes.device)
    panels = {}
    for how, smoothing in (("mask", NoSmoothing()), ("smoothed", combine.smoothing)):
        roles = combine.frame(smoothing(masks, regions)(pairs), pairs, regions.boxes, masks.shape[-1])
        panels |= {f"{role}, {how}": _plain(m[0, 0]) for role, m in zip(("subject", "object"), roles, strict=True)}
    return panels | {"pair": _plain(combine.prepare(masks, regions)(pairs)[0][0, 0])}


def _plain(mask: Float[Tensor, "side side"]) -> Float[np.ndarray, "side side"]:
    return mask.float().cpu().numpy()
