"""Labels of regions as vectors, and names for regions: what a context model knows and decides about classes."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.kernels.boxes import position_code
from segsg.models.frequency import given
from segsg.structures import Regions


class Labels(nn.Module):
    """A trainable vector for each class, started from word vectors where they have the same width."""

    def __init__(self, vectors: Float[Tensor, "classes words"]):
        super().__init__()
        self.width = vectors.shape[1]
        self.table = nn.Parameter(vectors.clone())

    def forward(self, labels: Int[Tensor, "regions"]) -> Float[Tensor, "regions words"]:
        return self.table[labels]


class SoftLabels(Labels):
    """The mean of the class vectors under what the detector believes."""

    def forward(self, probabilities: Float[Tensor, "regions classes"]) -> Float[Tensor, "regions words"]:
        return probabilities @ self.table


class RegionEmbedding(nn.Module):
    """Node vector, label vector and position code of each region, side by side: the input of every context model."""

    def __init__(self, node_width: int, words: int, position: int):
        super().__init__()
        self.node_width = node_width
        self.width = node_width + words + position
        self.position = nn.Sequential(nn.Linear(9, 32), nn.LayerNorm(32), nn.Linear(32, position), nn.ReLU())

    def forward(self, nodes: Tensor, words: Tensor, regions: Regions) -> Float[Tensor, "regions width"]:
        code = position_code(regions.boxes, regions.sizes, regions.image)
        return torch.cat([nodes, words, self.position(code)], dim=1)


def known_or_best(
    logits: Float[Tensor, "regions classes"], truth: Int[Tensor, "regions"], training: bool
) -> Int[Tensor, "regions"]:
    """Names that later steps rely on: in training the true ones where known, otherwise the best, never background."""
    guess = logits[:, 1:].argmax(dim=1) + 1
    return torch.where(truth > 0, truth, guess) if training else guess


class GivenLabels(nn.Module):
    """PredCls: the labels are known."""

    def __init__(self, classes: int):
        super().__init__()
        self.classes = classes

    def forward(self, features: Tensor, regions: Regions, arrangement=None) -> tuple[Tensor, Tensor]:
        return given(regions.labels, self.classes), regions.labels


class Classifier(nn.Module):
    """SGCls, SGDet: every region is named for itself, from features that already know the others."""

    def __init__(self, width: int, classes: int):
        super().__init__()
        self.out = nn.Linear(width, classes)

    def forward(self, features: Tensor, regions: Regions, arrangement=None) -> tuple[Tensor, Tensor]:
        """Object logits `[regions, classes]` and labels `[regions]` (never background)."""
        logits = self.out(features)
        return logits, known_or_best(logits, regions.labels, self.training)
