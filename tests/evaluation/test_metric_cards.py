"""Every example of docs/metrics.md, read from the page and computed."""

import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from segsg.evaluation.bootstrap import p_value
from segsg.evaluation.detection import average_precision, mask_ious
from segsg.evaluation.matching import overlap
from segsg.evaluation.metrics import metrics
from segsg.evaluation.protocol import Protocol
from segsg.evaluation.ranks import Recall, evaluate
from segsg.models.scene_graph import DistinctNames

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text()
BLOCKS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)]
EXAMPLE, IOU, NAMES, DRAWS, PRECISION, MASKS = BLOCKS
ROWS = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| [^|]+ \| ([^|]+) \|$", PAGE, flags=re.MULTILINE)
SWITCHES = {
    "": {},
    "skip_empty": {"skip_empty": True},
    "most_boxes=2": {"most_boxes": 2},
    "absent=left out": {"absent": "left out"},
    "overlapping_pairs": {"overlapping_pairs": True},
}


def test_the_page_has_its_examples():
    assert len(ROWS) >= 25


@pytest.mark.parametrize(("name", "setting", "value"), ROWS)
def test_example(name, setting, value, make):
    images, _, switch = setting.strip().partition("; ")
    task = "sgdet" if switch.startswith("sgdet") else "predcls"
    switch = switch.removeprefix("sgdet").strip()
    chosen = [EXAMPLE["images"][letter] for letter in images.split(", ")]
    truths = [make.truth(EXAMPLE["boxes"], EXAMPLE["labels"], image["relations"]) for image in chosen]
    graphs = [
        make.graph(i, EXAMPLE["boxes"], EXAMPLE["labels"], [1, 1, 1], image["pairs"], image["probabilities"])
        for i, image in enumerate(chosen)
    ]
    protocol = Protocol(depths=(1, 3, 4), **SWITCHES[switch])
    predicates = len(EXAMPLE["predicates"]) + 1
    recall = Recall(task, predicates, np.array(EXAMPLE["zero_shot"]), np.array(EXAMPLE["training_counts"]), protocol)
    expected = float("nan") if value.strip() == "nan" else float(Fraction(value.strip()))
    assert metrics(evaluate(truths, graphs, recall))[name] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_iou_example():
    first, second = (np.array([IOU[key]], dtype=np.float32) for key in ("first", "second"))
    assert overlap(first, second).item() == float(Fraction(IOU["continuous"]))
    assert overlap(first, second, pixel=1.0).item() == float(Fraction(IOU["inclusive"]))


def test_least_overlap_is_a_switch(make):
    images = [make.truth([box, [50, 50, 60, 60]], [1, 2], [[0, 1, 1]]) for box in (IOU["first"], IOU["second"])]
    graph = make.graph(0, images[1].boxes, [1, 2], [1, 1], [[0, 1]], [[0, 1]])
    for iou, value in ((0.5, 0), (0.4, 1)):
        recall = Recall("sgdet", 2, protocol=Protocol(depths=(1,), iou=iou))
        assert metrics(evaluate([images[0]], [graph], recall))["R@1"] == value


def test_names_example():
    boxes, probabilities = torch.tensor(NAMES["boxes"], dtype=torch.float32), torch.tensor(NAMES["probabilities"])
    for iou in (0.3, 0.5):
        scores, labels = DistinctNames(iou)(probabilities, boxes)
        assert labels.tolist() == NAMES[f"labels at {iou}"]
        assert torch.equal(scores, probabilities[torch.arange(3), labels])


def test_p_value_example():
    assert p_value(np.array(DRAWS["differences"])) == float(Fraction(DRAWS["p"]))


def test_average_precision_example():
    truth = {"boxes_original": np.array(PRECISION["truth"]), "labels": np.ones(3, dtype=int)}
    found = {"boxes_original": np.array(PRECISION["detections"]), "labels": truth["labels"],
             "scores": np.array(PRECISION["scores"])}  # fmt: skip
    values = average_precision([truth], [found], classes=2)
    assert values["AP"] == pytest.approx(float(Fraction(PRECISION["AP"])), abs=1e-12)
    assert values["AP"] == values["AP50"] == values["per_class"][0]


def test_mask_iou_example():
    masks = [np.array(MASKS[key], dtype=bool) for key in ("true", "predicted")]
    values = mask_ious([(*masks, np.array(MASKS["labels"]))], classes=3)
    assert values["per_class"] == [float(Fraction(value)) for value in MASKS["per_class"]]
    assert values["mIoU"] == float(Fraction(MASKS["mIoU"]))
