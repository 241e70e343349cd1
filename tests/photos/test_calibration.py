"""Calibration by hand, and on probabilities whose fault is known."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from segsg.photos.calibration import at_threshold, best_threshold, calibrate
from segsg.photos.relater import Calibration
from segsg.photos.reliability import reliability, reliability_figure, wilson


def test_reliability_by_hand():
    """Two bins: (0.1, 0.3) of which one is so, and (1.0,) which is not."""
    diagram = reliability(np.array([0.1, 0.3, 1.0]), np.array([True, False, False]), bins=2)
    assert diagram.counts == [2, 1]
    assert_allclose([diagram.said, diagram.found], [[0.2, 1.0], [0.5, 0.0]])
    assert diagram.error == pytest.approx((2 * 0.3 + 1 * 1.0) / 3)


def test_reliability_of_nothing():
    diagram = reliability(np.zeros(0), np.zeros(0, dtype=bool))
    assert diagram.counts == [] and diagram.error == 0


def overconfident(n=20_000):
    """Probabilities p that are so as often as sigmoid(logit(p) / 2 - 1) says."""
    random = np.random.default_rng(0)
    logits = random.normal(size=n) * 3
    so = random.random(n) < 1 / (1 + np.exp(-(logits / 2 - 1)))
    return 1 / (1 + np.exp(-logits)), so


def test_a_known_fault_is_found_and_mended():
    said, so = overconfident()
    found = calibrate(said, so)
    assert found.slope == pytest.approx(0.5, abs=0.02) and found.offset == pytest.approx(-1, abs=0.05)
    mended = found(torch.from_numpy(said)).numpy()
    assert reliability(said, so).error > 0.15
    assert reliability(mended, so).error < 0.015
    assert (np.diff(mended[np.argsort(said)]) >= 0).all()


def test_what_says_nothing_changes_nothing():
    said = torch.tensor([0.0, 0.25, 0.999, 1.0])
    assert_allclose(Calibration()(said).numpy(), said.numpy(), atol=1e-6)
    assert Calibration()(torch.zeros(0)).shape == (0,)


@pytest.mark.parametrize("so", [True, False])
def test_one_outcome_alone_cannot_be_calibrated(so):
    with pytest.raises(ValueError, match="2 relations are annotated; to calibrate takes some that are, and not"):
        calibrate(np.array([0.2, 0.8]), np.array([so, so]))


def slow_f1(said, so, threshold):
    hits = sum(s >= threshold and y for s, y in zip(said, so, strict=True))
    return 2 * hits / (sum(s >= threshold for s in said) + sum(so))


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_is_the_best_of_all(seed):
    random = np.random.default_rng(seed)
    said = random.integers(0, 8, size=30) / 8
    so = random.random(30) < 0.2 + said / 2
    best = best_threshold(said, so)
    assert best in said
    assert slow_f1(said, so, best) == max(slow_f1(said, so, threshold) for threshold in said)


def test_what_a_threshold_keeps():
    kept = at_threshold(np.array([0.9, 0.5, 0.4]), np.array([True, False, True]), 0.5)
    assert kept == {"shown": 2, "precision": 0.5, "recall": 0.5}
    nothing = at_threshold(np.array([0.1]), np.array([False]), 0.5)
    assert nothing["shown"] == 0 and np.isnan(nothing["precision"]) and nothing["recall"] == 0


def test_the_diagram_has_each_curve_with_its_error():
    draws = np.random.default_rng(0)
    said = draws.random(400)
    one = reliability(said, draws.random(400) < said)
    figure = reliability_figure({"before": one, "after": reliability(said**2, draws.random(400) < said**2)})
    upper, lower = figure.axes
    texts = [text.get_text() for text in upper.get_legend().get_texts()]
    assert texts[0] == f"before: error {one.error:.4f}" and len(texts) == 2
    assert_allclose(lower.get_lines()[0].get_ydata(), one.counts)
    assert_allclose(upper.get_lines()[1].get_xydata(), np.stack([one.said, one.found], axis=1))


def test_intervals_are_wilsons():
    """Of 10 of which none is so the interval ends at z^2 / (10 + z^2), of 4 with half so it is symmetric."""
    low, high = wilson(np.array([0.0, 0.5, 1.0]), np.array([10, 4, 1]))
    assert_allclose(high[0], 1.96**2 / (10 + 1.96**2))
    assert_allclose(low[1] + high[1], 1)
    assert low[0] == 0 and high[2] == 1
