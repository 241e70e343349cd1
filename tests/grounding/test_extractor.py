"""The grounded extractor: the baseline's call, with masks in it."""

from dataclasses import replace

import torch
from scenes import CHANNELS, CLASSES, MASK_CLASSES, crop, make
from torch.testing import assert_close

from segsg.grounding.edges import GaussianSmoothing, PairMasks, UnionFrame, product
from segsg.grounding.extractor import GroundedExtractor
from segsg.grounding.segmenter import MixedClasses, Segmenter
from segsg.kernels.boxes import all_pairs
from segsg.models.extractor import LAYOUT_CHANNELS, BoxExtractor, CropEncoder


def grounded():
    torch.manual_seed(0)
    nodes, edges = (
        CropEncoder(CHANNELS, 3, 7, CHANNELS, 6, 5),
        CropEncoder(CHANNELS, LAYOUT_CHANNELS + 3, 7, CHANNELS, 6, 4),
    )
    pair_masks = PairMasks(GaussianSmoothing(CLASSES, 7), UnionFrame(), product, False)
    segmenter = Segmenter(torch.rand(CLASSES - 1, MASK_CLASSES))
    return GroundedExtractor(BoxExtractor(crop, nodes, edges), segmenter, MixedClasses(CLASSES, 3), pair_masks)


def test_shapes_and_empty_images():
    extractor = grounded()
    for counts in ([3, 0, 2], [1], [0]):
        look, _ = make(counts)
        pairs = all_pairs(look.regions.image)
        nodes, edges = extractor(look, pairs)
        assert nodes.shape == (sum(counts), 5) and edges.shape == (len(pairs), 4)


def test_masks_reach_nodes_and_edges():
    look, _ = make([3])
    pairs, extractor = all_pairs(look.regions.image), grounded()
    others = replace(look, regions=replace(look.regions, mask_logits=-look.regions.mask_logits))
    for before, after in zip(extractor(look, pairs), extractor(others, pairs), strict=True):
        assert not torch.allclose(before, after)


def test_images_do_not_see_each_other():
    look, _ = make([2, 3])
    regions = look.regions
    first = replace(
        regions,
        boxes=regions.boxes[:2],
        image=regions.image[:2],
        labels=regions.labels[:2],
        class_probabilities=regions.class_probabilities[:2],
        sizes=regions.sizes[:1],
        mask_logits=regions.mask_logits[:2],
    )
    extractor = grounded()
    nodes, edges = extractor(look, all_pairs(regions.image))
    alone = extractor(replace(look, regions=first), all_pairs(first.image))
    assert_close(alone[0], nodes[:2])
    assert_close(alone[1], edges[:2])


def test_every_parameter_learns():
    look, _ = make([3])
    extractor = grounded()
    nodes, edges = extractor(look, all_pairs(look.regions.image))
    (nodes.pow(2).sum() + edges.pow(2).sum()).backward()
    assert [name for name, parameter in extractor.named_parameters() if parameter.grad is None] == []
