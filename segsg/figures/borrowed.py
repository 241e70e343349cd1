"""Masks that regions of test photos borrow, before and after the pixel refiner, on photos chosen by a rule."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from segsg.data.views import Subset
from segsg.figures.overlay import Contact, Picture, class_names
from segsg.figures.refined import overlap
from segsg.figures.shown import Choice, choose_by
from segsg.grounding.contact import MARGIN
from segsg.kernels.boxes import contact_frames
from segsg.kernels.masks import paste
from segsg.structures import Batch
from segsg.study import borrowed, facts, runs, sets
from segsg.study.detectors import load_detector
from segsg.study.models import segmenter
from segsg.study.params import Params

CANDIDATES = 200
BORROWED, FOLLOWING, TRUE = "borrowed", "pixel-refined", "true"
RULE = (
    "Of {images} test photos, the {each} whose masks gain most overlap with the true ones from the pixel refiner, the "
    "{each} whose masks lose most, and {each} of the others drawn with seed {seed}."
)
UNKNOWN_RULE = "Of {images} test photos, whose true masks nobody knows, {each} drawn with seed {seed}."
CAPTION = (
    "Masks in true boxes, under the true class. The pixel refiner corrects a borrowed mask by what the photo shows in "
    "its box. Below a photo are the places where two of its regions meet, with the first one's mask in blue and the "
    "second one's in orange."
)
KINDS = {"gains": "better with pixels", "losses": "worse with pixels", "random": "drawn at random"}
CONTACTS = 3
"""contact frames below a photo"""
Masks = dict[str, Bool[Tensor, "regions h w"]]
"""masks of the true regions of a photo under their true classes, by kind: borrowed, pixel-refined, and true if known"""
Shown = tuple[Picture, Masks, list[Contact]]


def borrowed_photos(params: Params, key: str, each: int) -> tuple[Choice, Iterator[Shown]]:
    """The choice of photos for a joint detector, and each with its masks and the largest of its contact frames."""
    photos, known = sets.scene_graph_set(params, "test"), params.data.scene_graphs.true_masks is not None
    photos = sets.first(sets.with_true_masks(params, photos, "test") if known else photos, CANDIDATES)
    masks_of = open_masks(params, key)
    if known:
        change = np.array([_change(masks_of(batch)) for batch in sets.all_batches(params, photos, images=1)])
    else:
        change = np.zeros(len(photos))
    rule = (RULE if known else UNKNOWN_RULE).format(images=len(photos), each=each, seed=params.seed)
    choice = choose_by(change, list(photos.image_ids), each, params.seed, rule)
    return choice, _shown(params, masks_of, photos, choice)


def open_masks(params: Params, key: str) -> Callable[[Batch], Masks]:
    """A function of a batch of one test image that returns its masks, in the frame of the network's input."""
    detector = load_detector(params, key).to(runs.device())
    before = detector, segmenter(facts.load(params), params.grounding)
    ways = {BORROWED: before, FOLLOWING: borrowed.by_pixels(params, key, detector)}

    @torch.no_grad()
    def masks_of(batch: Batch) -> Masks:
        moved, masks = batch.to(runs.device()), {}
        for name, (source, way) in ways.items():
            regions = source.look(moved, "predcls").regions.to("cpu")
            masks[name] = paste(borrowed.named(way, regions), regions.boxes, batch.sizes[0])
        h, w = batch.sizes[0]
        return masks if batch.masks is None else masks | {TRUE: batch.masks[0][:, :h, :w]}

    return masks_of


def _change(masks: Masks) -> float:
    """What the pixel refiner adds to the mean overlap with true masks."""
    return float((overlap(masks[FOLLOWING], masks[TRUE]) - overlap(masks[BORROWED], masks[TRUE])).mean())


def _shown(params: Params, masks_of: Callable[[Batch], Masks], photos: Subset, choice: Choice) -> Iterator[Shown]:
    names, kinds = facts.load(params).names, {i: text for kind, text in KINDS.items() for i in getattr(choice, kind)}
    chosen = Subset(photos, [list(photos.image_ids).index(image_id) for image_id in kinds])
    for batch in sets.all_batches(params, chosen, images=1):
        h, w = batch.sizes[0]
        labels = class_names(names, batch.labels[0])
        title = f"Image {batch.image_ids[0]}, {kinds[batch.image_ids[0]]}"
        picture = Picture(batch.images[0, :, :h, :w], batch.boxes[0], labels, None, (), title)
        related = batch.relations[0].tolist()
        words = {(s, o): f"{labels[s]} {names.predicate_name(p)} {labels[o]}" for s, o, p in related}
        yield picture, masks_of(batch), contacts(batch.boxes[0], words)


def contacts(boxes: Float[Tensor, "regions 4"], words: dict[tuple[int, int], str]) -> list[Contact]:
    """The largest contact frames of the pairs that `words` are about; both directions of a pair are one, the first."""
    pairs = list({frozenset(pair): pair for pair in reversed(words)}.values())
    subjects, objects = boxes[torch.tensor(pairs, dtype=torch.long).reshape(-1, 2)].unbind(1)
    frames, is_frame = contact_frames(subjects, objects, MARGIN)
    areas = (frames[:, 2:] - frames[:, :2]).prod(dim=1)
    largest = [i for i in areas.argsort(descending=True, stable=True).tolist() if is_frame[i]][:CONTACTS]
    return [Contact(pairs[i], frames[i], words[pairs[i]]) for i in largest]
