"""Eq. 6 as the released code lays it out: both regions' masks copied for every pair, each copy smoothed for itself."""

from segsg.kernels.boxes import union_boxes
from segsg.kernels.masks import grown, resample, smooth


def pair_by_pair(smoothing, masks, regions, pairs):
    """m_jj' `[pairs, channels, 28, 28]` in the frames of the union boxes, with kernels of the regions' own."""
    side, copies = masks.shape[-1], []
    kernels = smoothing.kernels(regions.class_probabilities)
    unions = union_boxes(*regions.boxes[pairs].unbind(1))
    for role in pairs.unbind(1):
        wide = grown(regions.boxes[role], side, smoothing.side // 2)
        copies.append(resample(smooth(masks[role], kernels[role]), wide, unions, side))
    return copies[0] * copies[1]
