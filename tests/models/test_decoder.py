"""The decoder of Motifs and VCTree, against its equations written out for one region after the other."""

import itertools

import pytest
import torch
from forests import children, forest
from scenes import CLASSES, make
from slow_decoder import StepByStep, decode_slowly
from torch.testing import assert_close

from segsg.models.decoder import HighwayDecoder
from segsg.models.motifs import Sequences

WIDTH, HIDDEN, WORDS = 7, 6, 3
COUNTS = [5, 0, 1, 9]
REGIONS = sum(COUNTS)


def decoder(dropout=0.0):
    torch.manual_seed(0)
    return HighwayDecoder(WIDTH, torch.randn(CLASSES, WORDS), hidden=HIDDEN, dropout=dropout)


def chains(counts, seed=0):
    """Sequences by random keys, and for each region the one before it in its image or None."""
    image = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    key = torch.rand(len(image), generator=torch.Generator().manual_seed(seed))
    before = [None] * len(image)
    for one in range(len(counts)):
        mine = [region for region in key.argsort().tolist() if image[region] == one]
        for earlier, later in itertools.pairwise(mine):
            before[later] = earlier
    return Sequences.of(image, key), before


def trees(counts):
    """Random binary trees, and for each region its parent or None."""
    left, right, _ = children(counts)
    above = {int(child): parent for side in (left, right) for parent, child in enumerate(side) if child >= 0}
    return forest(counts), [above.get(region) for region in range(sum(counts))]


orders = pytest.mark.parametrize("arranged", [chains, trees])


@orders
@pytest.mark.parametrize("training", [True, False])
def test_answer_and_gradients_are_those_of_the_equations(arranged, training):
    module, (order, before) = decoder().train(training), arranged(COUNTS)
    regions = make(COUNTS)[0].regions
    regions.labels[::3] = 0
    features = torch.randn(REGIONS, WIDTH, requires_grad=True)
    logits, labels = module(features, regions, order)
    slow_logits, slow_labels = decode_slowly(module, features, regions.labels, before)
    assert_close(logits, slow_logits)
    assert torch.equal(labels, slow_labels)
    wanted = [features, *module.parameters()]
    fast, slow = (torch.autograd.grad(each.pow(2).sum(), wanted) for each in (logits, slow_logits))
    assert_close(fast, slow, rtol=1e-4, atol=1e-5)


@orders
@pytest.mark.parametrize("training", [True, False])
def test_projecting_at_every_step_is_the_same_and_only_slower(arranged, training):
    module, (order, _) = decoder().train(training), arranged(COUNTS)
    regions, features = make(COUNTS)[0].regions, torch.randn(REGIONS, WIDTH)
    assert_close(module(features, regions, order), StepByStep(module)(features, regions, order))


@orders
def test_gradients_are_the_limits_of_differences(arranged):
    module, (order, _) = decoder().double().train(), arranged([3, 1])
    regions = make([3, 1])[0].regions
    features = torch.randn(4, WIDTH, dtype=torch.double, requires_grad=True)
    wanted = (features, *module.parameters())
    assert torch.autograd.gradcheck(lambda x, *_: module(x, regions, order)[0], wanted, fast_mode=True)


@orders
def test_training_hands_on_true_names_where_they_are_known(arranged):
    regions = make(COUNTS)[0].regions
    regions.labels[0] = 0
    labels = decoder().train()(torch.randn(REGIONS, WIDTH), regions, arranged(COUNTS)[0])[1]
    assert torch.equal(labels[1:], regions.labels[1:])
    assert labels[0] > 0


@orders
@pytest.mark.parametrize("counts", [[0, 0], [1], [0, 1]])
def test_no_region_or_one(arranged, counts):
    module, (order, before) = decoder().eval(), arranged(counts)
    regions, features = make(counts)[0].regions, torch.randn(sum(counts), WIDTH)
    logits, labels = module(features, regions, order)
    assert logits.shape == (sum(counts), CLASSES)
    assert labels.shape == (sum(counts),)
    if sum(counts):
        assert_close(logits, decode_slowly(module, features, regions.labels, before)[0])


def test_dropout_takes_the_same_entries_from_all_regions_of_an_image():
    module, (order, _) = decoder(0.5).train(), chains([4, 3])
    heard = []
    module.out.register_forward_pre_hook(lambda _, given: heard.append(given[0].detach()))
    torch.manual_seed(3)
    module(torch.randn(7, WIDTH), make([4, 3])[0].regions, order)
    dropped = torch.cat(heard[1:])[order.inverse] == 0
    assert torch.equal(dropped[:4], dropped[:1].expand(4, -1))
    assert torch.equal(dropped[4:], dropped[4:5].expand(3, -1))
    assert dropped.any() and not dropped.all()


def test_a_new_cell_remembers():
    assert decoder().inputs.bias.view(6, -1).mean(dim=1).tolist() == [0, 0, 1, 0, 0, 0]
