"""The grounded extractor: the baseline's call, with masks in it."""

from dataclasses import replace

import pytest
import torch
from grounded import NODES, POOLING, slots
from scenes import CLASSES, MASK_CLASSES, FixedDetector, box_extractor, chunk_of, make
from torch.testing import assert_close

from segsg.grounding.edges import KERNELS, GaussianSmoothing, PairMasks, UnionFrame, product
from segsg.grounding.extractor import GroundedExtractor
from segsg.grounding.segmenter import AllClasses, MixedClasses, Segmenter
from segsg.kernels.boxes import all_pairs
from segsg.models.scene_graph import SceneGraphModel


def three():
    return MixedClasses(CLASSES, 3)


def all_classes():
    return AllClasses(CLASSES)


both = pytest.mark.parametrize("seen", [three, all_classes])


def grounded(seen=three):
    torch.manual_seed(1)
    channels = seen()
    boxes = box_extractor(5, 4, masks=channels.channels)
    pair_masks = PairMasks(GaussianSmoothing(CLASSES, 7), UnionFrame(), product, False)
    segmenter = Segmenter(torch.rand(CLASSES - 1, MASK_CLASSES))
    return GroundedExtractor(boxes, segmenter, channels, pair_masks)


@both
def test_shapes_and_empty_images(seen):
    extractor = grounded(seen)
    for counts in ([3, 0, 2], [1], [0]):
        look, _ = make(counts)
        pairs = all_pairs(look.regions.image)
        encoded = extractor(look, pairs)
        assert encoded.nodes.shape == (sum(counts), 5) and encoded.edges.shape == (len(pairs), 4)
        assert encoded.masks.shape == (sum(counts), CLASSES, 28, 28)


@both
def test_masks_reach_nodes_and_edges(seen):
    look, _ = make([3])
    pairs, extractor = all_pairs(look.regions.image), grounded(seen)
    others = replace(look, regions=replace(look.regions, mask_logits=-look.regions.mask_logits))
    before, after = extractor(look, pairs), extractor(others, pairs)
    assert not torch.allclose(before.nodes, after.nodes) and not torch.allclose(before.edges, after.edges)


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
    together = extractor(look, all_pairs(regions.image))
    alone = extractor(replace(look, regions=first), all_pairs(first.image))
    assert_close(alone.nodes, together.nodes[:2])
    assert_close(alone.edges, together.edges[:2])


@both
def test_every_parameter_learns(seen):
    look, _ = make([3])
    extractor = grounded(seen)
    encoded = extractor(look, all_pairs(look.regions.image))
    (encoded.nodes.pow(2).sum() + encoded.edges.pow(2).sum()).backward()
    assert [name for name, parameter in extractor.named_parameters() if parameter.grad is None] == []


def test_only_models_that_see_masks_ask_for_them():
    look, batch = make([3])
    parts = slots("motifs", FixedDetector(look))
    baseline = SceneGraphModel(**parts | {"extractor": box_extractor(NODES, POOLING)})
    for asked in (SceneGraphModel.look, SceneGraphModel.training_look):
        assert asked(SceneGraphModel(**parts), batch).regions.mask_logits is not None
        assert asked(baseline, batch).regions.mask_logits is None


@pytest.mark.parametrize("kernels", KERNELS)
def test_both_directions_at_once_equal_each_direction_alone(kernels):
    """Masks made once for both directions of a pair are what each direction alone would make, and so are gradients."""
    look, _ = make([4, 0, 3])
    pairs, extractor = all_pairs(look.regions.image), grounded()
    extractor.pair_masks.smoothing = KERNELS[kernels](CLASSES, 7)
    alone = torch.cat([extractor(look, pair[None]).edges for pair in pairs])
    together = extractor(look, pairs).edges
    assert_close(together, alone, atol=1e-6, rtol=1e-5)
    gradients = [
        torch.autograd.grad(edges.pow(2).sum(), list(extractor.boxes.edges.parameters()), retain_graph=True)
        for edges in (together, alone)
    ]
    for one, other in zip(*gradients, strict=True):
        assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_what_is_shown_of_a_pair_is_the_mask_that_it_sees():
    look, _ = make([3])
    pairs, extractor = torch.tensor([[2, 0], [0, 1]]), grounded()
    masks = extractor.pair_masks.prepare(extractor.masks(look), look.regions)(chunk_of(pairs))
    assert_close(extractor.meeting(look, pairs), masks[:, 0])
    assert extractor.class_kernels().shape == (CLASSES - 1, 7, 7)
    assert extractor.boxes.meeting(look, pairs) is None and extractor.boxes.class_kernels() is None
