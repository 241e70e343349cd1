"""How two boxes lie to each other, in numbers without a unit."""

import torch
from jaxtyping import Float
from torch import Tensor

GEOMETRY = 29
"""numbers for each pair"""
LEAST_SIDE = 1e-3
"""a box counts as no thinner than this share of its pair's diagonal, so that a point or a line has finite ratios"""
LEAST_DIAGONAL = 1e-6
"""pixels; the diagonal of two boxes that are one point"""
BOUND = 5.0
"""numbers are clipped to -5..5"""


def pair_geometry(
    subjects: Float[Tensor, "pairs 4"], objects: Float[Tensor, "pairs 4"]
) -> Float[Tensor, "pairs geometry"]:
    """`GEOMETRY` numbers of each pair of boxes xyxy: the same wherever the pair stands and however large it is.

    Along each axis: from centre to centre in sides of the subject, of the object, of both (the fourth root of the
    product of both areas) and of the union box; logarithms of object's side over subject's, of each side over the
    union box's; what both share (below 0: how far they are apart) in sides of both and of the smaller; from the
    subject's start to the object's start, and from end to end, in sides of both.
    For each pair: logarithms of both boxes' width over height; the intersection's share of the subject, of the object
    and of both; from the top of each box to the bottom of the other, in heights of the first.
    """
    start, end = torch.minimum(subjects[:, :2], objects[:, :2]), torch.maximum(subjects[:, 2:], objects[:, 2:])
    least = LEAST_SIDE * (end - start).norm(dim=1, keepdim=True).clamp(min=LEAST_DIAGONAL)
    first, second, union = (
        torch.maximum(sides, least) for sides in (subjects[:, 2:] - subjects[:, :2], objects[:, 2:] - objects[:, :2],
                                                  end - start)
    )  # fmt: skip
    offset = (objects[:, :2] + objects[:, 2:] - subjects[:, :2] - subjects[:, 2:]) / 2
    shared = torch.minimum(subjects[:, 2:], objects[:, 2:]) - torch.maximum(subjects[:, :2], objects[:, :2])
    common = shared.clamp(min=0).prod(dim=1, keepdim=True)
    areas = [sides.prod(dim=1, keepdim=True) for sides in (first, second)]
    both = (areas[0] * areas[1]) ** 0.25
    numbers = [
        *(offset / sides for sides in (first, second, both, union)),
        (second / first).log(),
        (first / union).log(),
        (second / union).log(),
        shared / both,
        shared / torch.minimum(first, second),
        (objects[:, :2] - subjects[:, :2]) / both,
        (objects[:, 2:] - subjects[:, 2:]) / both,
        *((sides[:, :1] / sides[:, 1:]).log() for sides in (first, second)),
        *(common / area for area in (*areas, areas[0] + areas[1] - common)),
        (subjects[:, 3:] - objects[:, 1:2]) / second[:, 1:],
        (objects[:, 3:] - subjects[:, 1:2]) / first[:, 1:],
    ]
    return torch.cat(numbers, dim=1).clamp(-BOUND, BOUND)
