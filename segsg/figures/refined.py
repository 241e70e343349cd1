"""Masks of mask-set photos before and after refinement (eq. 8), chosen by a rule."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from segsg.data.views import Subset
from segsg.figures.overlay import Picture, class_names
from segsg.figures.shown import Choice, choose_by
from segsg.grounding.refinement import RefinedModel
from segsg.kernels.masks import paste
from segsg.structures import Batch, Look
from segsg.study import runs, scene_graphs, sets
from segsg.study.params import Params

CANDIDATES = 200
RULE = (
    "Of {images} validation photos of the mask set, the {each} whose masks gain most overlap with the truth, the "
    "{each} whose masks lose most, and {each} of the others drawn with seed {seed}."
)
KINDS = {"gains": "better when refined", "losses": "worse when refined", "random": "drawn at random"}
Masks = Bool[Tensor, "regions h w"]


def refined_photos(params: Params, key: str, each: int) -> tuple[Choice, Iterator[tuple[Picture, dict[str, Masks]]]]:
    """The choice, and of each chosen photo its masks: the truth, the detector's and the refined ones."""
    model = scene_graphs.load_model(params, key)
    photos = sets.first(sets.mask_set(params, "validation"), CANDIDATES)
    change = np.array([_change(model, batch) for batch in sets.all_batches(params, photos, images=1)])
    rule = RULE.format(images=len(photos), each=each, seed=params.seed)
    choice = choose_by(change, list(photos.image_ids), each, params.seed, rule)
    return choice, _shown(params, model, photos, choice)


@torch.no_grad()
def masks_of(model: RefinedModel, batch: Batch) -> dict[str, Masks]:
    """Masks of the true regions of a batch of one image under the class that the detector names, in its frame."""
    batch = batch.to(runs.device())
    looks = {"detector": model.detector.look(batch, model.task, "mask"), "refined": model.mask_look(batch)}
    return {"truth": batch.masks[0].cpu()} | {name: _pasted(look, batch) for name, look in looks.items()}


def _pasted(look: Look, batch: Batch) -> Masks:
    regions = look.regions.to("cpu")
    labels = regions.class_probabilities[:, 1:].argmax(dim=1)
    chosen = regions.mask_logits[torch.arange(len(regions)), labels].float().sigmoid()
    return paste(chosen, regions.boxes, tuple(batch.masks[0].shape[-2:]))


def _change(model: RefinedModel, batch: Batch) -> float:
    masks = masks_of(model, batch)
    return float((overlap(masks["refined"], masks["truth"]) - overlap(masks["detector"], masks["truth"])).mean())


def overlap(first: Masks, second: Masks) -> Float[Tensor, "regions"]:
    """Intersection over union of each mask of `first` with the mask of `second` at its index; 1 if both are empty."""
    both, either = (first & second).sum((1, 2)), (first | second).sum((1, 2))
    return torch.where(either > 0, both / either.clamp(min=1), 1.0)


def _shown(
    params: Params, model: RefinedModel, photos: Subset, choice: Choice
) -> Iterator[tuple[Picture, dict[str, Masks]]]:
    names, kinds = photos.vocabulary, {i: text for kind, text in KINDS.items() for i in getattr(choice, kind)}
    chosen = Subset(photos, [list(photos.image_ids).index(image_id) for image_id in kinds])
    for batch in sets.all_batches(params, chosen, images=1):
        h, w = batch.sizes[0]
        masks = {name: kind[:, :h, :w] for name, kind in masks_of(model, batch).items()}
        title = f"Image {batch.image_ids[0]}, {kinds[batch.image_ids[0]]}"
        labels = class_names(names, batch.labels[0])
        yield Picture(batch.images[0, :, :h, :w], batch.boxes[0], labels, None, (), title), masks
