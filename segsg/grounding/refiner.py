"""The pixel refiner: transferred masks that follow the photo.

A mask head learns blurred averages of its classes, and a transferred mask inherits them. The pixel refiner corrects a
transferred mask by what the photo shows in its box. It knows no class, so that it serves every scene-graph class, and
learns from mask-set images alone. It is not the refinement of eq. 8 and 9, which reads the object context and no pixel.
"""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from segsg.detection.detector import DEVIATION, MEAN, frozen
from segsg.detection.heads import CROP_SIDE, jitter, mask_targets
from segsg.grounding.contact import MARGIN, meet
from segsg.grounding.segmenter import CERTAIN, Segmenter
from segsg.kernels.boxes import all_pairs, contact_frames
from segsg.kernels.claims import largest_claims
from segsg.kernels.colours import Binned, evidence
from segsg.kernels.masks import coverage
from segsg.kernels.roi_align import roi_align
from segsg.structures import MASK_SIDE, Batch, Domain, Look, Mean, Regions, Task

PIXEL_SIDE = 2 * MASK_SIDE
"""pixels along a side of the part of a photo that lies in a box"""
AROUND = 0.25
"""share of a box's width and height by which its surroundings reach beyond it, on each side"""


def transferred(
    regions: Regions, segmenter: Segmenter
) -> tuple[Float[Tensor, "regions 28 28"], Bool[Tensor, "regions"]]:
    """The mask logits that each region is expected to have, and whether any class that it may be of has a mask.

    The mean over the detector's belief of the logits of eq. 4, among classes that have a mask. Where a class is
    certain, these are its logits.
    """
    belief = regions.class_probabilities.float() * segmenter.known
    share = belief.sum(dim=1)
    weights = (belief / share.clamp(min=1e-6)[:, None]) @ segmenter.transfer
    return torch.einsum("rc,rchw->rhw", weights, regions.mask_logits.float()), share > 0


def to_the_border(photos: UInt8[Tensor, "images 3 h w"], sizes: list[tuple[int, int]]) -> UInt8[Tensor, "images 3 h w"]:
    """Photos whose padding repeats their last row and column, so that no crop sees how far they were padded."""
    h, w = photos.shape[2:]
    rows, columns = torch.arange(h, device=photos.device), torch.arange(w, device=photos.device)
    parts = (
        photo[:, rows.clamp(max=height - 1)][:, :, columns.clamp(max=width - 1)]
        for photo, (height, width) in zip(photos, sizes, strict=True)
    )
    return torch.stack(list(parts))


def colours(
    photos: Float[Tensor, "images 3 h w"], boxes: Float[Tensor, "regions 4"], image: Int[Tensor, "regions"]
) -> Float[Tensor, "regions 3 56 56"]:
    """The pixels in each box, in the unit of the photos; `image` is the index of each box's photo."""
    return roi_align(photos, boxes, image, PIXEL_SIDE, 1.0)


def surroundings(photos: Float[Tensor, "images 3 h w"], regions: Regions) -> Float[Tensor, "regions bins"]:
    """Histogram of the colours around each box: in the photo and in a box that is larger by `AROUND` on each side.

    Photos have values from 0 to 255.
    """
    margin = AROUND * (regions.boxes[:, 2:] - regions.boxes[:, :2])
    wide = torch.cat([regions.boxes[:, :2] - margin, regions.boxes[:, 2:] + margin], dim=1)
    photo = regions.boxes.new_tensor([(0, 0, w, h) for h, w in regions.sizes]).view(-1, 4)[regions.image]
    inside, own = coverage(torch.stack([photo, regions.boxes], dim=1), wide, PIXEL_SIDE).unbind(dim=1)
    return Binned.of(colours(photos, wide, regions.image) / 255).histogram((inside - own).clamp(min=0))


