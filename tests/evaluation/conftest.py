"""Made images, and the recall family written a second time: one relation, one prediction, one image after another."""

import math
from collections import defaultdict

import numpy as np
import pytest
import torch

from segsg.evaluation.records import Truth
from segsg.structures import ImageGraph

CLASSES, PREDICATES = 4, 5


def graph_of(image_id, boxes, labels, scores, pairs, probabilities) -> ImageGraph:
    boxes = torch.as_tensor(np.asarray(boxes, dtype=np.float32).reshape(-1, 4))
    probabilities = np.asarray(probabilities, dtype=np.float32)
    return ImageGraph(
        image_id, boxes, torch.as_tensor(np.asarray(labels, dtype=np.int64)),
        torch.as_tensor(np.asarray(scores, dtype=np.float32)),
        torch.as_tensor(np.asarray(pairs, dtype=np.int64).reshape(-1, 2)),
        torch.as_tensor(probabilities.reshape(len(pairs), -1) if len(pairs) else np.zeros((0, PREDICATES), np.float32)),
    )  # fmt: skip


def truth_of(boxes, labels, relations) -> Truth:
    return Truth(
        np.asarray(boxes, dtype=np.float32).reshape(-1, 4), np.asarray(labels, dtype=np.int64),
        np.asarray(relations, dtype=np.int64).reshape(-1, 3),
    )  # fmt: skip


