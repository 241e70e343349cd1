"""Small made images for tests of the evaluation, and the slow twin of the recall family on them."""

import numpy as np
import plain
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
    guess_labels = np.where(random.random(found) < 0.8, labels[source], random.integers(1, CLASSES, found))
    pairs = [(s, o) for s in range(found) for o in range(found) if s != o and random.random() < 0.8]
    probabilities = random.integers(0, steps + 1, (len(pairs), PREDICATES)) / steps
    for i, (s, o) in enumerate(pairs):
        for subject, role_object, predicate in relations:
            if (source[s], source[o]) == (subject, role_object) and random.random() < 0.5:
                probabilities[i, predicate] = 1
    scores = random.integers(steps // 2, steps + 1, found) / steps
    return truth_of(boxes, labels, relations), graph_of(image_id, guess, guess_labels, scores, pairs, probabilities)


def slow_metrics_at(images, zero_shot, task, protocol, free, depth):
    found = [plain.PlainImage(truth, graph, task, protocol) for truth, graph in images]
    return plain.metrics_at(found, zero_shot, PREDICATES, protocol, free, depth)


def random_images(count, seed, task):
    random = np.random.default_rng(seed)
    return [random_image(i, random, task) for i in range(count)]


class Make:
    """The functions above, by the short names that tests call them."""

    image, images, truth, graph = map(staticmethod, (random_image, random_images, truth_of, graph_of))
    slow = staticmethod(slow_metrics_at)
    classes, predicates = CLASSES, PREDICATES
