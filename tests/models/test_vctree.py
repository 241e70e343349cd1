"""The weighted parts of VCTree: encoder and decoder over trees, against recursion where there is something to recur."""

import pytest
import torch
from forests import children, forest
from scenes import CLASSES, make
from torch.testing import assert_close

from segsg.kernels.trees import down
from segsg.models.vctree import TreeContext, TreeDecoder, block_orthogonal

WIDTH, HIDDEN, WORDS = 7, 6, 3
COUNTS = [5, 0, 1, 9]


def decoder():
    torch.manual_seed(0)
    return TreeDecoder(WIDTH, torch.randn(CLASSES, WORDS), hidden=HIDDEN, dropout=0.5)


def decode_slowly(module, features, labels_known, left, right):
    """One region at a time, with the name's vector beside the features as the paper writes it."""
    above = {int(child): parent for side in (left, right) for parent, child in enumerate(side) if child >= 0}
    logits, names, states = {}, {}, {}

    def visit(region):
        if region in names:
            return
        parent, hidden, memory, name = above.get(region), torch.zeros(HIDDEN), torch.zeros(HIDDEN), CLASSES
        if parent is not None:
            visit(parent)
            (hidden, memory), name = states[parent], names[parent]
        weight = torch.cat([module.inputs.weight, module.name_inputs.weight], dim=1)
        x = weight @ torch.cat([features[region], module.names.table[name]]) + module.inputs.bias
        h, c = down(x[None], hidden[None], memory[None], module.state)
        states[region], logits[region] = (h[0], c[0]), module.out(h[0])
        known = int(labels_known[region]) if module.training else 0
        names[region] = known or int(logits[region][1:].argmax()) + 1

    for region in range(len(features)):
        visit(region)
    everyone = range(len(features))
    return torch.stack([logits[k] for k in everyone]), torch.tensor([names[k] for k in everyone])


@pytest.mark.parametrize("training", [True, False])
def test_decoder_names_from_the_root_down_as_recursion_does(training):
    module = decoder().train(training)
    module.dropout.p = 0.0
    regions = make(COUNTS)[0].regions
    regions.labels[::3] = 0
    features = torch.randn(sum(COUNTS), WIDTH)
    logits, labels = module(features, regions, forest(COUNTS))
    slow_logits, slow_labels = decode_slowly(module, features, regions.labels, *children(COUNTS)[:2])
    assert_close(logits, slow_logits)
    assert torch.equal(labels, slow_labels)
    wanted = list(module.parameters())
    fast, slow = (torch.autograd.grad(each.pow(2).sum(), wanted) for each in (logits, slow_logits))
    assert_close(fast, slow, rtol=1e-4, atol=1e-5)


def test_training_hands_down_true_names_where_they_are_known():
    regions = make(COUNTS)[0].regions
    regions.labels[0] = 0
    labels = decoder().train()(torch.randn(sum(COUNTS), WIDTH), regions, forest(COUNTS))[1]
    assert torch.equal(labels[1:], regions.labels[1:])
    assert labels[0] > 0


def test_decoder_without_regions():
    logits, labels = decoder()(torch.zeros(0, WIDTH), make([0, 0])[0].regions, forest([0, 0]))
    assert logits.shape == (0, CLASSES)
    assert labels.shape == (0,)


def test_a_new_encoder_remembers_and_keeps_lengths():
    module = TreeContext(WIDTH, HIDDEN, 0.0)
    blocks = module.inputs.weight.unflatten(0, (-1, HIDDEN // 2))
    assert_close(blocks @ blocks.transpose(1, 2), torch.eye(HIDDEN // 2).expand(13, -1, -1))
    ones = module.inputs.bias.view(13, -1).mean(dim=1)
    assert ones.tolist() == [0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0]
    assert block_orthogonal(4, 3, 2).shape == (12, 8)


def test_an_odd_width_is_refused():
    with pytest.raises(ValueError, match="even"):
        TreeContext(WIDTH, 5, 0.0)