def random_image(image_id, random, task, steps=8):
    """Few classes and whole-pixel boxes, so that labels, overlaps of exactly one half, ties and duplicates occur."""
    regions = int(random.integers(1, 6))
    corner = random.integers(0, 6, (regions, 2))
    boxes = np.concatenate([corner, corner + random.integers(2, 7, (regions, 2))], axis=1)
    labels = random.integers(1, CLASSES, regions)
    everything = [(s, o) for s in range(regions) for o in range(regions) if s != o]
    rows = int(random.integers(0, 7)) if everything else 0
    relations = [(*everything[random.integers(len(everything))], random.integers(1, PREDICATES)) for _ in range(rows)]
    found = regions if task != "sgdet" else int(random.integers(0, 12))
    source = random.integers(0, regions, found) if task == "sgdet" else np.arange(regions)
    guess = boxes[source] + (random.choice([-1, 0, 0, 0, 1], (found, 4)) if task == "sgdet" else 0)
    guess[:, 2:] = np.maximum(guess[:, 2:], guess[:, :2])
    guess_labels = np.where(random.random(found) < 0.8, labels[source], random.integers(0, CLASSES, found))
    pairs = [(s, o) for s in range(found) for o in range(found) if s != o and random.random() < 0.8]
    probabilities = random.integers(0, steps + 1, (len(pairs), PREDICATES)) / steps
    for i, (s, o) in enumerate(pairs):
        for subject, role_object, predicate in relations:
            if (source[s], source[o]) == (subject, role_object) and random.random() < 0.5:
                probabilities[i, predicate] = 1
    scores = random.integers(steps // 2, steps + 1, found) / steps
    return truth_of(boxes, labels, relations), graph_of(image_id, guess, guess_labels, scores, pairs, probabilities)


def slow_iou(a, b, pixel):
    if tuple(a) == tuple(b):
        return 1.0
    width = min(a[2], b[2]) - max(a[0], b[0]) + pixel
    height = min(a[3], b[3]) - max(a[1], b[1]) + pixel
    common = max(width, 0) * max(height, 0)
    area = [(c[2] - c[0] + pixel) * (c[3] - c[1] + pixel) for c in (a, b)]
    return common / (sum(area) - common) if common else 0.0


def slow_lists(truth, graph, task, protocol):
    """(subject, object, predicate) best first, with and without graph constraint, and the regions' boxes and labels."""
    boxes = (truth.boxes if task != "sgdet" else graph.boxes_original.numpy()).astype(float).tolist()
    labels = truth.labels.tolist() if task == "predcls" else graph.labels.tolist()
    scores = [1.0] * len(boxes) if task == "predcls" else graph.scores.tolist()
    best, everything = [], []
    for (s, o), p in zip(graph.pairs.tolist(), graph.predicate_probabilities.tolist(), strict=True):
        width = min(boxes[s][2], boxes[o][2]) - max(boxes[s][0], boxes[o][0]) + protocol.pixel
        height = min(boxes[s][3], boxes[o][3]) - max(boxes[s][1], boxes[o][1]) + protocol.pixel
        if task == "sgdet" and protocol.overlapping_pairs and (width <= 0 or height <= 0):
            continue
        cells = [(-(scores[s] * scores[o]) * p[k], s, o, k) for k in range(1, len(p))]
        best.append(min(cells, key=lambda cell: (-p[cell[3]], cell[3])))
        everything += cells
    return [sorted(cells, key=lambda cell: cell[0]) for cells in (best, everything)], boxes, labels


def slow_hits(truth, ranked, boxes, labels, depth, protocol):
    hits = []
    for s, o, predicate in truth.relations.tolist():
        hit = False
        for _, a, b, guess in ranked[:depth]:
            same = (labels[a], guess, labels[b]) == (truth.labels[s], predicate, truth.labels[o])
            subject = slow_iou(boxes[a], truth.boxes[s].tolist(), protocol.pixel) >= protocol.iou
            role_object = slow_iou(boxes[b], truth.boxes[o].tolist(), protocol.pixel) >= protocol.iou
            hit = hit or (same and subject and role_object)
        hits.append(hit)
    return hits


def mean(values):
    return sum(values) / len(values) if len(values) else math.nan


def slow_metrics_at(images, zero_shot, task, protocol, free, depth):
    recalls, zero_recalls, slot, by_predicate, pooled = [], [], [], defaultdict(list), defaultdict(list)
    for truth, graph in images:
        ranked, boxes, labels = slow_lists(truth, graph, task, protocol)
        skipped = protocol.skip_empty and not ranked[0]
        crowded = protocol.most_boxes is not None and len(truth.boxes) > protocol.most_boxes
        if not len(truth.relations) or skipped or crowded:
            continue
        hits = slow_hits(truth, ranked[free], boxes, labels, depth, protocol)
        rows, own, unseen = truth.relations.tolist(), defaultdict(list), []
        for (s, o, predicate), hit in zip(rows, hits, strict=True):
            own[predicate].append(hit)
            if (truth.labels[s], predicate, truth.labels[o]) in zero_shot:
                unseen.append(hit)
        recalls.append(mean(hits))
        slot.append(mean(hits + own[1]))
        zero_recalls += [mean(unseen)] if unseen else []
        for predicate, its in own.items():
            if its:
                by_predicate[predicate].append(mean(its))
                pooled[predicate] += its
    vocabulary = range(1, PREDICATES) if protocol.absent == "zero" else sorted(by_predicate)
    each = {p: mean(by_predicate[p]) if by_predicate[p] else 0.0 for p in vocabulary}
    return {
        "R": mean(recalls),
        "mR": mean(list(each.values())),
        "mR_pooled": mean([mean(pooled[p]) if pooled[p] else 0.0 for p in vocabulary]),
        "mR_ref": mean(list((each | {1: mean(slot)}).values())),
        "zsR": mean(zero_recalls),
    }


@pytest.fixture(scope="session")
def make():
    """`make.image`, `make.truth`, `make.graph`, `make.slow`: the functions above for tests."""

    class Make:
        image, truth, graph, slow = map(staticmethod, (random_image, truth_of, graph_of, slow_metrics_at))
        classes, predicates = CLASSES, PREDICATES

        @staticmethod
        def images(count, seed, task):
            random = np.random.default_rng(seed)
            return [random_image(i, random, task) for i in range(count)]

    return Make
