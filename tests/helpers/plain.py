"""The recall family written a second time: one relation, one prediction, one image after another.

Slow on purpose. Tests hold the fast evaluator against it, and tests/benchmarks measure how much faster that is.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from segsg.evaluation.protocol import Protocol
from segsg.evaluation.records import Truth
from segsg.structures import ImageGraph, Task

Candidate = tuple[float, int, int, int]
"""(-score, subject, object, predicate)"""
Box = Sequence[float]


def iou(a: Box, b: Box, pixel: float) -> float:
    """Overlap of two boxes xyxy; 1 for the same box, even without area."""
    if tuple(a) == tuple(b):
        return 1.0
    common = _common(a, b, pixel)
    area = [(c[2] - c[0] + pixel) * (c[3] - c[1] + pixel) for c in (a, b)]
    return common / (sum(area) - common) if common else 0.0


def _common(a: Box, b: Box, pixel: float) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0]) + pixel
    height = min(a[3], b[3]) - max(a[1], b[1]) + pixel
    return max(width, 0.0) * max(height, 0.0)


class PlainImage:
    """One image: its true rows, and its predictions best first, `ranked` with and without graph constraint."""

    def __init__(self, truth: Truth, graph: ImageGraph, task: Task, protocol: Protocol):
        self.true_boxes, self.true_labels = truth.boxes.tolist(), truth.labels.tolist()
        self.rows = truth.relations.tolist()
        self.boxes = self.true_boxes if task != "sgdet" else graph.boxes_original.tolist()
        self.labels = self.true_labels if task == "predcls" else graph.labels.tolist()
        self._scores = [1.0] * len(self.boxes) if task == "predcls" else graph.scores.tolist()
        self._must_meet, self._protocol = task == "sgdet" and protocol.overlapping_pairs, protocol
        self.ranked = self._lists(graph.pairs.tolist(), graph.predicate_probabilities.tolist())

    def _lists(self, pairs: list[list[int]], probabilities: list[list[float]]) -> tuple[list[Candidate], ...]:
        best, everything = [], []
        for (s, o), p in zip(pairs, probabilities, strict=True):
            if self._must_meet and not _common(self.boxes[s], self.boxes[o], self._protocol.pixel):
                continue
            both = self._scores[s] * self._scores[o]
            cells = [(-both * p[k], s, o, k) for k in range(1, len(p))]
            best.append(cells[max(range(1, len(p)), key=p.__getitem__) - 1])
            everything += cells
        return sorted(best, key=lambda c: c[0]), sorted(everything, key=lambda c: c[0])

    def hits(self, free: int, depth: int) -> list[bool]:
        """Which true rows the first `depth` predictions cover."""
        return [any(self._covers(c, row) for c in self.ranked[free][:depth]) for row in self.rows]

    def _covers(self, candidate: Candidate, row: list[int]) -> bool:
        _, subject, role_object, predicate = candidate
        same = predicate == row[2]
        return same and self._stands_for(subject, row[0]) and self._stands_for(role_object, row[1])

    def _stands_for(self, found: int, true: int) -> bool:
        same = self.labels[found] == self.true_labels[true]
        return same and iou(self.boxes[found], self.true_boxes[true], self._protocol.pixel) >= self._protocol.iou

    @property
    def counts(self) -> bool:
        """Whether the protocol lets the image take part."""
        crowded = self._protocol.most_boxes is not None and len(self.true_boxes) > self._protocol.most_boxes
        skipped = self._protocol.skip_empty and not self.ranked[0]
        return bool(self.rows) and not crowded and not skipped

    def triplet(self, row: list[int]) -> tuple[int, int, int]:
        return self.true_labels[row[0]], row[2], self.true_labels[row[1]]


def mean(values: Iterable[float | bool]) -> float:
    """NaN of nothing."""
    values = list(values)
    return sum(values) / len(values) if values else math.nan


def metrics_at(
    images: Iterable[PlainImage], zero_shot: set, predicates: int, protocol: Protocol, free: int, depth: int
) -> dict[str, float]:
    """R, mR, mR_pooled, mR_ref and zsR at one K of one list: `free` 1 without graph constraint.

    `predicates` counts background.
    """
    recalls, unseen_recalls, slot, by_predicate, pooled = [], [], [], defaultdict(list), defaultdict(list)
    for image in images:
        if not image.counts:
            continue
        hits, own = image.hits(free, depth), defaultdict(list)
        for row, hit in zip(image.rows, hits, strict=True):
            own[row[2]].append(hit)
        unseen = [h for row, h in zip(image.rows, hits, strict=True) if image.triplet(row) in zero_shot]
        recalls.append(mean(hits))
        unseen_recalls += [mean(unseen)] if unseen else []
        slot.append(mean(hits + own.get(1, [])))
        for predicate, its in own.items():
            by_predicate[predicate].append(mean(its))
            pooled[predicate] += its
    vocabulary = range(1, predicates) if protocol.absent == "zero" else sorted(by_predicate)
    each = {p: mean(by_predicate[p]) if by_predicate[p] else 0.0 for p in vocabulary}
    return {
        "R": mean(recalls),
        "mR": mean(each.values()),
        "mR_pooled": mean(mean(pooled[p]) if pooled[p] else 0.0 for p in vocabulary),
        "mR_ref": mean((each | {1: mean(slot)}).values()),
        "zsR": mean(unseen_recalls),
    }
