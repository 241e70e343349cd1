"""Which of the field's evaluation rules hold; published tables differ in them more than in their models."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Protocol:
    """Every switch of the recall family. The first four decide what is matched, the others how it is averaged."""

    depths: tuple[int, ...] = (20, 50, 100)
    """the K of R@K, ascending"""
    iou: float = 0.5
    """least overlap of both boxes; exactly this much counts"""
    pixel: float = 0.0
    """added to widths and heights before overlaps are taken: 1.0 for boxes with inclusive pixel coordinates"""
    overlapping_pairs: bool = False
    """in SGDet, only pairs of boxes that intersect compete"""
    skip_empty: bool = False
    """an image without a predicted pair is left out instead of counting 0"""
    absent: Literal["zero", "left out"] = "zero"
    """what a predicate without any true row in the whole set contributes to a mean over predicates"""
    most_boxes: int | None = None
    """images with more true boxes are left out"""

    def __post_init__(self):
        if not self.depths or list(self.depths) != sorted(set(self.depths)) or self.depths[0] < 1:
            raise ValueError(f"Protocol: depths {self.depths} must be positive, ascending and distinct")


DEFAULT = Protocol()
PAPER = Protocol(overlapping_pairs=True, most_boxes=40)
SCENE_GRAPH_BENCHMARK = Protocol(pixel=1.0)
PROTOCOLS = {"default": DEFAULT, "paper": PAPER, "scene-graph-benchmark": SCENE_GRAPH_BENCHMARK}
