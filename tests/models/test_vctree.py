"""The encoder of VCTree: how a new one starts, and what it refuses."""

import pytest
import torch
from torch.testing import assert_close

from segsg.models.decoder import block_orthogonal
from segsg.models.vctree import TreeContext

WIDTH, HIDDEN = 7, 6


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
