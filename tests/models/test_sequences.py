"""Regions packed into one sequence per image."""

import torch
from torch import nn
from torch.testing import assert_close

from segsg.models.motifs import Sequences


def test_each_step_holds_the_next_region_of_every_image_that_has_one():
    image = torch.tensor([0, 0, 1, 1, 1, 3])
    key = torch.tensor([2.0, 1.0, 5.0, 4.0, 6.0, 0.0])
    order = Sequences.of(image, key)
    steps = [step.tolist() for step in order.levels]
    assert steps == [[3, 1, 5], [2, 0], [4]]
    assert [before.tolist() for before in order.parents] == [[0, 0, 0], [0, 1], [0]]


def test_equal_keys_keep_the_order_of_regions():
    assert Sequences.of(torch.tensor([0, 0, 0]), torch.zeros(3)).index.tolist() == [0, 1, 2]


def test_packed_recurrence_equals_one_image_at_a_time():
    torch.manual_seed(0)
    image, key, x = torch.tensor([0, 0, 0, 2, 2, 3]), torch.rand(6), torch.randn(6, 4)
    lstm = nn.LSTM(4, 3, bidirectional=True)
    order = Sequences.of(image, key)
    together = lstm(order.pack(x))[0].data[order.inverse]
    for one in (0, 2, 3):
        mine = (image == one).nonzero()[:, 0]
        mine = mine[key[mine].argsort()]
        assert_close(together[mine], lstm(x[mine])[0])


def test_no_region():
    order = Sequences.of(torch.zeros(0, dtype=torch.long), torch.zeros(0))
    assert order.levels == order.parents == [] and len(order.index) == 0
