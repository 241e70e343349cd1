"""Optimizers by name."""

from collections.abc import Callable

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

MOMENTUM = 0.9


def groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """Trainable parameters in two groups: weights, which decay, and biases, norms and tables' scales, which do not."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]


def adamw(model: nn.Module, learning_rate: float, weight_decay: float) -> Optimizer:
    return AdamW(groups(model, weight_decay), lr=learning_rate, fused=True)


def sgd(model: nn.Module, learning_rate: float, weight_decay: float) -> Optimizer:
    return SGD(groups(model, weight_decay), lr=learning_rate, momentum=MOMENTUM)


OPTIMIZERS: dict[str, Callable[[nn.Module, float, float], torch.optim.Optimizer]] = {"adamw": adamw, "sgd": sgd}
