import torch
from torch import Generator

from segsg.kernels.draws import balanced, some

LABELS = torch.tensor([0, 3, -1, 0, 1, 0, 2, -1, 0, 0])


def drawn(count, positive_fraction, seed=0, labels=LABELS):
    shares = {"count": count, "positive_fraction": positive_fraction}
    return balanced(labels, generator=Generator().manual_seed(seed), **shares)


def test_positives_have_their_share_at_most_and_zeros_the_rest():
    found = drawn(5, 0.4)
    assert found.tolist() == sorted(set(found.tolist()))
    assert (LABELS[found] > 0).sum() == 2 and (LABELS[found] == 0).sum() == 3


def test_room_that_positives_leave_goes_to_zeros_and_not_the_other_way():
    assert (LABELS[drawn(9, 0.9)] > 0).sum() == 3 and (LABELS[drawn(9, 0.9)] == 0).sum() == 5
    assert drawn(4, 0.5, labels=torch.tensor([0, 1, 1, 1])).tolist()[0] == 0
    assert len(drawn(4, 0.5, labels=torch.tensor([0, 1, 1, 1]))) == 3


def test_labels_below_zero_are_never_drawn():
    assert not (LABELS[drawn(100, 0.5)] < 0).any()


def test_every_place_is_as_likely_as_any_other():
    counts = torch.zeros(5)
    generator = Generator().manual_seed(0)
    for _ in range(2000):
        counts[some(torch.arange(5), 2, generator)] += 1
    assert ((counts / 2000 - 0.4).abs() < 0.05).all()


def test_nothing_to_draw_from():
    assert drawn(5, 0.5, labels=torch.zeros(0)).shape == (0,)
