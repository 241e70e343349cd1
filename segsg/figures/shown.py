"""Which experiments and which photos a report shows: decided by rules, so that nobody picks those that flatter."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from segsg.evaluation.metrics import tables
from segsg.evaluation.ranks import Ranks, load
from segsg.study import scene_graphs
from segsg.study.measurements import RANKS
from segsg.study.params import Params
from segsg.study.rows import Row, rows

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
    """Up to `each` images with the largest gains by `change`, with the largest losses, and at random of the others.

    An image with NaN is never chosen.
    """
    order = np.lexsort((image_ids, -change))
    gains = [i for i in order.tolist() if change[i] > 0][:each]
    order = np.lexsort((image_ids, change))
    losses = [i for i in order.tolist() if change[i] < 0][:each]
    others = np.setdiff1d(np.flatnonzero(~np.isnan(change)), gains + losses)
    drawn = np.random.default_rng(seed).permutation(others)[:each].tolist()
    return Choice(*([image_ids[i] for i in part] for part in (gains, losses, drawn)), rule)


SHOWN_TASKS = ("sgcls", "predcls", "sgdet")
DEPTH = 20
KINDS = {"gains": "better with masks", "losses": "worse with masks", "random": "drawn at random"}


def gallery_experiment(params: Params) -> str:
    """The seg-grounded experiment whose photos a report shows. ValueError without one.

    It is grounded as the study sets it. SGCls comes first: there two models have the same boxes, and all else is theirs
    to say. Of these it is the first seed, and the grid's last.
    """
    if not (shown := _grounded(params)):
        raise ValueError(f"profile {params.profile}: no seg-grounded experiment to show; add the method to its grid")
    return shown[0].key


def compared_experiments(params: Params) -> tuple[str, str]:
    """The baseline of a seg-grounded experiment, and that one: the first in the order of `gallery_experiment` that has
    a baseline of its model, task and seed on the detector without masks. ValueError if the study has none."""
    every = rows(params)
    keys = {row: key for key, row in every.items()}
    for row in _grounded(params):
        if row.baseline in keys:
            return keys[row.baseline], row.key
    raise ValueError(f"profile {params.profile}: no model both with and without grounding; add both to its grid")


def _grounded(params: Params) -> list[Row]:
    plain = [row for row in reversed(rows(params).values()) if row.is_grounded and row.is_plain]
    return sorted(plain, key=lambda row: (SHOWN_TASKS.index(row.task), row.seed))


def refined_experiment(params: Params) -> str | None:
    """The first experiment with refinement in true boxes (PredCls, SGCls); None if the study has none.

    One in the place of `gallery_experiment` comes first.
    """
    shown = [row.place for row in _grounded(params)[:1]]
    refined = [row for row in rows(params).values() if row.is_refined and row.task != "sgdet"]
    return next((row.key for row in sorted(refined, key=lambda row: row.place not in shown)), None)


def chosen_images(params: Params, each: int) -> Choice:
    """Test images for the pair of experiments that the report shows."""
    before, after = (load(scene_graphs.folder(params, key) / RANKS) for key in compared_experiments(params))
    return choose(before, after, DEPTH, each, params.seed)
