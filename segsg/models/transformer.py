"""Transformer context: every region hears from every other of its image, by self-attention."""

from jaxtyping import Float
from torch import Tensor, nn

from segsg.models.parts import Classifier, Layers, Materials, ObjectsThenEdges, Padded, objects_then_edges
from segsg.structures import Regions

HEADS = 8
OBJECT_LAYERS, EDGE_LAYERS = 4, 2
INNER = 4
"""Width inside a layer's feed-forward part, in units of `hidden`."""


class Together(nn.Module):
    """All regions of an image at once; where they are is in their position code."""

    def forward(self, nodes: Tensor, words: Tensor, regions: Regions) -> tuple[Padded, None]:
        return Padded.of(regions.image), None


class AttentionContext(nn.Module):
    """Layers of self-attention among the regions of an image, each normalised before its two parts and at the end."""

    def __init__(self, width: int, hidden: int, *, dropout: float, layers: int):
        super().__init__()
        if hidden % HEADS:
            raise ValueError(f"hidden width {hidden} cannot be shared among {HEADS} heads; make it a multiple")
        self.inputs = nn.Linear(width, hidden)
        layer = nn.TransformerEncoderLayer(
            hidden, HEADS, INNER * hidden, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, nn.LayerNorm(hidden), enable_nested_tensor=False)

    def forward(self, x: Float[Tensor, "regions width"], rows: Padded) -> Float[Tensor, "regions hidden"]:
        x = self.inputs(x)
        if len(x) == 0:
            return x
        return rows.unpad(self.layers(rows.pad(x), src_key_padding_mask=~rows.inside))


def context(given: Materials) -> ObjectsThenEdges:
    """Self-attention in the place of recurrence."""

    def layers(number: int) -> Layers:
        return lambda width: AttentionContext(width, given.hidden, dropout=given.dropout, layers=number)

    def decoder(width: int) -> Classifier:
        return Classifier(width, given.classes)

    return objects_then_edges(
        given, arrange=Together(), objects=layers(OBJECT_LAYERS), decoder=decoder, edges=layers(EDGE_LAYERS)
    )
