"""Scores of pairs against a loop over pairs and classes; trees from them."""

import math

import pytest
import torch
from scenes import CLASSES, make
from torch import nn
from torch.testing import assert_close

from segsg.kernels.boxes import all_pairs
from segsg.models.parts import Padded
from segsg.models.vctree import LearnedTrees, LookOfRegions, PairScores, both, related_log_odds

NODES, WORDS, HIDDEN = 5, 3, 8


def scores_module():
    torch.manual_seed(4)
    counts = torch.randint(0, 9, (CLASSES, CLASSES, 4))
    return PairScores(LookOfRegions(NODES, WORDS, HIDDEN), counts, HIDDEN)


def inputs(counts):
    regions = make(counts)[0].regions
    torch.manual_seed(5)
    return torch.randn(len(regions), NODES), torch.randn(len(regions), WORDS), regions


def test_prior_is_how_often_classes_are_related_when_seen_together():
    counts = torch.zeros(3, 3, 3, dtype=torch.long)
    counts[1, 2] = torch.tensor([10, 3, 1])
    counts[2, 1] = torch.tensor([10, 2, 0])
    counts[1, 1] = torch.tensor([8, 1, 0])
    odds = related_log_odds(counts)
    assert odds[1, 2] == odds[2, 1] == pytest.approx(math.log(7 / 5))
    assert odds[1, 1] == pytest.approx(math.log(3 / 7))
    assert odds[0, 2] == 0


def test_more_relations_than_overlapping_pairs_are_possible_and_finite():
    counts = torch.zeros(2, 2, 2, dtype=torch.long)
    counts[1, 1] = torch.tensor([1, 50])
    assert related_log_odds(counts)[1, 1] == pytest.approx(math.log(101))


def test_both_is_the_logit_of_a_product_of_probabilities():
    a, b = torch.randn(2, 50, dtype=torch.float64) * 3
    assert_close(both(a, b).sigmoid(), a.sigmoid() * b.sigmoid())
    assert torch.autograd.gradcheck(both, (a.requires_grad_(), b.requires_grad_()))
    extreme = torch.tensor([-700.0, 700.0])
    assert both(extreme, extreme).isfinite().all()


def test_scores_are_those_of_a_loop_over_pairs_and_classes():
    module = scores_module()
    nodes, words, regions = inputs([3, 0, 2])
    rows = Padded.of(regions.image)
    scores = module(nodes, words, regions, rows)
    look = module.look(nodes, words, regions)
    parents, children, classes = module.parent(look), module.child(look), regions.class_probabilities
    assert scores.shape == (2, 3, 3)
    for parent, child in all_pairs(regions.image).tolist():
        p, c = parents[parent], children[child]
        visual = (module.together * p * c).sum() + module.parent_alone(p) + module.child_alone(c)
        prior = sum(
            module.prior[a, b] * classes[parent, a] * classes[child, b] for a in range(CLASSES) for b in range(CLASSES)
        )
        found = scores[rows.row[parent], rows.column[parent], rows.column[child]]
        assert_close(found.sigmoid(), (visual.sigmoid() * prior.sigmoid()).squeeze())


def test_relatedness_follows_all_pairs_and_no_gradient_leaves_the_scores():
    trees = LearnedTrees(scores_module())
    nodes, words, regions = inputs([3, 0, 2, 1])
    nodes, words = nodes.requires_grad_(), words.requires_grad_()
    forest, relatedness = trees(nodes, words, regions)
    dense = trees.scores(nodes, words, regions, Padded.of(regions.image))
    three, two = dense[0], dense[1]
    off = [three[0, 1], three[0, 2], three[1, 0], three[1, 2], three[2, 0], three[2, 1], two[0, 1], two[1, 0]]
    assert_close(relatedness, torch.stack(off))
    relatedness.sum().backward()
    assert nodes.grad is words.grad is None
    assert len(forest.levels[0]) == 3


@pytest.mark.parametrize("counts", [[0], [1], [0, 0]])
def test_images_without_pairs(counts):
    forest, relatedness = LearnedTrees(scores_module())(*inputs(counts))
    assert relatedness.shape == (0,)
    assert len(forest.inverse) == sum(counts)


def test_first_scores_of_an_untrained_model_are_distinct():
    forest_scores = scores_module()(*(given := inputs([12])), Padded.of(given[2].image)).sigmoid()
    off = forest_scores[0][~torch.eye(12, dtype=torch.bool)]
    assert len(off.unique()) == len(off)


def test_trees_are_the_same_in_half_precision():
    trees, given = LearnedTrees(scores_module()), inputs([14, 9])
    plain, relatedness = trees(*given)
    with torch.autocast("cpu", torch.bfloat16):
        half, half_relatedness = trees(*given)
    assert [level.tolist() for level in half.levels] == [level.tolist() for level in plain.levels]
    assert torch.equal(half_relatedness, relatedness)


class Fixed(nn.Module):
    """The same logits for whatever regions."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, *given):
        return self.logits[None]


def test_what_a_region_is_worth_below_itself_makes_no_root():
    scores = Fixed([[-9.0, 2, 0], [0, 9, 0], [0, 1, 9]])
    forest, _ = LearnedTrees(scores)(*inputs([3]))
    assert [level.tolist() for level in forest.levels] == [[0], [1], [2]]
