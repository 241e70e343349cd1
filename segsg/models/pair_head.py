"""Predicate logits of a pair from the context of its two regions and the vector of its union box."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


def unchanged(x: Tensor) -> Tensor:
    """The activation of Neural Motifs' roles: none."""
    return x


class PairHead(nn.Module):
    """Each region takes a subject's and an object's role; both roles gate the edge vector. Neural Motifs, eq. 6.

    VCTree has an `activation` after the roles.
    """

    def __init__(self, hidden: int, pooling: int, predicates: int, activation: Callable[[Tensor], Tensor] = unchanged):
        super().__init__()
        self.activation = activation
        self.roles = nn.Linear(hidden, 2 * hidden)
        self.together = nn.Linear(2 * hidden, pooling)
        self.out = nn.Linear(pooling, predicates)
        nn.init.normal_(self.roles.weight, std=10 * math.sqrt(1 / hidden))
        nn.init.zeros_(self.roles.bias)
        nn.init.xavier_normal_(self.together.weight)
        nn.init.xavier_normal_(self.out.weight)

    def forward(
        self,
        hidden: Float[Tensor, "regions hidden"],
        edges: Float[Tensor, "pairs pooling"],
        pairs: Int[Tensor, "pairs 2"],
    ) -> Float[Tensor, "pairs predicates"]:
        subjects, objects = self.activation(self.roles(hidden)).chunk(2, dim=1)
        together = self.together(torch.cat([subjects[pairs[:, 0]], objects[pairs[:, 1]]], dim=1))
        return self.out(together * edges)
