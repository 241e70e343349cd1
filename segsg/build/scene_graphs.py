"""Stage 2: build and train scene graph models, baseline and seg-grounded, and predict with them."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from segsg.build import data, detectors, looks, runs
from segsg.build.transfer import class_vectors, transfer
from segsg.grounding.edges import COMBINATIONS, FRAMES, GaussianSmoothing, NoPairMasks, NoSmoothing, PairMasks
from segsg.grounding.extractor import GroundedExtractor
from segsg.grounding.segmenter import AllClasses, MixedClasses, Segmenter
from segsg.models.contexts import CONTEXTS, Facts
from segsg.models.extractor import LAYOUT_CHANNELS, BoxExtractor, CropEncoder
from segsg.models.frequency import NoFeatures
from segsg.models.sampling import PairSampler
from segsg.models.scene_graph import DistinctNames, SceneGraphModel, best_names, every_pair, overlapping_pairs
from segsg.params import ExperimentRow, Grounding, Params
from segsg.structures import ImageGraph
from segsg.training.files import WEIGHTS, load_weights


def folder(params: Params, key: str) -> Path:
    """Where the weights of an experiment are."""
    return Path("runs") / params.profile / "scene_graph" / key


def grounding(params: Params, row: ExperimentRow) -> Grounding:
    """The section `grounding` with the changes of one row."""
    return dataclasses.replace(params.grounding, **row.grounding)


def label_vectors(params: Params) -> Float[Tensor, "classes words"]:
    """Where label embeddings start: word vectors if they have the wanted width, otherwise noise. Row 0: background."""
    names, width = data.vocabulary(params).classes, params.network.label_embedding
    vectors = class_vectors(params, names)
    if vectors.shape[1] != width:
        vectors = torch.randn(len(names), width)
    return torch.cat([vectors.new_zeros(1, width), vectors])


def facts(params: Params, row: ExperimentRow) -> Facts:
    network = params.network
    return Facts(
        label_vectors(params),
        data.statistics(params).counts,
        row.task == "predcls",
        network.node_width,
        network.hidden,
        network.pooling,
        network.position,
        network.dropout,
    )


def box_extractor(params: Params, detector: nn.Module, node_masks: int, edge_masks: int) -> BoxExtractor:
    """Encoders of regions and pairs with room for so many mask channels."""
    network, channels = params.network, detector.record.channels
    sizes = (network.region_side, network.fused, network.dense)
    nodes = CropEncoder(channels, node_masks, *sizes, network.node_width)
    return BoxExtractor(
        detector.union_crops, nodes, CropEncoder(channels, LAYOUT_CHANNELS + edge_masks, *sizes, network.pooling)
    )


def grounded_extractor(params: Params, detector: nn.Module, row: ExperimentRow) -> GroundedExtractor:
    """Masks in nodes (eq. 5) and edges (eq. 7)."""
    wanted, classes = grounding(params, row), len(data.vocabulary(params).classes) + 1
    channels = MixedClasses(classes, wanted.channels) if wanted.channels else AllClasses(classes)
    edge_channels = 0 if wanted.edges == "none" else channels.channels
    boxes = box_extractor(params, detector, channels.channels if wanted.nodes else 0, edge_channels)
    segmenter = Segmenter(transfer(params, wanted.transfer).matrix)
    return GroundedExtractor(boxes, segmenter, channels, pair_masks(wanted, classes))


def pair_masks(wanted: Grounding, classes: int) -> nn.Module:
    """Eq. 6 or one of its variants."""
    if wanted.edges == "none":
        return NoPairMasks()
    smoothing = GaussianSmoothing(classes, wanted.kernel) if wanted.edges == "gaussian" else NoSmoothing()
    return PairMasks(smoothing, FRAMES[wanted.frame](), COMBINATIONS[wanted.edges], wanted.sigmoid)


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
    return SceneGraphModel(
        detector,
        EXTRACTORS[row.method](params, detector, row),
        CONTEXTS[row.model](facts(params, row)),
        row.task,
        PairSampler(params.sampling.pairs, params.sampling.positive_fraction),
        overlapping_pairs if detected and params.evaluation.pair_overlap else every_pair,
        DistinctNames(params.evaluation.late_nms) if detected else best_names,
    )


def train_scene_graph(params: Params, key: str, out: Path) -> None:
    """Eq. 11 without the mask term; a model without parameters to train (the frequency table) is saved as it is."""
    row, numbers = params.experiments[key], params.stage2
    if row.method == "frequency":
        numbers = dataclasses.replace(numbers, iterations=0)
    model = make_model(params, key, looks.look_at(params, row.detector))
    seed = params.seed + row.seed
    sources = {"losses": data.scene_graph_batches(params, numbers.images, numbers.flip, seed)}
    weights = runs.digest(detectors.folder(params, row.detector) / WEIGHTS)
    facts = [params.data, params.sampling, params.network, grounding(params, row), row, weights]
    runs.train(model, sources, numbers, key, seed, facts, out)


def load_model(params: Params, key: str) -> SceneGraphModel:
    """A trained model, ready to predict."""
    model = make_model(params, key, looks.look_at(params, params.experiments[key].detector))
    load_weights(model, folder(params, key))
    return model.to(runs.device()).eval()


def predict(params: Params, key: str, split: str = "test", images: int | None = None) -> Iterator[ImageGraph]:
    """Scene graphs of a split's images in order, the first `images` of them if given."""
    model = load_model(params, key)
    dataset = data.scene_graph_set(params, split)
    for batch in data.all_batches(params, data.first(dataset, images)):
        yield from model.predict(batch.to(runs.device()))
