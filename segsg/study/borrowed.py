"""How well borrowed masks fit scene-graph images, against the true masks that only a drawn world has."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from segsg.evaluation.detection import mask_ious
from segsg.evaluation.ownership import ownership
from segsg.grounding.contact import meet
from segsg.grounding.refiner import PixelRefinedDetector
from segsg.grounding.segmenter import ConstantMasks, Segmenter
from segsg.grounding.transfer import MODES
from segsg.kernels.masks import crop, paste
from segsg.structures import MASK_SIDE, Batch, FrozenDetector, Look, Regions
from segsg.study import facts, refiners, runs, sets
from segsg.study.detectors import load_detector
from segsg.study.models import segmenter, transfer
from segsg.study.params import Params
from segsg.study.rows import RECTANGLES, REFINED


def transfer_quality(params: Params) -> dict:
    """`transfer_quality` {way of transfer: {class: mean IoU}}, `ownership` {way of transfer: share}, and the names
    `copied_classes` and `mask_classes`.

    In the true boxes of test images, the mask of the true class, for every way of transfer, the box itself, and what
    the pixel refiner makes of the study's own way. Ownership is measured where two related regions meet.
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
    overlaps, owned = {}, {}
    for place, key in enumerate(joint):
        for mode, (overlap, share) in _qualities(params, key).items():
            name = mode if place == 0 else f"{mode}, {key}"
            overlaps[name], owned[name] = overlap, share
    return measured | {"transfer_quality": overlaps, "ownership": owned}


def _qualities(params: Params, key: str) -> dict[str, tuple[dict, float | None]]:
    """By way of transfer on one detector: overlap of each class, and ownership."""
    known, threshold = facts.load(params), params.grounding.transfer_threshold
    ways: dict[str, nn.Module] = {mode: Segmenter(transfer(known, mode, threshold).matrix) for mode in MODES}
    ways[RECTANGLES] = ConstantMasks(known.classes, 1.0)
    detector = load_detector(params, key).to(runs.device())
    seen = list(true_regions(params, lambda batch: detector.look(batch, "predcls")))
    refined, only = by_pixels(params, key, detector)
    seen_refined = list(true_regions(params, lambda batch: refined.look(batch, "predcls")))
    measured = {name: (seen, way) for name, way in ways.items()} | {REFINED: (seen_refined, only)}
    names = known.names.classes
    return {name: (fit(of, way, names), ownership(contacts(of, way))) for name, (of, way) in measured.items()}


def by_pixels(params: Params, key: str, detector: FrozenDetector) -> tuple[PixelRefinedDetector, nn.Module]:
    """A detector with its trained pixel refiner behind the study's own way of transfer, and the way of its masks."""
    known, wanted = facts.load(params), replace(params.grounding, masks=REFINED)
    return refiners.with_refiner(params, key, wanted, detector), segmenter(known, wanted)


def fit(seen: Iterable[tuple[Batch, Regions]], way: nn.Module, names: tuple[str, ...]) -> dict[str, float | None]:
    """Mean IoU by class of the masks that `way` gives true regions; None for a class without any."""
    images = (image for batch, regions in seen for image in true_and_borrowed(batch, regions, way))
    return dict(zip(names, mask_ious(images, len(names) + 1)["per_class"], strict=True))


def true_and_borrowed(
    batch: Batch, regions: Regions, way: nn.Module
) -> Iterator[tuple[Bool[Tensor, "_ h w"], Bool[Tensor, "_ h w"], Tensor]]:
    """(true masks, masks of the true classes, labels) of each image, in the frame of the network's input."""
    masks = named(way, regions)
    for image, (h, w) in enumerate(batch.sizes):
        inside = regions.image == image
        yield batch.masks[image][:, :h, :w], paste(masks[inside], regions.boxes[inside], (h, w)), batch.labels[image]


def contacts(
    seen: Iterable[tuple[Batch, Regions]], way: nn.Module
) -> Iterator[tuple[Float[Tensor, "pairs 2 28 28"], Float[Tensor, "pairs 2 28 28"]]]:
    """(true masks, masks of the true classes) of the related pairs of each image, in contact frames.

    True masks are crops of 28 x 28 cells too, so that an oracle's are right everywhere. Directions of a pair, and
    predicates of it, are one pair.
    """
    for batch, regions in seen:
        masks = named(way, regions)[:, None]
        for image, relations in enumerate(batch.relations):
            inside = regions.image == image
            boxes, pairs = regions.boxes[inside], torch.unique(relations[:, :2].sort(dim=1).values, dim=0)
            true = crop(batch.masks[image], boxes, MASK_SIDE)[:, None]
            yield meet(true, boxes, pairs, MASK_SIDE), meet(masks[inside], boxes, pairs, MASK_SIDE)


def named(way: nn.Module, regions: Regions) -> Float[Tensor, "regions 28 28"]:
    """The mask that `way` gives each true region for its true class."""
    return way(regions)[torch.arange(len(regions)), regions.labels]


@torch.no_grad()
def true_regions(params: Params, look: Callable[[Batch], Look]) -> Iterator[tuple[Batch, Regions]]:
    """Test images and their true regions with the mask logits of `look`, on the processor."""
    dataset = sets.with_true_masks(params, sets.scene_graph_set(params, "test"), "test")
    for batch in sets.all_batches(params, dataset):
        yield batch, look(batch.to(runs.device())).regions.to("cpu")
