"""Which images to show when two systems are compared: by a rule, so that nobody picks those that flatter."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from segsg.evaluation.metrics import tables
from segsg.evaluation.ranks import Ranks

RULE = (
    "Of the {images} test images, the {each} whose R@{depth} gains most over the baseline, the {each} whose R@{depth} "
    "loses most, and {each} of the others drawn with seed {seed}; of equal ones the lower image id."
)


@dataclass(frozen=True)
class Choice:
    """Ids of images, and `rule`, the sentence that says how they were chosen."""

    gains: list[int]
    losses: list[int]
    random: list[int]
    rule: str


def image_recalls(ranks: Ranks, depth: int) -> Float[np.ndarray, "images"]:
    """R@depth of each image; NaN for an image without a true relation that counts."""
    sums = tables(ranks).sums
    return np.where(sums["images"][:, 0] > 0, sums[f"recall@{depth}"][:, 0], np.nan)


def choose(baseline: Ranks, system: Ranks, depth: int, each: int, seed: int) -> Choice:
    """Images of which `system` finds more, fewer, and any. An image that gains or loses nothing is only drawn.

    Both have to be ranks of the same images.
    """
    if not np.array_equal(baseline.image_ids, system.image_ids):
        raise ValueError("choose: the two systems were evaluated on different images; evaluate both on the same set")
    change = image_recalls(system, depth) - image_recalls(baseline, depth)
    rule = RULE.format(images=len(baseline), each=each, depth=depth, seed=seed)
    return choose_by(change, baseline.image_ids.tolist(), each, seed, rule)


def choose_by(change: Float[np.ndarray, "images"], image_ids: list[int], each: int, seed: int, rule: str) -> Choice:
    """As `choose`, by any number for each image; NaN is never chosen."""
    order = np.lexsort((image_ids, -change))
    gains = [i for i in order.tolist() if change[i] > 0][:each]
    order = np.lexsort((image_ids, change))
    losses = [i for i in order.tolist() if change[i] < 0][:each]
    others = np.setdiff1d(np.flatnonzero(~np.isnan(change)), gains + losses)
    drawn = np.random.default_rng(seed).permutation(others)[:each].tolist()
    return Choice(*([image_ids[i] for i in part] for part in (gains, losses, drawn)), rule)
