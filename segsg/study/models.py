"""From Facts, numbers and a row to a network. Nothing here opens a file: a study and a bundle make models alike."""

from dataclasses import replace

import torch
from torch import nn

from segsg.grounding.contact import ContactEncoder, WithContact
from segsg.grounding.edges import COMBINATIONS, FRAMES, KERNELS, NoPairMasks, NoSmoothing, PairMasks
from segsg.grounding.extractor import GroundedExtractor
from segsg.grounding.refinement import MaskDomain, MaskRefiner, RefinedInTraining, RefinedModel
from segsg.grounding.refiner import PixelRefinedDetector, PixelRefiner
from segsg.grounding.segmenter import (
    AllClasses,
    ConstantMasks,
    MixedClasses,
    Segmenter,
    ShuffledMasks,
    TrueMaskDetector,
)
from segsg.grounding.transfer import Transfer, transfer_matrix
from segsg.models.extractor import LAYOUT_CHANNELS, BoxExtractor, CropEncoder, Extractor, Fusion, NoFeatures
from segsg.models.parts import Materials
from segsg.models.registry import context_of
from segsg.models.scene_graph import (
    DistinctNames,
    PairSampler,
    SceneGraphModel,
    best_names,
    every_pair,
    overlapping_pairs,
)
from segsg.structures import MASK_SIDE, FrozenDetector
from segsg.study.facts import Facts, label_vectors
from segsg.study.params import Grounding, Network, Numbers
from segsg.study.rows import COARSE, CONTACT, FREQUENCY, Row

REFINED = {"inference": RefinedModel, "training": RefinedInTraining}
CONSTANT = {"rectangles": 1.0, "zero": 0.0}
"""controls whose masks have one value in every cell"""
COARSE_CELLS = 7
"""cells along a side of true masks that are nearly right: they own four fifths of the cells of contact frames"""
ONE_CHANNEL = ("oracle", "coarse", "refined")
"""masks that the detector of a row brings, one for each region and whatever class"""


def make_model(facts: Facts, numbers: Numbers, row: Row, detector: FrozenDetector) -> SceneGraphModel:
    """The untrained model of a row on a frozen detector, from the seeds of the study and of the row.

    A row with pixel-refined masks gets its detector with an untrained pixel refiner behind it. ValueError for a model
    that does not exist.
    """
    if row.follows_pixels:
        detector = pixel_refined(facts, numbers, row.grounding, detector)
    return make_network(facts, numbers, row, detector)


def make_network(facts: Facts, numbers: Numbers, row: Row, detector: FrozenDetector) -> SceneGraphModel:
    """The untrained model of a row on a frozen detector that brings the masks which the row sees."""
    torch.manual_seed(numbers.seed + row.seed)
    detected = row.task == "sgdet"
    slots = {
        "detector": detector,
        "extractor": make_extractor(facts, numbers.network, row, detector.channels),
        "context": context_of(row.model)(materials(facts, numbers.network, row)),
        "task": row.task,
        "sampler": PairSampler(numbers.sampling.pairs, numbers.sampling.positive_fraction),
        "candidates": overlapping_pairs if detected and numbers.evaluation.pair_overlap else every_pair,
        "naming": DistinctNames(numbers.evaluation.late_nms) if detected else best_names,
    }
    if not row.is_refined:
        return SceneGraphModel(**slots)
    return REFINED[row.grounding.refinement](**slots, **refinement_slots(facts, numbers, row.grounding, slots))


def materials(facts: Facts, network: Network, row: Row) -> Materials:
    """What the context model of a row is made from."""
    return Materials(
        vectors=label_vectors(facts.vectors, network.label_embedding),
        counts=facts.counts,
        labels_given=row.task == "predcls",
        node_width=network.node_width,
        hidden=network.hidden,
        pooling=network.pooling,
        position=network.position,
        dropout=network.dropout,
        input_dropout=network.input_dropout,
    )


def make_extractor(facts: Facts, network: Network, row: Row, channels: int) -> Extractor:
    """What encodes regions and pairs, from feature maps of so many `channels`: with masks, without, or nothing."""
    if row.method == FREQUENCY:
        return NoFeatures()
    if row.grounding is None:
        return box_extractor(network, channels, node_masks=0, edge_masks=0, edges=CropEncoder)
    return grounded_extractor(facts, network, row.grounding, channels)


def box_extractor(
    network: Network, channels: int, *, node_masks: int, edge_masks: int, edges: type[CropEncoder]
) -> BoxExtractor:
    """Encoders of regions and pairs with room for so many mask channels; that of pairs is one of the kind `edges`."""
    sizes = {"channels": channels, "side": network.region_side, "width": network.fused, "dense": network.dense}
    nodes = CropEncoder(mask_channels=node_masks, mask_side=MASK_SIDE, out=network.node_width, **sizes)
    seen = {"mask_channels": LAYOUT_CHANNELS + edge_masks, "mask_side": network.pair_side}
    return BoxExtractor(nodes, edges(**seen, out=network.pooling, **sizes))