def normalised(seen: Float[Tensor, "regions 3 h w"]) -> Float[Tensor, "regions 3 h w"]:
    """Pixels as backbones see them."""
    mean, deviation = (seen.new_tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    return (seen - mean) / deviation


def colour_distances(
    seen: Float[Tensor, "regions 3 h w"], masks: Float[Tensor, "regions h w"]
) -> Float[Tensor, "regions 6 h w"]:
    """How far each cell's colour is from the mean colour of the mask, and from that of the rest of the box."""
    distances = []
    for weights in (masks, 1 - masks):
        total = weights.sum(dim=(1, 2)).clamp(min=1e-3)
        mean = (seen * weights[:, None]).sum(dim=(2, 3)) / total[:, None]
        distances.append((seen - mean[:, :, None, None]).abs())
    return torch.cat(distances, dim=1)


class GridAttention(nn.Module):
    """Adds to each cell what the whole box says: every 2 x 2 block of cells attends to all blocks, with one head."""

    def __init__(self, width: int):
        super().__init__()
        self.asked, self.keys = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)
        self.values, self.out = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)

    def forward(self, cells: Float[Tensor, "regions width h w"]) -> Float[Tensor, "regions width h w"]:
        blocks = F.avg_pool2d(cells, 2)
        parts = (part(blocks).permute(0, 2, 3, 1) for part in (self.asked, self.keys, self.values))
        asked, keys, values = (part.flatten(1, 2) for part in parts)
        heard = F.scaled_dot_product_attention(asked, keys, values).mT.unflatten(2, blocks.shape[2:])
        return cells + F.interpolate(self.out(heard), scale_factor=2.0, mode="nearest")


class PixelRefiner(nn.Module):
    """A residual for one mask logit per cell, from pixels, feature maps, mask logits and the other regions' masks.

    `channels` are those of the feature maps, `mask_classes` those of the mask head. The same weights refine `passes`
    times: each pass sees the masks before it. The last layer is zero, so that an untrained refiner changes nothing.
    """

    def __init__(self, *, channels: int, mask_classes: int, width: int, passes: int):
        super().__init__()
        self.passes = passes
        self.features, self.head = nn.Conv2d(channels, width, 1), nn.Conv2d(mask_classes, width, 1)
        self.pixels = nn.Conv2d(3 * (PIXEL_SIDE // MASK_SIDE) ** 2, width, 3, padding=1)
        self.masks = nn.Conv2d(1 + 1 + 6 + 5, width, 3, padding=1)  # mask, claims, distances and evidence of colours
        self.near = nn.Sequential(_convolution(width, 1), nn.ReLU(), _convolution(width, 1), nn.ReLU())
        self.whole = GridAttention(width)
        self.far = nn.Sequential(nn.ReLU(), _convolution(width, 2), nn.ReLU(), _convolution(width, 4), nn.ReLU())
        self.residual = nn.Conv2d(width, 1, 1)
        nn.init.zeros_(self.residual.weight)
        nn.init.zeros_(self.residual.bias)
        self.to(memory_format=torch.channels_last)  # half the time on processors

    def forward(
        self, logits: Float[Tensor, "regions 28 28"], look: Look, photos: UInt8[Tensor, "images 3 h w"]
    ) -> Float[Tensor, "regions 28 28"]:
        """Refined mask logits of the regions of `look`, from `logits`, the transferred ones, and the photos it saw."""
        return self.each_pass(logits, look, photos)[-1]

    def each_pass(
        self, logits: Float[Tensor, "regions 28 28"], look: Look, photos: UInt8[Tensor, "images 3 h w"]
    ) -> list[Float[Tensor, "regions 28 28"]]:
        """The mask logits after each pass. What a pass sees of the masks before it is given: it has no gradient."""
        regions, whole = look.regions, to_the_border(photos, look.regions.sizes).float()
        around, seen = surroundings(whole, regions), colours(whole, regions.boxes, regions.image)
        binned, seen = Binned.of(seen / 255), normalised(seen)
        crops = F.interpolate(self.features(look.region_crops(CROP_SIDE)), scale_factor=2.0, mode="nearest")
        given = crops + self.head(regions.mask_logits.float()) + self.pixels(_folded(seen))
        of_cells, passes = F.avg_pool2d(seen, 2), []
        for _ in range(self.passes):
            masks = logits.detach().sigmoid()
            claims = largest_claims(masks, regions.boxes, regions.image)
            fine = (each.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2) for each in (masks, claims))
            said = F.avg_pool2d(evidence(binned, *fine, around), 2)
            own = [torch.stack([2 * masks - 1, claims], dim=1), colour_distances(of_cells, masks), said]
            cells = self.near((given + self.masks(torch.cat(own, dim=1))).relu())
            logits = logits + self.residual(self.far(self.whole(cells)))[:, 0].float()
            passes.append(logits)
        return passes


def _folded(seen: Float[Tensor, "regions 3 56 56"]) -> Float[Tensor, "regions 12 28 28"]:
    """The 2 x 2 pixels of each cell as channels; PyTorch's own pixel_unshuffle gets an empty batch wrong."""
    blocks = seen.unflatten(3, (MASK_SIDE, -1)).unflatten(2, (MASK_SIDE, -1))
    return blocks.permute(0, 1, 3, 5, 2, 4).flatten(1, 3)


def _convolution(width: int, dilation: int) -> nn.Conv2d:
    """A 3 x 3 convolution that keeps the number of cells."""
    return nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)


