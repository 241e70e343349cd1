"""The numbers of an independent evaluator on random images, kept next to the checkout, not in it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from segsg.evaluation.metrics import metrics, named, per_predicate
from segsg.evaluation.protocol import SCENE_GRAPH_BENCHMARK
from segsg.evaluation.ranks import Recall
from segsg.evaluation.records import Truth
from segsg.structures import ImageGraph

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "golden"
NAMES = {("", "R"): "R", ("ng-", "R"): "ngR", ("", "zsR"): "zsR", ("ng-", "zsR"): "ngzsR", ("", "mR"): "mR",
         ("ng-", "mR"): "ngmR"}  # fmt: skip


@pytest.fixture(scope="module", params=["predcls", "sgdet"])
def golden(request):
    if not FOLDER.is_dir():
        pytest.skip(f"{FOLDER} is absent: the reference evaluator's numbers do not travel with the repository")
    expected = json.loads((FOLDER / f"evaluator-{request.param}.json").read_text())
    with np.load(FOLDER / f"evaluator-{request.param}.npz") as file:
        arrays = {name: file[name] for name in file.files}
    recall = Recall(request.param, 51, arrays["zero_shot_triplets"][:, [0, 2, 1]], protocol=SCENE_GRAPH_BENCHMARK)
    names = [name for name in arrays if f"{name}_count" in arrays]
    columns = {name: np.split(arrays[name], arrays[f"{name}_count"].cumsum()[:-1]) for name in names}
    for i, image in enumerate(zip(*columns.values(), strict=True)):
        part = dict(zip(columns, image, strict=True))
        found = ("pred_boxes", "pred_classes", "obj_scores", "rel_pair_idxs", "pred_rel_scores")
        recall.add(
            Truth(part["gt_boxes"], part["gt_classes"], part["gt_rels"]),
            ImageGraph(i, *(torch.from_numpy(part[name]) for name in found)),
        )
    return recall.ranks(), expected


def test_recalls(golden):
    ranks, expected = golden
    values = metrics(ranks)
    for (prefix, metric), name in NAMES.items():
        for depth in (20, 50, 100):
            assert values[named(prefix, metric, depth)] == pytest.approx(expected[f"{name}@{depth}"], abs=1e-6)


def test_every_predicate(golden):
    ranks, expected = golden
    columns = per_predicate(ranks)
    for name in ("R", "ngR"):
        for depth in (20, 50, 100):
            values = [value or 0.0 for value in columns[f"{name}@{depth}"]]
            assert values == pytest.approx(expected[f"per_predicate_{name}@{depth}"], abs=1e-6)
