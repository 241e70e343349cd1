"""How well borrowed masks fit scene-graph images, against the true masks that only a drawn world has."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from segsg.evaluation.detection import mask_ious
from segsg.grounding.segmenter import ConstantMasks, Segmenter
from segsg.grounding.transfer import MODES
from segsg.kernels.masks import paste
from segsg.structures import Batch, Look, Regions
from segsg.study import facts, refiners, runs, sets
from segsg.study.detectors import load_detector
from segsg.study.models import pixel_refined, segmenter, transfer
from segsg.study.params import Params
from segsg.study.rows import RECTANGLES, REFINED


def transfer_quality(params: Params) -> dict:
    """`transfer_quality` {way of transfer: {class: mean IoU}}, `copied_classes` and `mask_classes`.

    In the true boxes of test images, the mask of the true class, for every way of transfer, the box itself, and what
    the pixel refiner makes of the study's own way.
    Of several joint detectors the first has the plain name of a way, the others bear their key. A study without true
    masks has no quality.
    """
    borrowed = transfer(facts.load(params), params.grounding.transfer, params.grounding.transfer_threshold)
    measured = {
        "copied_classes": [name for name, copied in zip(borrowed.classes, borrowed.copied, strict=True) if copied],
        "mask_classes": list(borrowed.mask_classes),
    }
    if params.data.scene_graphs.true_masks is None:
        return measured
    joint = [key for key, row in params.detectors.items() if row.joint]
    found: dict[str, dict] = {}
    for place, key in enumerate(joint):
        qualities = _qualities(params, key)
        found |= {mode if place == 0 else f"{mode}, {key}": quality for mode, quality in qualities.items()}
    return measured | {"transfer_quality": found}


def _qualities(params: Params, key: str) -> dict[str, dict]:
    known, threshold = facts.load(params), params.grounding.transfer_threshold
    ways: dict[str, nn.Module] = {mode: Segmenter(transfer(known, mode, threshold).matrix) for mode in MODES}
    ways[RECTANGLES] = ConstantMasks(known.classes, 1.0)
    detector = load_detector(params, key).to(runs.device())
    seen = list(true_regions(params, lambda batch: detector.look(batch, "predcls")))
    qualities = {name: fit(seen, way, known.names.classes) for name, way in ways.items()}
    wanted = replace(params.grounding, masks=REFINED)
    refined = pixel_refined(known, params.numbers, wanted, detector).to(runs.device())
    refiners.load_refiner(params, key, refined.refiner)
    seen = true_regions(params, lambda batch: refined.look(batch, "predcls"))
    return qualities | {REFINED: fit(seen, segmenter(known, wanted), known.names.classes)}


def fit(seen: Iterable[tuple[Batch, Regions]], way: nn.Module, names: tuple[str, ...]) -> dict[str, float | None]:
    """Mean IoU by class of the masks that `way` gives true regions; None for a class without any."""
    images = (image for batch, regions in seen for image in true_and_borrowed(batch, regions, way))
    return dict(zip(names, mask_ious(images, len(names) + 1)["per_class"], strict=True))


def true_and_borrowed(
    batch: Batch, regions: Regions, way: nn.Module
) -> Iterator[tuple[Bool[Tensor, "_ h w"], Bool[Tensor, "_ h w"], Tensor]]:
    """(true masks, masks of the true classes, labels) of each image, in the frame of the network's input."""
    masks = way(regions)[torch.arange(len(regions)), regions.labels]
    for image, (h, w) in enumerate(batch.sizes):
        inside = regions.image == image
        yield batch.masks[image][:, :h, :w], paste(masks[inside], regions.boxes[inside], (h, w)), batch.labels[image]


@torch.no_grad()
def true_regions(params: Params, look: Callable[[Batch], Look]) -> Iterator[tuple[Batch, Regions]]:
    """Test images and their true regions with the mask logits of `look`, on the processor."""
    dataset = sets.with_true_masks(params, sets.scene_graph_set(params, "test"), "test")
    for batch in sets.all_batches(params, dataset):
        yield batch, look(batch.to(runs.device())).regions.to("cpu")