def grounded_extractor(facts: Facts, network: Network, wanted: Grounding, channels: int) -> GroundedExtractor:
    """Masks in nodes (eq. 5) and edges (eq. 7)."""
    seen = mask_channels(wanted, facts.classes)
    boxes = box_extractor(
        network,
        channels,
        node_masks=seen.channels if wanted.nodes else 0,
        edge_masks=0 if wanted.edges == "none" else seen.channels,
        edges=ContactEncoder if wanted.edges == CONTACT else CropEncoder,
    )
    return GroundedExtractor(boxes, segmenter(facts, wanted), seen, pair_masks(wanted, facts.classes, seen))


def mask_channels(wanted: Grounding, classes: int) -> AllClasses | MixedClasses:
    """How many of the class masks are seen."""
    return MixedClasses(classes, wanted.channels) if wanted.channels else AllClasses(classes)


def segmenter(facts: Facts, wanted: Grounding) -> nn.Module:
    """Masks of every class (eq. 4), or what a control puts in their place."""
    if wanted.masks in ONE_CHANNEL:
        return Segmenter(torch.ones(facts.classes - 1, 1))
    if wanted.masks in CONSTANT:
        return ConstantMasks(facts.classes, CONSTANT[wanted.masks])
    transferred = Segmenter(transfer(facts, wanted.transfer, wanted.transfer_threshold).matrix)
    return ShuffledMasks(transferred) if wanted.masks == "shuffled" else transferred


def truth(row: Row, detector: FrozenDetector) -> TrueMaskDetector:
    """A frozen detector whose masks are the true ones, as finely as an oracle sees them."""
    return TrueMaskDetector(detector, COARSE_CELLS if row.grounding.masks == COARSE else MASK_SIDE)


def pixel_refined(facts: Facts, numbers: Numbers, wanted: Grounding, detector: FrozenDetector) -> PixelRefinedDetector:
    """A frozen detector whose masks are transferred as a row wants it, then refined; the refiner is untrained."""
    transferred = Segmenter(transfer(facts, wanted.transfer, wanted.transfer_threshold).matrix)
    return PixelRefinedDetector(detector, transferred, make_refiner(facts, numbers, detector))


def make_refiner(facts: Facts, numbers: Numbers, detector: FrozenDetector) -> PixelRefiner:
    """The untrained pixel refiner of a joint detector."""
    mask_classes, wanted = len(facts.mask_names), numbers.pixel_refiner
    shape = {"channels": detector.channels, "mask_classes": mask_classes}
    return PixelRefiner(**shape, width=wanted.width, passes=wanted.passes)


def transfer(facts: Facts, mode: str, threshold: float) -> Transfer:
    """Eq. 3: which mask classes each class borrows its mask from, and how much of each."""
    names = facts.names.classes
    pairs = facts.drawn_as if mode == "oracle" else facts.name_pairs
    vectors = (facts.vectors, facts.mask_vectors)
    matrix = transfer_matrix(names, facts.mask_names, *vectors, name_pairs=pairs, mode=mode, threshold=threshold)
    named = set(facts.mask_names) | facts.name_pairs.keys()
    return Transfer(matrix, names, facts.mask_names, tuple(name in named for name in names))


def pair_masks(
    wanted: Grounding, classes: int, seen: AllClasses | MixedClasses
) -> PairMasks | NoPairMasks | WithContact:
    """Eq. 6 or one of its variants, for masks in the channels of `seen`."""
    if wanted.edges == "none":
        return NoPairMasks()
    if wanted.edges == CONTACT:
        return WithContact(pair_masks(replace(wanted, edges="gaussian"), classes, seen), seen)
    smoothing = KERNELS[wanted.kernels](classes, wanted.kernel) if wanted.edges == "gaussian" else NoSmoothing()
    return PairMasks(smoothing, FRAMES[wanted.frame](), COMBINATIONS[wanted.edges], wanted.sigmoid)


def refinement_slots(facts: Facts, numbers: Numbers, wanted: Grounding, slots: dict) -> dict[str, nn.Module]:
    """What a refining model has beside the slots of every model (eq. 8)."""
    context, mask_classes, channels = slots["context"], len(facts.mask_names), slots["detector"].channels
    network, refinement = numbers.network, numbers.refinement
    labels = context.labels_of(label_vectors(facts.mask_vectors, network.label_embedding))
    seen = mask_channels(wanted, mask_classes + 1)
    fusion = Fusion(
        channels=channels,
        mask_channels=seen.channels if wanted.nodes else 0,
        side=network.region_side,
        mask_side=MASK_SIDE,
        width=network.fused,
    )
    domain = MaskDomain(
        segmenter=Segmenter(torch.eye(mask_classes)), channels=seen, fusion=fusion, labels=labels, classes=facts.classes
    )
    refiner = MaskRefiner(
        channels=channels,
        described=context.described,
        width=refinement.width,
        convolutions=refinement.convolutions,
        mask_classes=mask_classes,
    )
    return {"refiner": refiner, "domain": domain}
