"""Stage 2: train scene graph models, baseline and seg-grounded, and predict with them."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from segsg.data.visual_genome import Split
from segsg.files import digest
from segsg.grounding import refiner
from segsg.grounding.kept_masks import KeptMasks
from segsg.models.scene_graph import SceneGraphModel
from segsg.structures import FrozenDetector, ImageGraph
from segsg.study import code, detectors, facts, refiners, runs, sets
from segsg.study.kept import RowMasks
from segsg.study.models import make_model, make_network, truth
from segsg.study.params import Params
from segsg.study.rows import FREQUENCY, Row, row_of
from segsg.study.shared import shared
from segsg.training.checkpoint import WEIGHTS, load_weights

look_at = shared(detectors.look_at)
"""the frozen detector that the rows of a group stand on"""


def folder(params: Params, key: str) -> Path:
    """Where the weights and measurements of an experiment are."""
    return Path("runs") / params.profile / "rows" / params.group_of(key) / key


def images(params: Params, row: Row, split: Split) -> Any:
    """A split as a row may see it: relations to train on, true masks for an oracle."""
    dataset = sets.stage2_set(params, split)
    return sets.with_true_masks(params, dataset, split) if row.sees_truth else dataset


def read_images(params: Params, row: Row, split: Split) -> Any:
    """A split as the model of a row reads it: where looks are cached, without the pixels that it does not look at."""
    return sets.stage2_set(params, split, sets.reader(params)) if params.cache_looks else images(params, row, split)


def train_scene_graph(params: Params, key: str, out: Path) -> None:
    """Eq. 11; a model without parameters to train (the frequency table) is saved as it is.

    Weights after three quarters of the steps are kept too, to see whether the last quarter still brought something.
    """
    row, known, numbers = row_of(params, key), facts.load(params), params.stage2
    if row.method == FREQUENCY:
        numbers = dataclasses.replace(numbers, iterations=0)
    seed, model = params.seed + row.seed, untrained(params, row, known)
    graphs = read_images(params, row, "train")
    sources = {"losses": sets.relation_batches(params, graphs, known.names.predicates, seed)}
    if row.is_refined:
        masks = sets.refinement_set(params, row.detector, sets.reader(params))
        sources["mask_losses"] = sets.mask_batches(params, masks, numbers=numbers, seed=seed)
    options = {"numbers": numbers, "key": key, "seed": seed, "depends_on": _depends_on(params, row)}
    runs.train(model, sources, **options, out=out, keep_early=True)


def fingerprint(params: Params, key: str) -> str:
    """One name for all that decides the weights of a row but the number of processes that train it together."""
    row = row_of(params, key)
    return runs.fingerprint(params.stage2, params.seed + row.seed, _depends_on(params, row), runs.surroundings())


def _depends_on(params: Params, row: Row) -> list:
    """All that decides the weights of a row, beside stage 2's numbers, seeds and what runs it.

    Of scene graph models the code of its own alone, so that another one's changes nothing, and of the pixel refiner's
    none where no mask is refined by pixels.
    """
    files = [detectors.folder(params, row.detector_key) / WEIGHTS]
    files += [facts.folder(params) / name for name in (facts.NAMES, facts.NUMBERS)]
    files += [params.data.scene_graphs.true_masks_train] if row.sees_truth else []
    files += [refiners.folder(params, row.detector_key) / WEIGHTS] if row.follows_pixels else []
    read = [*(digest(path) for path in files), *detectors.looks_digests(params, row.detector_key)]
    read += [*sets.trained_on(params), code.meaning([__name__], [row.model], unused(row.follows_pixels))]
    sections = [params.data, params.detection, params.cache_looks, params.sampling, params.evaluation.pair_overlap]
    return [*sections, params.network, params.refinement, params.pixel_refiner, row, read]


def unused(follows_pixels: bool) -> list[str]:
    """Modules that do nothing in a row."""
    return [] if follows_pixels else [refiner.__name__]


def untrained(params: Params, row: Row, known: facts.Facts) -> SceneGraphModel:
    """The model of a row on its frozen detector, or for an oracle on one whose masks are the true ones.

    Where looks are cached, pixel-refined and true masks are computed once and kept.
    """
    detector = look_at(params, row.detector_key)
    if params.cache_looks and (row.follows_pixels or row.sees_truth):
        return make_network(known, params.numbers, row, KeptMasks(detector, RowMasks(params, row, detector)))
    return on_detector(params, row, known, truth(row, detector) if row.sees_truth else detector)


def on_detector(params: Params, row: Row, known: facts.Facts, detector: FrozenDetector) -> SceneGraphModel:
    """The untrained model of a row on a detector; where its masks are refined, by the trained pixel refiner."""
    model = make_model(known, params.numbers, row, detector)
    if row.follows_pixels:
        refiners.load_refiner(params, row.detector_key, model.detector.refiner)
    return model


def load_model(params: Params, key: str, weights: str = WEIGHTS) -> SceneGraphModel:
    """A trained model, ready to predict; `weights` is a file of its folder."""
    model = untrained(params, row_of(params, key), facts.load(params))
    load_weights(model, folder(params, key), weights)
    return model.to(runs.device()).eval()


def predict(params: Params, key: str, split: Split = "test", *, weights: str = WEIGHTS) -> Iterator[ImageGraph]:
    """Scene graphs of a split's images in order, by the weights of a file. Files are opened at once."""
    model = load_model(params, key, weights)
    batches = sets.all_batches(params, read_images(params, row_of(params, key), split))
    return (graph for batch in batches for graph in model.predict(batch.to(runs.device())))
