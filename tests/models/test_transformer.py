"""The attention context beyond what every context model is tested for."""

import pytest
import torch
from torch.testing import assert_close

from segsg.models.parts import Padded
from segsg.models.transformer import AttentionContext


def test_dropout_and_padding_leave_gradients_finite():
    torch.manual_seed(0)
    module = AttentionContext(5, 16, dropout=0.3, layers=2).train()
    x = torch.randn(6, 5, requires_grad=True)
    module(x, Padded.of(torch.tensor([0, 2, 2, 2, 2, 5]))).pow(2).sum().backward()
    assert x.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in module.parameters())


def test_training_and_fast_evaluation_compute_the_same():
    torch.manual_seed(0)
    module, rows = AttentionContext(5, 16, dropout=0.0, layers=2), Padded.of(torch.tensor([0, 0, 0, 1]))
    x = torch.randn(4, 5)
    trained = module.train()(x, rows)
    with torch.no_grad():
        assert_close(module.eval()(x, rows), trained, rtol=1e-4, atol=1e-5)


def test_a_width_that_heads_cannot_share_is_refused():
    with pytest.raises(ValueError, match="multiple"):
        AttentionContext(5, 12, dropout=0.0, layers=1)
