"""Stage 2: build and train scene graph models, baseline and seg-grounded, and predict with them."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from segsg.data.visual_genome import Split
from segsg.grounding.refinement import RefinedModel
from segsg.models.contexts import CONTEXTS, Facts
from segsg.models.frequency import NoFeatures
from segsg.models.sampling import PairSampler, every_pair, overlapping_pairs
from segsg.models.scene_graph import DistinctNames, SceneGraphModel, best_names
from segsg.structures import ImageGraph
from segsg.study import batches, data, detectors, looks, runs
from segsg.study.grounded import box_extractor, grounded_extractor, refined_model, sees_truth, with_masks
from segsg.study.params import ExperimentRow, Params, grounding_of
from segsg.study.transfer import label_vectors
from segsg.training.files import WEIGHTS, load_weights


def folder(params: Params, key: str) -> Path:
    """Where the weights of an experiment are."""
    return Path("runs") / params.profile / "scene_graph" / key


def facts(params: Params, row: ExperimentRow) -> Facts:
    network = params.network
    return Facts(
        label_vectors(params, data.vocabulary(params).classes),
        data.statistics(params).counts,
        row.task == "predcls",
        network.node_width,
        network.hidden,
        network.pooling,
        network.position,
        network.dropout,
    )


EXTRACTORS = {
    "baseline": lambda params, detector, row: box_extractor(params, detector, 0, 0),
    "seg-grounded": grounded_extractor,
    "frequency": lambda params, detector, row: NoFeatures(),
}


def make_model(params: Params, key: str, detector: nn.Module) -> SceneGraphModel:
    """The untrained model of a row of `experiments` on a frozen detector."""
    row = params.experiments[key]
    torch.manual_seed(params.seed + row.seed)
    detected = row.task == "sgdet"
    slots = (
        detector,
        EXTRACTORS[row.method](params, detector, row),
        CONTEXTS[row.model](facts(params, row)),
        row.task,
        PairSampler(params.sampling.pairs, params.sampling.positive_fraction),
        overlapping_pairs if detected and params.evaluation.pair_overlap else every_pair,
        DistinctNames(params.evaluation.late_nms) if detected else best_names,
    )
    return refined_model(params, row, slots)


def images(params: Params, key: str, split: Split) -> Any:
    """A split as an experiment may see it: relations to train on, true masks for an oracle."""
    dataset = data.training_set(params) if split == "train" else data.scene_graph_set(params, split)
    return data.with_true_masks(params, dataset, split) if sees_truth(params, params.experiments[key]) else dataset


def train_scene_graph(params: Params, key: str, out: Path) -> None:
    """Eq. 11; a model without parameters to train (the frequency table) is saved as it is."""
    row, numbers = params.experiments[key], params.stage2
    if row.method == "frequency":
        numbers = dataclasses.replace(numbers, iterations=0)
    model, seed = untrained(params, key), params.seed + row.seed
    graphs = images(params, key, "train")
    sources = {"losses": batches.relation_batches(params, graphs, numbers, seed)}
    if isinstance(model, RefinedModel):
        masks = data.refinement_set(params, params.detectors[row.detector])
        sources["mask_losses"] = batches.mask_batches(params, masks, numbers, seed)
    weights = detectors.folder(params, row.detector) / WEIGHTS
    files = [runs.digest(path) for path in (weights, params.data.word_vectors, params.data.name_pairs)]
    sections = [
        params.data,
        params.detection,
        params.cache_looks,
        params.sampling,
        params.evaluation.pair_overlap,
        params.network,
        params.refinement,
        grounding_of(params, row),
        row,
        files,
    ]
    runs.train(model, sources, numbers, key, seed, sections, out)


def untrained(params: Params, key: str) -> SceneGraphModel:
    """The model of a row on its frozen detector."""
    row = params.experiments[key]
    return make_model(params, key, with_masks(params, row, looks.look_at(params, row.detector)))


def load_model(params: Params, key: str) -> SceneGraphModel:
    """A trained model, ready to predict."""
    model = untrained(params, key)
    load_weights(model, folder(params, key))
    return model.to(runs.device()).eval()


def predict(params: Params, key: str, split: Split = "test", count: int | None = None) -> Iterator[ImageGraph]:
    """Scene graphs of a split's images in order, the first `count` of them if given."""
    model = load_model(params, key)
    for batch in data.all_batches(params, data.first(images(params, key, split), count)):
        yield from model.predict(batch.to(runs.device()))