class PixelRefinedDetector(nn.Module):
    """A frozen detector whose masks are transferred and refined ones: one channel for each region, whatever its class.

    `segmenter` knows the transfer to the classes of the images that are looked at; `detector` and `refiner` are
    frozen. A region that can be of no class with a mask has an empty one. Everything else is `detector`'s.
    """

    def __init__(self, detector: nn.Module, segmenter: Segmenter, refiner: PixelRefiner):
        super().__init__()
        self.detector, self.segmenter, self.refiner = detector, segmenter, refiner.requires_grad_(False)
        self.channels = detector.channels

    def look(self, batch: Batch, task: Task, domain: Domain = "graph", *, masks: bool = True) -> Look:
        """The frozen detector's look with refined masks as logits. ValueError if it has no mask head."""
        look = self.detector.look(batch, task, domain, masks=masks)
        if not masks:
            return look
        if look.regions.mask_logits is None:
            raise ValueError("this detector has no mask head; train it jointly (joint: true) to refine its masks")
        with frozen(self), torch.autocast(batch.images.device.type, enabled=False):
            logits, known = transferred(look.regions, self.segmenter)
            refined = self.refiner(logits, look, batch.images)
            refined = torch.where(known[:, None, None], refined, -CERTAIN)
        return replace(look, regions=replace(look.regions, mask_logits=refined[:, None]))


class RefinerTraining(nn.Module):
    """A pixel refiner that learns on mask-set images: a frozen detector's masks of the true classes become true masks.

    Boxes are jittered, as detections will be. What edges see of masks is where two boxes meet, so errors count once in
    their boxes and once more in contact frames. Only `refiner` is trained and saved.
    """

    def __init__(self, detector: nn.Module, refiner: PixelRefiner):
        super().__init__()
        self.detector, self.refiner = detector, refiner

    def mask_losses(self, batch: Batch) -> dict[str, Mean]:
        """Cross-entropy of refined masks, per cell: `pixels` in boxes, `contact` in the contact frames of all pairs.

        Each is a mean over passes.
        """
        moved = zip(batch.boxes, batch.sizes, batch.generators(), strict=True)
        batch = replace(batch, boxes=[jitter(*of_image) for of_image in moved])
        look = self.detector.look(batch, "predcls", "mask")
        regions = look.regions
        truth = torch.cat([torch.arange(count, device=regions.image.device) for count in regions.counts()])
        targets = mask_targets(batch, regions.boxes, regions.image, truth)
        logits = regions.mask_logits[torch.arange(len(regions)), regions.labels - 1]
        refined = torch.stack(self.refiner.each_pass(logits, look, batch.images), dim=1)
        each = F.binary_cross_entropy_with_logits(refined, targets[:, None].expand_as(refined), reduction="none")
        errors = each.mean(dim=1)
        met = in_contact(errors, regions.boxes, regions.image)
        return {"pixels": Mean(errors.sum(), errors.numel()), "contact": Mean(met.sum(), met.numel())}


def in_contact(
    cells: Float[Tensor, "regions 28 28"], boxes: Float[Tensor, "regions 4"], image: Int[Tensor, "regions"]
) -> Float[Tensor, "pairs 2 28 28"]:
    """What both regions of each pair have in the pair's contact frame; only pairs that have one, each pair once."""
    pairs = all_pairs(image)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    _, is_frame = contact_frames(*boxes[pairs].unbind(1), MARGIN)
    return meet(cells[:, None], boxes, pairs[is_frame], MASK_SIDE)
