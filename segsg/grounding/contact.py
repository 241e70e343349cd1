"""Edges that also see where two boxes meet: the contact frame, beside eq. 6 (docs/method.md).

In the union box of a pair a contact is a cell or two, and the product of eq. 6 says that masks meet but not which side
is whose. The contact frame holds the place where the boxes meet and nothing else, and both masks stay apart in it.
`WithContact` gives the masks, `ContactEncoder` reads them; each works with the other alone.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from segsg.grounding.edges import Masks, OfPairs, PairMasks
from segsg.grounding.segmenter import AllClasses, MixedClasses
from segsg.kernels.boxes import contact_frames
from segsg.kernels.masks import resample
from segsg.models.extractor import CropEncoder, PairChunk, fold, folded
from segsg.structures import Regions

MARGIN = 2.0
"""pixels of the network's input by which each box is grown, so that boxes that only touch have a frame"""
ROLES = 2
"""channels in a contact frame: the subject's mask, the object's mask"""


def meet(
    masks: Float[Tensor, "regions 1 h w"], boxes: Float[Tensor, "regions 4"], pairs: Int[Tensor, "pairs 2"], side: int
) -> Float[Tensor, "pairs 2 side side"]:
    """Both masks of each pair in its contact frame, in the order of the pair; zero where the boxes lie apart."""
    frames, is_frame = contact_frames(*boxes[pairs].unbind(1), MARGIN)
    both = [resample(masks.index_select(0, role), boxes[role], frames, side) for role in pairs.unbind(1)]
    return torch.cat(both, dim=1) * is_frame[:, None, None, None]


class WithContact(nn.Module):
    """The masks of eq. 6, and after them both masks of a pair in its contact frame, subject first.

    `united` makes the masks of eq. 6, and `channels` knows which mask the detector expects of a region: the contact
    frame shows that one alone.
    """

    def __init__(self, united: PairMasks, channels: AllClasses | MixedClasses):
        super().__init__()
        self.united = united
        self.believed = channels.believed  # a method alone: weights of `channels` stay parts of the extractor

    def prepare(self, masks: Masks, regions: Regions) -> Callable[[PairChunk], OfPairs]:
        """A function of a chunk of pairs that returns their masks: channels in the union box, then `ROLES` more."""
        united, believed = self.united.prepare(masks, regions), self.believed(masks, regions)

        def of_chunk(chunk: PairChunk) -> Tensor:
            both = meet(believed, regions.boxes, chunk.unordered, chunk.side)
            is_turned = (chunk.pairs[:, 0] != chunk.unordered[chunk.row, 0]).long()
            roles = torch.stack([is_turned, 1 - is_turned], dim=1)
            return torch.cat([united(chunk), both[chunk.row[:, None], roles]], dim=1)

        return of_chunk

    def meeting(self, masks: Masks, regions: Regions, pairs: Int[Tensor, "pairs 2"]) -> OfPairs | None:
        """The masks of eq. 6 of a few pairs, in the frames of their union boxes; None if they lie elsewhere."""
        return self.united.meeting(masks, regions, pairs)

    def steps(self, masks: Masks, regions: Regions, pair: Int[Tensor, "1 2"]) -> dict[str, Tensor]:
        """Eq. 6 step by step for one pair."""
        return self.united.steps(masks, regions, pair)

    def class_kernels(self) -> Float[Tensor, "classes side side"] | None:
        """The kernel of a region that certainly is of a class, class by class; None without kernels of regions."""
        return self.united.class_kernels()


class ContactEncoder(CropEncoder):
    """f_E of eq. 7 with a convolution of its own for the contact frame, whose last `ROLES` mask channels it takes.

    Crop and masks of the union box are fused as ever. The dense layers see the result, and beside it half as many
    channels from the contact frame: cells of the two frames are different places, so they are never added up.
    """

    def __init__(self, *, side: int, mask_side: int, width: int, dense: int, **sizes: int):
        super().__init__(side=side, mask_side=mask_side, width=width, dense=dense, **sizes)
        self.mask_channels += ROLES
        seen = (width + 1) // 2
        self.contact = nn.Conv2d(ROLES * folded(side, mask_side), seen, 3, padding=1)
        self.dense[1] = nn.Linear((width + seen) * side**2, dense)

    def forward(
        self,
        crops: Float[Tensor, "n channels side side"],
        rows: Int[Tensor, "m"],
        masks: Float[Tensor, "m mask_channels mask_side mask_side"],
    ) -> Float[Tensor, "m out"]:
        """Vector k from crop `rows[k]` and the mask channels `masks[k]`, those of the contact frame last."""
        fused = self.fusion(crops, rows, masks[:, :-ROLES])
        contact = self.contact(fold(masks[:, -ROLES:], self.side)).relu_()
        return self.dense(torch.cat([fused, contact], dim=1))
