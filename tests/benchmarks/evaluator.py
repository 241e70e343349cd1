"""The evaluator against one relation at a time, on made images, with equal results: `segsg bench evaluate`."""

import re
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from tqdm.auto import tqdm

from segsg.evaluation.metrics import FREE, metrics, named
from segsg.evaluation.protocol import PROTOCOLS, Protocol
from segsg.evaluation.ranks import Ranks, Recall, SideBySide
from segsg.evaluation.records import Truth
from segsg.structures import TASKS, ImageGraph, Task
from segsg.tools.bench import ALL

sys.path.append(str(Path(__file__).resolve().parents[1] / "helpers"))
from plain import PlainImage, metrics_at
from sides import Line, Unequal, main

CLASSES, TRUE_BOXES, RELATIONS = 150, 14, 8
"""about what an image of Visual Genome has"""
COMPARED = ("R", "mR", "mR_pooled", "mR_ref")
DEPTHS = (20, 50, 100)
CLEAR = Path("/proc/self/clear_refs")
"""where Linux takes the order to forget the most memory that a process has had"""
TOLERANCE = 1e-12


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many images are made, and what each has; `predicates` counts background."""

    images: int
    boxes: int
    pairs: int
    predicates: int
    task: Task = "sgdet"


def made(size: Size, seed: int = 0) -> Iterator[tuple[Truth, ImageGraph]]:
    """Random images, one at a time: true boxes of few classes, predictions near them, some of them right."""
    random = np.random.default_rng(seed)
    for image_id in range(size.images):
        true_boxes = size.boxes if size.task != "sgdet" else min(TRUE_BOXES, size.boxes)
        truth = _truth(image_id, true_boxes, size.predicates, random)
        yield truth, _graph(truth, size, random)


def _truth(image_id: int, boxes: int, predicates: int, random: np.random.Generator) -> Truth:
    corner = random.integers(0, 800, (boxes, 2))
    corners = np.concatenate([corner, corner + random.integers(30, 300, (boxes, 2))], axis=1).astype(np.float32)
    pairs = np.array([random.choice(boxes, 2, replace=False) for _ in range(RELATIONS)])
    relations = np.concatenate([pairs, random.integers(1, predicates, (RELATIONS, 1))], axis=1)
    return Truth(corners, random.integers(1, CLASSES + 1, boxes), relations, image_id)


def _graph(truth: Truth, size: Size, random: np.random.Generator) -> ImageGraph:
    detected = size.task == "sgdet"
    source = random.integers(0, len(truth.boxes), size.boxes) if detected else np.arange(size.boxes)
    boxes = truth.boxes[source] + (random.normal(0, 8, (size.boxes, 4)) if detected else 0)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2])
    place = np.sort(random.permutation(size.boxes * (size.boxes - 1))[: size.pairs])
    subject, other = np.divmod(place, size.boxes - 1)
    pairs = np.stack([subject, other + (other >= subject)], axis=1)
    parts = (boxes.astype(np.float32), truth.labels[source], random.random(size.boxes, dtype=np.float32), pairs,
             _probabilities(truth, source[pairs], size.predicates, random))  # fmt: skip
    return ImageGraph(truth.image_id, *(torch.from_numpy(array) for array in parts))


def _probabilities(
    truth: Truth, sources: np.ndarray, predicates: int, random: np.random.Generator
) -> Float[np.ndarray, "pairs predicates"]:
    """Noise, raised at a third of the true relations."""
    logits = random.random((len(sources), predicates), dtype=np.float32)
    for subject, role_object, predicate in truth.relations.tolist():
        rows = np.flatnonzero((sources == (subject, role_object)).all(axis=1))
        logits[rows[random.random(len(rows)) < 1 / 3], predicate] += 1
    return logits / logits.sum(axis=1, keepdims=True)


def bench(size: Size, plain_images: int) -> Line:
    """Times both (the plain one on the first so many images). Unequal where their numbers differ."""
    recall, seconds, kept = Recall(size.task, size.predicates), 0.0, []
    forget_peak()
    for number, image in enumerate(_bar(made(size), size.images, "ours")):
        began = time.process_time()
        recall.add(*image)
        seconds += time.process_time() - began
        kept += [image] if number < plain_images else []
    began = time.process_time()
    metrics(recall.ranks())
    ours, most = 1000 * (seconds + time.process_time() - began) / size.images, peak()
    began = time.process_time()
    slow = _plain(kept, size, recall.protocol)
    plain = 1000 * (time.process_time() - began) / len(kept)
    _compare(slow, metrics(_ranks(kept, size, recall.protocol)))
    return Line(
        name=f"{size.images} images x {size.boxes} boxes x {size.pairs} pairs x {size.predicates} predicates, "
        f"{size.task}",
        ms=ours,
        other_ms=plain,
        note=f"{size.task}: plain on {len(kept)} images, equal results ({len(slow)} numbers); "
        f"{most:.0f} MB at most, PyTorch's own included",
    )


def _bar(images: Iterable, total: int, text: str) -> Iterable:
    return tqdm(images, total=total, unit="image", desc=text, mininterval=0.5)


def _plain(images: list[tuple[Truth, ImageGraph]], size: Size, protocol: Protocol) -> dict[str, float]:
    """Every metric that both evaluators have, by name."""
    plain = [PlainImage(*image, size.task, protocol) for image in _bar(images, len(images), "plain")]
    values = {}
    for free, prefix in enumerate(("", FREE)):
        for depth in DEPTHS:
            at = metrics_at(plain, set(), size.predicates, protocol, free, depth)
            values |= {named(prefix, name, depth): at[name] for name in COMPARED}
    return values


def _ranks(images: list[tuple[Truth, ImageGraph]], size: Size, protocol: Protocol) -> Ranks:
    recall = Recall(size.task, size.predicates, protocol=protocol)
    for image in images:
        recall.add(*image)
    return recall.ranks()


def _compare(slow: dict[str, float], fast: dict[str, float]) -> None:
    for name, value in slow.items():
        if not abs(fast[name] - value) <= TOLERANCE:
            raise Unequal(f"bench: {name} is {fast[name]} by the fast evaluator and {value} by the plain one")


def all_protocols(size: Size) -> Line:
    """Time and memory for a whole test set under every protocol; making the images is not counted."""
    protocols = {name: Recall(size.task, size.predicates, protocol=rules) for name, rules in PROTOCOLS.items()}
    walk, seconds = SideBySide(protocols), 0.0
    forget_peak()
    for truth, graph in _bar(made(size), size.images, "all protocols"):
        start = time.process_time()
        walk.add(truth, graph)
        seconds += time.process_time() - start
    start = time.process_time()
    values = {name: metrics(ranks) for name, ranks in walk.ranks().items()}
    seconds += time.process_time() - start
    numbers = ", ".join(f"{name} R@50 {100 * measured['R@50']:.2f}" for name, measured in values.items())
    return Line(
        name=f"all protocols: {size.images} images x {size.boxes} boxes x {size.pairs} pairs, {size.task}",
        ms=1000 * seconds / size.images,
        note=f"{size.task}: {seconds / 60:.2f} minutes, {peak():.0f} MB at most, PyTorch's own included; {numbers}",
    )


def forget_peak() -> None:
    """Lets `peak` begin anew. Only Linux can."""
    if CLEAR.exists():
        CLEAR.write_text("5", encoding="ascii")


def peak() -> float:
    """Most memory that this process has had since `forget_peak`, in MB."""
    if CLEAR.exists():
        # Not from getrusage, whose maximum a process inherits from the one that started it.
        line = re.search(r"^VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"), re.M)
        return int(line[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def measure(options) -> Iterator[Line]:
    """A line for each task, in milliseconds an image, from the options of `segsg bench evaluate`."""
    for task in TASKS if options.task == ALL else (options.task,):
        size = Size(images=options.images, boxes=options.boxes, pairs=options.pairs, predicates=options.predicates,
                    task=task)  # fmt: skip
        yield all_protocols(size) if options.all_protocols else bench(size, options.plain_images)


if __name__ == "__main__":
    sys.exit(main("evaluate", measure, other="plain", title="The evaluator on made images, for each image"))
