"""A training step and a prediction of each model, without masks and with them: `segsg bench models`.

Images are noise with random boxes, and the networks untrained: neither changes how long they take. The detector looks
at each batch once; what a prediction takes is compared with that look, since a photo needs both. The task is SGCls.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from segsg.data.words import Vocabulary
from segsg.structures import Batch
from segsg.study import profile
from segsg.study.detectors import make_detector
from segsg.study.facts import Facts
from segsg.study.models import make_network
from segsg.study.params import Params, read_section
from segsg.study.rows import BASELINE, CONTACT, GROUNDED, Row
from segsg.training.loop import OPTIMIZERS
from segsg.world.classes import GRAPH_CLASSES, MASK_CLASSES, PREDICATES

sys.path.append(str(Path(__file__).resolve().parents[1] / "helpers"))
from scenes import FixedDetector
from sides import Line, main, milliseconds

DRAWN = (len(GRAPH_CLASSES), len(PREDICATES), len(MASK_CLASSES))
FILES = (150, 50, 80)
"""classes, predicates and mask classes of Visual Genome and COCO"""
DOUBLED = (1, 2, 4)


def facts_of(params: Params) -> Facts:
    """Facts without meaning, of the size that the profile's data sets have."""
    classes, predicates, mask_classes = FILES if params.world is None else DRAWN
    width = params.network.label_embedding
    return Facts(
        names=Vocabulary(_names(classes), _names(predicates)),
        mask_names=_names(mask_classes),
        name_pairs={},
        drawn_as={},
        vectors=torch.randn(classes, width),
        mask_vectors=torch.randn(mask_classes, width),
        counts=torch.ones(classes + 1, classes + 1, predicates + 1, dtype=torch.long),
        zero_shot=torch.zeros(0, 3, dtype=torch.long),
    )


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"name {i}" for i in range(count))


def batch_of(params: Params, facts: Facts, images: int, regions: int) -> Batch:
    """Noise of the profile's size, with random boxes and a relation of each box with the next."""
    height, width = params.data.short_side, min(params.data.long_side, 4 * params.data.short_side // 3)
    extent, boxes = torch.tensor([width, height]), []
    for _ in range(images):
        corner = torch.rand(regions, 2) * 0.6 * extent
        boxes.append(torch.cat([corner, corner + (0.1 + 0.3 * torch.rand(regions, 2)) * extent], dim=1))
    place = torch.arange(regions - 1)
    drawn = torch.randint(1, facts.predicates, (images, regions - 1))
    return Batch(
        list(range(images)),
        torch.randint(0, 256, (images, 3, height, width), dtype=torch.uint8),
        [(height, width)] * images,
        [1.0] * images,
        boxes,
        list(torch.randint(1, facts.classes, (images, regions))),
        [torch.stack([place, place + 1, predicates], dim=1) for predicates in drawn],
    )


class Setting:
    """A profile's joint detector, its facts, and rows for a model by method; everything is untrained."""

    def __init__(self, name: str):
        self.params = read_section(Params, profile.resolve(name), f"profile {name}")
        joint = [row for row in self.params.detectors.values() if row.joint and "fpn" in row.backbone]
        if not joint:
            raise ValueError(f"profile {name}: no joint detector with a pyramid, so no masks; take another profile")
        self.facts, self.record = facts_of(self.params), joint[0]
        self.detector = make_detector(self.facts, self.params.numbers, self.record).eval()

    def rows(self, model: str) -> dict[str, Row]:
        """By name: the row without masks, with them, and in the contact frame too."""
        row = Row(model, self.record, BASELINE, "sgcls")
        grounded = replace(row, method=GROUNDED, grounding=self.params.grounding)
        contact = replace(grounded, grounding=replace(self.params.grounding, edges=CONTACT))
        return {BASELINE: row, GROUNDED: grounded, CONTACT: contact}

    def times(self, row: Row, *, images: int, regions: int, pairs: int, repeats: int) -> tuple[float, float, float]:
        """Milliseconds of a training step, of a prediction, and of the detector's look at the same batch."""
        batch, numbers = batch_of(self.params, self.facts, images, regions), self.params.numbers
        seen = FixedDetector(self.detector.look(batch, "sgcls"))
        seen.channels = self.detector.channels
        numbers = replace(numbers, sampling=replace(numbers.sampling, pairs=pairs))
        model, plan = make_network(self.facts, numbers, row, seen), self.params.stage2
        optimizer = OPTIMIZERS[plan.optimizer](model, plan.learning_rate, plan.weight_decay)

        def step() -> None:
            model.train()
            optimizer.zero_grad(set_to_none=True)
            sum(mean.value for mean in model.losses(batch).values()).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), plan.clip_norm)
            optimizer.step()

        def predict() -> None:
            model.eval().predict(batch)

        return tuple(milliseconds([step, predict, lambda: self.detector.look(batch, "sgcls")], repeats))


def lines_of(name: str, times: tuple[float, float, float]) -> Iterator[Line]:
    """A line for a training step, and one for a prediction against the detector's look."""
    step, prediction, look = times
    yield Line(name=f"{name}, training step", ms=step)
    yield Line(name=f"{name}, prediction", ms=prediction, other_ms=look)


def measure(options) -> Iterator[Line]:
    """All lines, from the options of `segsg bench models`."""
    torch.manual_seed(0)
    setting = Setting(options.profile)
    size = {"images": options.images, "regions": options.regions, "pairs": setting.params.sampling.pairs}
    for model in options.models:
        for name, row in setting.rows(model).items():
            yield from lines_of(f"{model} {name}", setting.times(row, **size, repeats=options.repeats))
    if options.growth:
        row = setting.rows(options.models[0])[GROUNDED]
        for axis, start in size.items():
            for more in (start * factor for factor in DOUBLED):
                times = setting.times(row, **size | {axis: more}, repeats=options.repeats)
                yield from lines_of(f"{row.model} {GROUNDED}, {more} {axis}", times)


if __name__ == "__main__":
    sys.exit(main("models", measure, other="detector", title="Models in SGCls, and the detector that they stand on"))
