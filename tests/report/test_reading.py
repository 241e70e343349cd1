"""The example that the page "How to read this" works by hand, computed."""

import re

import numpy as np
import pytest
import torch

from segsg.evaluation.metrics import metrics
from segsg.evaluation.protocol import Protocol
from segsg.evaluation.ranks import Recall, evaluate
from segsg.evaluation.records import Truth
from segsg.report.pages import TEMPLATES
from segsg.structures import ImageGraph

PAGE = (TEMPLATES / "reading.html").read_text(encoding="utf-8")
STATED = re.findall(r"\b((?:ng)?(?:R|mR|zsR)@\d) = (\d+\.\d)", PAGE)
GIRL, MUG, TABLE, MAN = range(1, 5)
HOLDING, ON, NEAR = range(1, 4)
PHOTOS = (
    ([GIRL, MUG, TABLE], [(0, 1, HOLDING), (1, 2, ON), (0, 2, NEAR)],
     {(1, 2): [0, 0, 0.8, 0], (0, 2): [0, 0, 0.45, 0.42], (0, 1): [0, 0.3, 0, 0]}),
    ([MAN, MUG], [(0, 1, HOLDING)], {(0, 1): [0, 0.7, 0, 0]}),
)  # fmt: skip


def computed() -> dict[str, float]:
    truths, graphs = [], []
    for i, (labels, relations, predicted) in enumerate(PHOTOS):
        boxes = np.array([[20 * j, 0, 20 * j + 10, 10] for j in range(len(labels))], dtype=np.float32)
        truths.append(Truth(boxes, np.array(labels), np.array(relations)))
        known = torch.from_numpy(boxes), torch.tensor(labels), torch.ones(len(labels))
        graphs.append(ImageGraph(i, *known, torch.tensor(list(predicted)), torch.tensor(list(predicted.values()))))
    recall = Recall("predcls", 4, np.array([[GIRL, HOLDING, MUG]]), protocol=Protocol(depths=(2, 4)))
    return metrics(evaluate(truths, graphs, recall))


def test_the_page_states_its_example():
    assert dict(STATED).keys() == {"R@2", "mR@2", "R@4", "ngR@4", "zsR@2", "zsR@4"}


@pytest.mark.parametrize(("name", "value"), STATED)
def test_what_the_page_states_is_what_the_evaluation_computes(name, value):
    name = name.replace("ngmR", "ng-mR")
    assert f"{100 * computed()[name]:.1f}" == value


def test_probabilities_of_the_page_are_those_of_the_example():
    stated = [float(p) for p in re.findall(r"<td>(0\.\d+)</td>", PAGE)]
    assert sorted(stated) == sorted(p for _, _, predicted in PHOTOS for row in predicted.values() for p in row if p)
