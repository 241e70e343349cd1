"""Small seg-grounded models on made scenes, refined and not."""

import torch
from scenes import CHANNELS, CLASSES, MASK_CLASSES, box_extractor, materials

from segsg.grounding.edges import GaussianSmoothing, PairMasks, UnionFrame, product
from segsg.grounding.extractor import GroundedExtractor
from segsg.grounding.refinement import MaskDomain, MaskRefiner, RefinedModel
from segsg.grounding.segmenter import MixedClasses, Segmenter
from segsg.models.extractor import Fusion
from segsg.models.registry import context_of
from segsg.models.scene_graph import PairSampler
from segsg.structures import MASK_SIDE

NODES, POOLING, WORDS = 12, 10, 7


def slots(name, detector, task="sgcls", *, dropout=0.0, pairs=64):
    """Parts of a grounded model that is not refined; every call has the same weights."""
    torch.manual_seed(0)
    boxes = box_extractor(NODES, POOLING, masks=3)
    pair_masks = PairMasks(GaussianSmoothing(CLASSES, 7), UnionFrame(), product, False)
    segmenter = Segmenter(torch.rand(CLASSES - 1, MASK_CLASSES))
    extractor = GroundedExtractor(boxes, segmenter, MixedClasses(CLASSES, 3), pair_masks)
    widths = {"words": WORDS, "node_width": NODES, "pooling": POOLING, "dropout": dropout}
    return {
        "detector": detector,
        "extractor": extractor,
        "context": context_of(name)(materials(task == "predcls", **widths)),
        "task": task,
        "sampler": PairSampler(pairs, 0.5),
    }


def refined(name, detector, kind=RefinedModel, task="sgcls", **options):
    """A model that refines masks."""
    parts = slots(name, detector, task, **options)
    context = parts["context"]
    domain = MaskDomain(
        segmenter=Segmenter(torch.eye(MASK_CLASSES)),
        channels=MixedClasses(MASK_CLASSES + 1, 3),
        fusion=Fusion(channels=CHANNELS, mask_channels=3, side=7, mask_side=MASK_SIDE, width=CHANNELS),
        labels=context.labels_of(torch.randn(MASK_CLASSES + 1, WORDS)),
        classes=CLASSES,
    )
    refiner = MaskRefiner(
        channels=CHANNELS, described=context.described, width=8, convolutions=1, mask_classes=MASK_CLASSES
    )
    return kind(**parts, refiner=refiner, domain=domain)
