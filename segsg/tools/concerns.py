"""What looks wrong over a whole file of predictions, although no single image breaks a rule."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from segsg.evaluation.ranks import Ranks
    from segsg.evaluation.records import Truth
    from segsg.structures import ImageGraph

LOOKED_AT = 500
"""images; enough to see that a whole file is wrong"""


@dataclass
class Concerns:
    """Signs of a wrong file that break no rule of any single image, and become plain over many of them."""

    images: int = 0
    """how many were looked at"""
    differences: Counter[int] = field(default_factory=Counter)
    """predicted label minus true label, over all predicted boxes that lie on a true one (IoU from one half in SGDet)"""
    farthest_true: float = 0.0
    """largest coordinate of any true box, in pixels"""
    farthest: float = 0.0
    """largest coordinate of any predicted box, in pixels if the file is right"""

    def add(self, truth: "Truth", graph: "ImageGraph", task: str) -> None:
        """Looks at one image and its prediction, while they are among the first."""
        from segsg.evaluation.matching import overlap

        if self.images == LOOKED_AT:
            return
        self.images += 1
        boxes, labels = graph.boxes_original.numpy(), graph.labels.numpy()
        on = overlap(truth.boxes, boxes) >= 0.5 if task == "sgdet" else np.eye(len(labels), dtype=bool)
        self.differences.update((labels[None] - truth.labels[:, None])[on].tolist())
        self.farthest_true = max(self.farthest_true, float(truth.boxes.max(initial=0)))
        self.farthest = max(self.farthest, float(boxes.max(initial=0)))

    def listed(self, task: str, ranks: "Ranks") -> list[str]:
        """One sentence for each concern."""
        listed, same, regions = [], self.differences[0], self.differences.total()
        off, times = max(((off, self.differences[off]) for off in (-1, 1)), key=lambda pair: pair[1])
        if self.differences and not same:
            listed.append("No predicted class is that of the true box it lies on. Do both files count classes alike?")
        elif times > same:
            than = "less" if off < 0 else "more"
            rule = f"More predicted classes are one {than} than that of their true box than equal to it"
            listed.append(f"{rule} ({times} against {same}). Does one of the files count from 0?")
        elif task == "predcls" and same < regions:
            rule = (
                f"{regions - same} of {regions} predicted classes differ from the true ones, which PredCls gives away"
            )
            listed.append(f"{rule}. Are the regions of both files in the same order?")
        if task == "sgdet" and self.farthest <= 1.5 < 2 < self.farthest_true:
            listed.append("All predicted boxes lie within the first pixels. Are they shares of the photo's sides?")
        elif task == "sgdet" and self.farthest and not self.differences:
            listed.append("No predicted box lies on a true one. Are both in pixels of the original photo?")
        if ranks.zero_shot is not None and not ranks.zero_shot.any():
            rule = "Are its columns subject class, predicate, object class?"
            listed.append(f"No true relation is in the list of zero-shot triplets. {rule}")
        return listed
