"""Neural Motifs (Zellers et al. 2018): bidirectional LSTMs over the regions of an image, from right to left."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from segsg.models.parts import Labels, Materials, ObjectsThenEdges, known_or_best, objects_then_edges
from segsg.structures import Regions


@dataclass(frozen=True)
class Sequences:
    """`index[k]` is the region at place k of the packed data: step after step, longest image first in each step.

    `sizes[t]` images have a region at step t; `inverse` undoes `index`.
    """

    index: Int[Tensor, "regions"]
    inverse: Int[Tensor, "regions"]
    sizes: Int[Tensor, "steps"]

    @classmethod
    def of(cls, image: Int[Tensor, "regions"], key: Float[Tensor, "regions"]) -> "Sequences":
        """Regions of each image by increasing `key`; equal keys keep the order of the regions."""
        by_key = key.argsort(stable=True)
        by_image = by_key[image[by_key].argsort(stable=True)]
        lengths = torch.bincount(image)
        start = lengths.cumsum(0) - lengths
        step = torch.arange(len(image), device=image.device) - start[image[by_image]]
        rank = torch.empty_like(lengths)
        rank[lengths.argsort(descending=True, stable=True)] = torch.arange(len(lengths), device=image.device)
        place = (step * len(lengths) + rank[image[by_image]]).argsort()
        index = by_image[place]
        return cls(index, index.argsort(), torch.bincount(step).cpu())

    def pack(self, x: Float[Tensor, "regions width"]) -> PackedSequence:
        return PackedSequence(x[self.index], self.sizes)

    def unpack(self, packed: PackedSequence) -> Float[Tensor, "regions width"]:
        return packed.data[self.inverse]

    def steps(self) -> list[Int[Tensor, "images"]]:
        """Indices of the regions at each step of the sequences; entry k is of the same image in every step."""
        return list(self.index.split(self.sizes.tolist()))


class RightToLeft(nn.Module):
    """The regions of an image by descending centre along x, the order of the paper's Motifs."""

    def forward(self, nodes: Tensor, words: Tensor, regions: Regions) -> tuple[Sequences, None]:
        return Sequences.of(regions.image, -(regions.boxes[:, 0] + regions.boxes[:, 2])), None


class BidirectionalContext(nn.Module):
    """One bidirectional LSTM layer over each image's regions, brought back to one width."""

    def __init__(self, width: int, hidden: int, dropout: float):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(width, hidden, bidirectional=True)
        self.out = nn.Linear(2 * hidden, hidden)

    def forward(self, x: Float[Tensor, "regions width"], order: Sequences) -> Float[Tensor, "regions hidden"]:
        if len(x) == 0:
            return x.new_zeros(0, self.out.out_features)
        packed, _ = self.lstm(order.pack(self.dropout(x)))
        return self.out(order.unpack(packed))


class GreedyDecoder(nn.Module):
    """Names the regions of an image one after the other with a recurrent cell that sees the last name (SGCls, SGDet).

    While training, the name handed on is the true one (teacher forcing), or the best guess where a detection
    matches nothing; it is also what the edge context and the frequency bias see. Neural Motifs, section 4.2.
    """

    def __init__(self, width: int, vectors: Float[Tensor, "classes words"], *, hidden: int, dropout: float):
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
            previous = known_or_best(logits[-1], regions.labels[step], self.training)
            labels.append(previous)
        if not steps:
            return features.new_zeros(0, self.start), regions.labels
        return torch.cat(logits)[order.inverse], torch.cat(labels)[order.inverse]


def context(given: Materials) -> ObjectsThenEdges:
    """Neural Motifs."""

    def layer(width: int) -> BidirectionalContext:
        return BidirectionalContext(width, given.hidden, given.dropout)

    def decoder(width: int) -> GreedyDecoder:
        return GreedyDecoder(width, given.vectors, hidden=given.hidden, dropout=given.dropout)

    return objects_then_edges(given, arrange=RightToLeft(), objects=layer, decoder=decoder, edges=layer)
