"""Labels of regions as vectors, and names for regions: what a context model knows and decides about classes."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.kernels.boxes import position_code
from segsg.models.frequency import given
from segsg.models.sequences import Sequences
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


class GivenLabels(nn.Module):
    """PredCls: the labels are known."""

    def __init__(self, classes: int):
        super().__init__()
        self.classes = classes

    def forward(self, features: Tensor, regions: Regions, order: Sequences) -> tuple[Tensor, Tensor]:
        return given(regions.labels, self.classes), regions.labels


class GreedyDecoder(nn.Module):
    """SGCls, SGDet: a recurrent cell names the regions of an image one after the other, each knowing the last name.

    While training, the name handed on is the true one (teacher forcing), or the best guess where a detection
    matches nothing; it is also what the edge context and the frequency bias see.
    """

    def __init__(self, width: int, vectors: Float[Tensor, "classes words"], hidden: int, dropout: float):
        super().__init__()
        classes, words = vectors.shape
        self.names = Labels(torch.cat([vectors, vectors.new_zeros(1, words)]))
        self.start = classes
        self.cell = nn.LSTMCell(width + words, hidden)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, classes)

    def forward(self, features: Tensor, regions: Regions, order: Sequences) -> tuple[Tensor, Tensor]:
        """Object logits `[regions, classes]` and labels `[regions]` (never background)."""
        steps, logits, labels = order.steps(), [], []
        images = len(steps[0]) if steps else 0
        state = (features.new_zeros(images, self.cell.hidden_size),) * 2
        keep = self.dropout(features.new_ones(images, self.cell.hidden_size))
        previous = torch.full((images,), self.start, device=features.device)
        for step in steps:
            x = torch.cat([features[step], self.names(previous[: len(step)])], dim=1)
            hidden, cell = self.cell(x, (state[0][: len(step)], state[1][: len(step)]))
            state = (hidden * keep[: len(step)], cell)
            logits.append(self.out(state[0]))
            previous = self._names(logits[-1], regions.labels[step])
            labels.append(previous)
        if not steps:
            return features.new_zeros(0, self.start), regions.labels
        return torch.cat(logits)[order.inverse], torch.cat(labels)[order.inverse]

    def _names(self, logits: Tensor, truth: Tensor) -> Tensor:
        guess = logits[:, 1:].argmax(dim=1) + 1
        return torch.where(truth > 0, truth, guess) if self.training else guess
