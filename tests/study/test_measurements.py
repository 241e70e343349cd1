import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from segsg.evaluation.metrics import metrics
from segsg.evaluation.protocol import DEFAULT, PAPER
from segsg.evaluation.ranks import Ranks
from segsg.study import measurements
from segsg.study.params import Params, read_section
from segsg.study.profile import resolve

MINI = read_section(Params, resolve("mini"), "test")


@pytest.mark.parametrize(("shared", "left"), [([None, 7, None], [3, 9]), ([None] * 3, None), ([5, 6, 7], None)])
def test_images_of_both_sets_are_left_out_unless_that_is_all_or_nothing(shared, left, monkeypatch):
    test_set = SimpleNamespace(image_ids=[9, 4, 3], shared_ids=shared)
    monkeypatch.setattr(measurements.sets, "scene_graph_set", lambda params, split: test_set)
    image, ids = np.arange(3), np.array([3, 4, 9])
    ranks = Ranks(
        image_ids=ids, boxes=ids, predicted=ids > 0, image=image, triplets=np.ones((3, 3), dtype=int),
        constrained=image, free=image, predicates=3, protocol=DEFAULT,
    )  # fmt: skip
    apart = measurements.unshared(MINI, ranks)
    assert (None if apart is None else apart.image_ids.tolist()) == left


@pytest.mark.parametrize(("boxes", "left"), [([40, 41, 3], [3, 9]), ([41, 50, 60], None), ([2, 40, 1], None)])
def test_the_paper_leaves_out_images_with_more_than_40_boxes(boxes, left, monkeypatch):
    image, ids, places = np.arange(3), np.array([3, 4, 9]), np.array([0, 0, 30])
    ranks = Ranks(
        image_ids=ids, boxes=np.array(boxes), predicted=ids > 0, image=image, triplets=np.ones((3, 3), dtype=int),
        constrained=places, free=places, predicates=3, protocol=DEFAULT,
    )  # fmt: skip
    monkeypatch.setattr(measurements, "unshared", lambda params, ranks: None)
    names = SimpleNamespace(names=SimpleNamespace(predicates=["on", "by"]))
    monkeypatch.setattr(measurements.facts, "load", lambda params: names)
    measured = measurements.measure(MINI, ranks)["paper_images"]
    if left is None:
        assert measured is None
    else:
        under_paper = dataclasses.replace(ranks, protocol=PAPER)
        assert measured["images"] == len(left)
        assert measured["metrics"]["R@20"]["value"] == metrics(under_paper)["R@20"] == 0.5
        assert measured["metrics"]["mR@20"]["value"] == metrics(under_paper)["mR@20"]


KEY = next(iter(MINI.experiments))


@pytest.fixture
def answered(monkeypatch, tmp_path):
    """Two validation images with a relation each, found early at places 0 and 60, in the end at 0 and 30."""
    monkeypatch.chdir(tmp_path)
    asked = []

    def rank_truth(params, key, split, weights="model.safetensors"):
        asked.append((key, split, weights))
        last = 60 if weights == "early.safetensors" else 30
        image, ids, places = np.arange(2), np.array([3, 4]), np.array([0, last])
        return Ranks(
            image_ids=ids, boxes=ids, predicted=ids > 0, image=image, triplets=np.ones((2, 3), dtype=int),
            constrained=places, free=places, predicates=3, protocol=DEFAULT, zero_shot=image > 0,
        )  # fmt: skip

    monkeypatch.setattr(measurements, "rank_truth", rank_truth)
    return asked


def test_choices_are_made_on_validation_images_by_recalls_under_graph_constraint(answered):
    measured = measurements.measure_validation(MINI, KEY)
    assert answered == [(KEY, "validation", "model.safetensors")] and measured["images"] == 2
    assert measured["metrics"].keys() == {"R@20", "R@50", "R@100", "mR@20", "mR@50", "mR@100"}
    assert measured["metrics"]["R@20"] == {"value": 0.5, "low": 0.0, "high": 1.0}
    assert measured["metrics"]["R@50"]["value"] == 1.0
    assert measured.keys() == {"images", "metrics"}  # nothing was trained


def test_the_last_quarter_is_measured_on_the_same_images(answered):
    folder = measurements.scene_graphs.folder(MINI, KEY)
    folder.mkdir(parents=True)
    (folder / "early.safetensors").touch()
    measured = measurements.measure_validation(MINI, KEY)
    assert measured["early"].keys() == measured["gain"].keys() == measured["metrics"].keys()
    assert [measured["early"][name]["value"] for name in ("R@20", "R@50", "R@100")] == [0.5, 0.5, 1.0]
    assert [measured["gain"][name]["difference"] for name in ("R@20", "R@50", "R@100")] == [0.0, 0.5, 0.0]
    assert (measured["gain"]["R@50"]["low"], measured["gain"]["R@50"]["high"]) == (0.0, 1.0)
