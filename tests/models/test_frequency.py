"""The frequency table by hand."""

import math

import torch
from scenes import make
from torch.testing import assert_close

from segsg.models.frequency import Frequency
from segsg.models.parts import FrequencyBias, given, log_frequencies


def counts():
    table = torch.zeros(3, 3, 4, dtype=torch.long)
    table[1, 2] = torch.tensor([5, 3, 1, 0])
    return table


def test_log_frequencies_by_hand():
    logs = log_frequencies(counts())
    assert_close(logs[1, 2], torch.tensor([math.log(share + 1e-3) for share in (0.6, 0.3, 0.1, 0.0)]))
    assert_close(logs[2, 1], torch.tensor([math.log(1.001)] + [math.log(1e-3)] * 3))


def test_counts_are_left_alone():
    table = counts()
    log_frequencies(table)
    assert table[1, 2, 0] == 5


def test_bias_reads_subject_then_object():
    bias = FrequencyBias(counts())
    assert_close(bias(torch.tensor([2, 1]), torch.tensor([[1, 0]]))[0], log_frequencies(counts())[1, 2])


def test_given_labels_are_certain():
    assert torch.equal(given(torch.tensor([2]), 3).softmax(dim=1), torch.tensor([[0.0, 0.0, 1.0]]))


def test_frequency_model_sees_classes_only():
    look, _ = make([2])
    model = Frequency(FrequencyBias(torch.randint(0, 9, (6, 6, 5))))
    pairs = torch.tensor([[0, 1]])
    context = model(torch.zeros(2, 0), torch.zeros(1, 0), pairs, look.regions)
    labels = look.regions.class_probabilities[:, 1:].argmax(dim=1) + 1
    assert_close(context.predicate_logits[0], model.bias.table[labels[0], labels[1]])
    assert_close(context.object_logits.softmax(dim=1), look.regions.class_probabilities)
