"""From the section `grounding` to what sees masks: the grounded extractor, its controls, and refinement."""

import torch
from torch import nn

from segsg.grounding.edges import COMBINATIONS, FRAMES, KERNELS, NoPairMasks, NoSmoothing, PairMasks
from segsg.grounding.extractor import GroundedExtractor
from segsg.grounding.refinement import MaskDomain, MaskRefiner, RefinedInTraining, RefinedModel
from segsg.grounding.segmenter import AllClasses, MixedClasses, Segmenter
from segsg.grounding.segmenters import ConstantMasks, ShuffledMasks, TrueMaskDetector
from segsg.models.extractor import LAYOUT_CHANNELS, BoxExtractor, CropEncoder, Fusion
from segsg.models.scene_graph import SceneGraphModel
from segsg.study import data
from segsg.study.params import ExperimentRow, Grounding, Params, grounding_of
from segsg.study.transfer import label_vectors, transfer

REFINED = {"inference": RefinedModel, "training": RefinedInTraining}


def sees_truth(params: Params, row: ExperimentRow) -> bool:
    """Whether a row is an oracle, whose images bring their true masks."""
    return row.method == "seg-grounded" and grounding_of(params, row).masks == "oracle"


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
    wanted, classes = grounding_of(params, row), len(data.vocabulary(params).classes) + 1
    channels = mask_channels(wanted, classes)
    edge_channels = 0 if wanted.edges == "none" else channels.channels
    boxes = box_extractor(params, detector, channels.channels if wanted.nodes else 0, edge_channels)
    return GroundedExtractor(boxes, segmenter(params, wanted, classes), channels, pair_masks(wanted, classes))


def mask_channels(wanted: Grounding, classes: int) -> AllClasses | MixedClasses:
    """How many of the class masks are seen."""
    return MixedClasses(classes, wanted.channels) if wanted.channels else AllClasses(classes)


def segmenter(params: Params, wanted: Grounding, classes: int) -> nn.Module:
    """Masks of every class (eq. 4), or what a control puts in their place."""
    if wanted.masks == "oracle":
        return Segmenter(torch.ones(classes - 1, 1))
    if wanted.masks in CONSTANT:
        return ConstantMasks(classes, CONSTANT[wanted.masks])
    transferred = Segmenter(transfer(params, wanted.transfer, wanted.transfer_threshold).matrix)
    return ShuffledMasks(transferred) if wanted.masks == "shuffled" else transferred


CONSTANT = {"rectangles": 1.0, "zero": 0.0}


def pair_masks(wanted: Grounding, classes: int) -> nn.Module:
    """Eq. 6 or one of its variants."""
    if wanted.edges == "none":
        return NoPairMasks()
    smoothing = KERNELS[wanted.kernels](classes, wanted.kernel) if wanted.edges == "gaussian" else NoSmoothing()
    return PairMasks(smoothing, FRAMES[wanted.frame](), COMBINATIONS[wanted.edges], wanted.sigmoid)


def with_masks(params: Params, row: ExperimentRow, detector: nn.Module) -> nn.Module:
    """The frozen detector, or the same with the true masks of an oracle."""
    return TrueMaskDetector(detector) if sees_truth(params, row) else detector


def refined_model(params: Params, row: ExperimentRow, slots: tuple) -> SceneGraphModel:
    """A model with these slots, and a refiner of masks if its row wants one."""
    wanted = grounding_of(params, row)
    if row.method != "seg-grounded" or wanted.refinement == "none":
        return SceneGraphModel(*slots)
    detector, _, context = slots[:3]
    numbers, mask_classes = params.refinement, data.mask_vocabulary(params).classes
    sizes = (detector.record.channels, context.described, numbers.width, numbers.convolutions, len(mask_classes))
    domain = mask_domain(params, wanted, detector, context.labels_of(label_vectors(params, mask_classes)))
    return REFINED[wanted.refinement](*slots, refiner=MaskRefiner(*sizes), domain=domain)


def mask_domain(params: Params, wanted: Grounding, detector: nn.Module, labels: nn.Module) -> MaskDomain:
    """What mask-set images have of their own: as many mask channels as scene graphs, mixed from mask classes."""
    network, classes = params.network, len(data.vocabulary(params).classes) + 1
    mask_classes = len(data.mask_vocabulary(params).classes)
    seen = mask_channels(wanted, mask_classes + 1)
    node_masks = seen.channels if wanted.nodes else 0
    fusion = Fusion(detector.record.channels, node_masks, network.region_side, network.fused)
    return MaskDomain(Segmenter(torch.eye(mask_classes)), seen, fusion, labels, classes)
