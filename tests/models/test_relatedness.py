"""The loss of models that say which regions are related at all."""

import torch
from scenes import FixedDetector, make, values
from torch import nn
from torch.testing import assert_close

from segsg.models.extractor import NoFeatures
from segsg.models.scene_graph import PairSampler, SceneGraphModel
from segsg.structures import Context

RELATIONS = [[(0, 1, 2), (2, 0, 4)], [], [(1, 0, 1)]]
RELATED = [1.0, 1, 1, 0, 1, 0, 1, 1]
"""Pairs (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1) of the first image, (0, 1), (1, 0) of the last."""


class Claims(nn.Module):
    """A context model with nothing to say but which regions are related."""

    def __init__(self, relatedness):
        super().__init__()
        self.relatedness = relatedness

    def forward(self, nodes, edges, pairs, regions):
        return Context(torch.zeros(len(nodes), 6), torch.zeros(len(pairs), 5), self.relatedness)


def losses(relatedness, counts=(3, 1, 2), relations=RELATIONS):
    look, batch = make(list(counts), relations=relations)
    sampler = PairSampler(2, 0.5)
    model = SceneGraphModel(
        detector=FixedDetector(look),
        extractor=NoFeatures(),
        context=Claims(relatedness),
        task="predcls",
        sampler=sampler,
    )
    return values(model.losses(batch))


def test_every_pair_counts_in_both_directions_and_every_image_with_pairs_as_one():
    logits = torch.randn(8)
    related = torch.tensor(RELATED)
    by_hand = -(related * logits.sigmoid().log() + (1 - related) * (-logits).sigmoid().log())
    assert_close(losses(logits)["relatedness"], (by_hand[:6].mean() + by_hand[6:].mean()) / 2)


def test_models_without_a_claim_have_no_such_loss():
    assert set(losses(None)) == {"predicates", "objects"}


def test_images_without_pairs_cost_nothing():
    assert losses(torch.zeros(0), (1, 0), [[], []])["relatedness"] == 0
