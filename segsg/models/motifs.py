"""Neural Motifs (Zellers et al. 2018): bidirectional LSTMs over the regions of an image, from right to left."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from segsg.kernels.lstm import both_ways
from segsg.models.decoder import HighwayDecoder
from segsg.models.parts import Materials, ObjectsThenEdges, objects_then_edges
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

    @property
    def levels(self) -> list[Int[Tensor, "_"]]:
        """Indices of the regions at each step of the sequences; entry k is of the same image in every step."""
        return list(self.index.split(self.sizes.tolist()))

    @property
    def parents(self) -> list[Int[Tensor, "_"]]:
        """For each region of a step the place of the one before it in its image, in that step; 0 at the first step."""
        places = torch.arange(int(self.sizes[0]) if len(self.sizes) else 0, device=self.index.device)
        return [places[:size] * (step > 0) for step, size in enumerate(self.sizes.tolist())]


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
        return self.out(both_ways(self.lstm, order.pack(self.dropout(x)))[order.inverse])


def context(given: Materials) -> ObjectsThenEdges:
    """Neural Motifs."""

    def layer(width: int) -> BidirectionalContext:
        return BidirectionalContext(width, given.hidden, given.input_dropout)

    def decoder(width: int) -> HighwayDecoder:
        return HighwayDecoder(width, given.vectors, hidden=given.hidden, dropout=given.dropout)

    return objects_then_edges(given, arrange=RightToLeft(), objects=layer, decoder=decoder, edges=layer)
