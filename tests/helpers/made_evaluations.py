"""One photo of two regions and one relation, predicted by a model that is right and by one that is wrong."""

import numpy as np
import torch

from segsg.evaluation.records import Truth
from segsg.formats.lines import write_graphs, write_truths
from segsg.structures import ImageGraph
from segsg.tools.evaluate import Request, evaluate

BOXES = np.array([[0, 0, 20, 20], [10, 10, 30, 30]], dtype=np.float32)
LABELS = np.array([1, 2])
NAMES = ("on", "under")
SCORES = {"a": (0.1, 0.8, 0.1), "b": (0.1, 0.1, 0.8)}
"""of the predicates, background first; the true one is the first beside it"""


def files(folder):
    """truth.jsonl, a.jsonl and b.jsonl."""
    write_truths(folder / "truth.jsonl", [Truth(BOXES, LABELS, np.array([[0, 1, 1]]), 7)], NAMES)
    for name, scores in SCORES.items():
        parts = BOXES, LABELS, np.ones(2, np.float32), np.array([[0, 1]]), np.array([scores], np.float32)
        write_graphs(folder / f"{name}.jsonl", [ImageGraph(7, *map(torch.from_numpy, parts))])
    return folder


def evaluations(folder):
    """The files, and what `segsg evaluate` makes of them in the folders a and b."""
    files(folder)
    for name in SCORES:
        request = Request(truth=folder / "truth.jsonl", predictions=folder / f"{name}.jsonl", task="predcls")
        evaluate(request, folder / name)
    return folder
