"""Averages over images and predicates, and the switches that change only these."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segsg.evaluation.matching import MISSED
from segsg.evaluation.metrics import frequency_groups, metrics, per_predicate, tables
from segsg.evaluation.protocol import DEFAULT, PAPER, PROTOCOLS, SCENE_GRAPH_BENCHMARK, Protocol
from segsg.evaluation.ranks import Ranks


def ranks_of(rows, boxes=None, predicted=None, predicates=4, **more):
    """`rows` are (image, predicate, rank); the free ranks are one later."""
    rows = np.array(rows, dtype=np.int64).reshape(-1, 3)
    images = len(boxes) if boxes is not None else int(rows[:, 0].max(initial=-1)) + 1
    triplets = np.stack([np.ones(len(rows), dtype=int), rows[:, 1], np.ones(len(rows), dtype=int)], axis=1)
    return Ranks(
        image_ids=np.arange(images) + 10, boxes=np.array(boxes if boxes is not None else [2] * images),
        predicted=np.array(predicted if predicted is not None else [True] * images), image=rows[:, 0],
        triplets=triplets, constrained=rows[:, 2], free=np.where(rows[:, 2] == MISSED, MISSED, rows[:, 2] + 1),
        predicates=predicates, protocol=DEFAULT, **more,
    )  # fmt: skip


def under(ranks, **switches):
    """The same ranks averaged by other rules."""
    return replace(ranks, protocol=replace(DEFAULT, **switches))


ROWS = [(0, 1, 0), (0, 1, MISSED), (0, 2, 30), (1, 1, MISSED), (1, 1, MISSED), (1, 1, MISSED), (2, 2, 5), (2, 3, 99)]


def test_rank_counts_from_zero():
    values = metrics(ranks_of([(0, 1, 19), (1, 1, 20), (2, 1, 49), (3, 1, 99)]))
    assert [values[f"R@{k}"] for k in (20, 50, 100)] == [0.25, 0.75, 1.0]
    assert [values[f"ngR@{k}"] for k in (20, 50, 100)] == [0.0, 0.5, 0.75]


def test_recalls_by_hand():
    values = metrics(ranks_of(ROWS))
    assert values["R@20"] == pytest.approx((1 / 3 + 0 + 1 / 2) / 3)
    assert values["mR@20"] == pytest.approx(((1 / 2 + 0) / 2 + (0 + 1) / 2 + 0) / 3)
    assert values["mR_pooled@20"] == pytest.approx((1 / 5 + 1 / 2 + 0) / 3)
    assert values["mR@100"] == pytest.approx(((1 / 2 + 0) / 2 + 1 + 1) / 3)


def test_ref_differs_by_exactly_the_slot_of_predicate_one():
    values = metrics(ranks_of(ROWS))
    overwritten = ((1 + 1) / (3 + 2) + (0 + 0) / (3 + 3) + (1 + 0) / (2 + 0)) / 3
    true = (1 / 2 + 0) / 2
    assert values["mR_ref@20"] - values["mR@20"] == pytest.approx((overwritten - true) / 3)


@settings(max_examples=25, deadline=None)
@given(data=st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3), st.booleans()), min_size=1, max_size=40))
def test_ref_minus_plain_is_the_slot_minus_the_recall_of_predicate_one_over_all_predicates(data):
    rows = [(image, predicate, 0 if hit else MISSED) for image, predicate, hit in sorted(data)]
    slots, own = [], []
    for image in {row[0] for row in rows}:
        hits = [found == 0 for i, _, found in rows if i == image]
        hits_of_one = [found == 0 for i, predicate, found in rows if (i, predicate) == (image, 1)]
        slots.append(sum(hits + hits_of_one) / len(hits + hits_of_one))
        own += [sum(hits_of_one) / len(hits_of_one)] if hits_of_one else []
    difference = (sum(slots) / len(slots) - (sum(own) / len(own) if own else 0)) / 3
    values = metrics(ranks_of(rows))
    assert values["mR_ref@20"] - values["mR@20"] == pytest.approx(difference, abs=1e-12)


def test_ref_is_a_point_too_high_where_recalls_are_those_of_visual_genome():
    # PredCls: 65 % of all relations are found, 15 % of those of predicate 1, which is rare.
    random = np.random.default_rng(0)
    rows = [
        (image, predicate, 0 if random.random() < (0.15 if predicate == 1 else 0.65) else MISSED)
        for image in range(3000)
        for predicate in [int(image % 15 == 0) or int(random.integers(2, 51)), *random.integers(2, 51, 5).tolist()]
    ]
    values = metrics(ranks_of(rows, predicates=51))
    assert 100 * (values["mR_ref@20"] - values["mR@20"]) == pytest.approx(1.0, abs=0.1)


def test_ref_fills_the_slot_even_where_predicate_one_is_absent():
    values = metrics(ranks_of([(0, 2, 0), (0, 3, MISSED)]))
    assert values["mR@20"] == pytest.approx(1 / 3)
    assert values["mR_ref@20"] == pytest.approx((1 / 2 + 1) / 3)


def test_absent_predicates():
    ranks = ranks_of(ROWS, predicates=6)
    left_out = metrics(under(ranks, absent="left out"))
    assert metrics(ranks)["mR@20"] == pytest.approx(left_out["mR@20"] * 3 / 5)
    assert left_out["mR@20"] == pytest.approx(metrics(ranks_of(ROWS))["mR@20"])


def test_images_left_out():
    ranks = ranks_of(ROWS, boxes=[40, 41, 2], predicted=[True, True, False])
    assert metrics(ranks)["R@20"] == pytest.approx((1 / 3 + 0 + 1 / 2) / 3)
    assert metrics(under(ranks, most_boxes=40))["R@20"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert metrics(under(ranks, skip_empty=True))["R@20"] == pytest.approx((1 / 3 + 0) / 2)
    both = under(ranks, most_boxes=40, skip_empty=True)
    assert metrics(both)["R@20"] == pytest.approx(1 / 3)


def test_zero_shot_only_over_images_that_have_it():
    flags = np.array([True, True, False, False, False, False, False, True])
    values = metrics(ranks_of(ROWS, zero_shot=flags))
    assert values["zsR@20"] == pytest.approx((1 / 2 + 0) / 2)
    assert values["zsR@100"] == pytest.approx((1 / 2 + 1) / 2)
    assert values["ng-zsR@100"] == pytest.approx((1 / 2 + 0) / 2)
    assert "zsR@20" not in metrics(ranks_of(ROWS))


def test_groups_are_thirds_by_training_frequency():
    groups = frequency_groups(np.array([999, 5, 50, 5, 700, 6, 2, 5]))
    assert {name: (np.flatnonzero(chosen) + 1).tolist() for name, chosen in groups.items()} == {
        "head": [2, 4, 5], "body": [1, 3], "tail": [6, 7]
    }  # fmt: skip
    values = metrics(ranks_of(ROWS, training_counts=np.array([0, 3, 2, 1])))
    assert [values[f"mR_{group}@20"] for group in ("head", "body", "tail")] == [0.25, 0.5, 0.0]
    assert "mR_head@20" not in metrics(ranks_of(ROWS))


def test_f1():
    values = metrics(ranks_of(ROWS))
    a, b = values["R@20"], values["mR@20"]
    assert values["F1@20"] == pytest.approx(2 * a * b / (a + b))
    assert metrics(ranks_of([(0, 1, MISSED)]))["F1@20"] == 0


def test_per_predicate_columns():
    columns = per_predicate(ranks_of(ROWS, predicates=5, training_counts=np.array([0, 8, 5, 2, 1])))
    assert columns["rows"] == [5, 2, 1, 0]
    assert columns["images"] == [2, 2, 1, 0]
    assert columns["R@20"] == [0.25, 0.5, 0.0, None]
    assert columns["ngR@100"] == [0.25, 1.0, 0.0, None]
    assert columns["group"] == ["head", "head", "body", "tail"]
    assert columns["training"] == [8, 5, 2, 1]


def test_metrics_under_weights_are_metrics_of_repeated_images():
    weighted = tables(ranks_of(ROWS)).metrics(np.array([[2.0, 0.0, 1.0]]))
    first, last = [row for row in ROWS if row[0] == 0], [(2, *row[1:]) for row in ROWS if row[0] == 2]
    repeated = metrics(ranks_of(first + [(1, *row[1:]) for row in first] + last))
    for name, value in repeated.items():
        assert weighted[name][0] == pytest.approx(value), name


def test_presets():
    assert (DEFAULT.pixel, DEFAULT.skip_empty, DEFAULT.most_boxes, DEFAULT.absent) == (0, False, None, "zero")
    assert (PAPER.overlapping_pairs, PAPER.most_boxes, PAPER.pixel) == (True, 40, 0)
    assert (SCENE_GRAPH_BENCHMARK.pixel, SCENE_GRAPH_BENCHMARK.skip_empty) == (1, False)
    assert set(PROTOCOLS.values()) == {DEFAULT, PAPER, SCENE_GRAPH_BENCHMARK}


@pytest.mark.parametrize("depths", [(), (50, 20), (20, 20), (0, 20)])
def test_wrong_depths(depths):
    with pytest.raises(ValueError, match="ascending"):
        Protocol(depths=depths)
