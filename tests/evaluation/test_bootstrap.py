"""Intervals and p-values: against a loop over draws, and where the answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from segsg.evaluation import bootstrap
from segsg.evaluation.bootstrap import (
    compare,
    compare_predicates,
    draws,
    image_weights,
    interval,
    p_value,
    share_closed,
    summarize,
)
from segsg.evaluation.metrics import metrics, tables
from segsg.evaluation.protocol import DEFAULT
from segsg.evaluation.ranks import Ranks


def ranks_of(hits, predicate=None, image_ids=None):
    """One row for each image, found at once or not at all."""
    hits = np.array(hits, dtype=bool)
    n = len(hits)
    predicate = np.ones(n, dtype=int) if predicate is None else np.array(predicate)
    triplets = np.stack([np.ones(n, dtype=int), predicate, np.ones(n, dtype=int)], axis=1)
    found = np.where(hits, 0, 1000)
    ids = np.arange(n) if image_ids is None else np.array(image_ids)
    return Ranks(
        image_ids=ids, boxes=np.full(n, 2), predicted=np.ones(n, dtype=bool), image=np.arange(n), triplets=triplets,
        constrained=found, free=found, predicates=4, protocol=DEFAULT,
    )  # fmt: skip


def test_weights_are_draws_with_replacement():
    weights = np.concatenate(list(image_weights(images=50, resamples=400, seed=0)))
    assert weights.shape == (400, 50)
    assert (weights.sum(axis=1) == 50).all()
    assert weights.mean() == 1
    assert weights.var() == pytest.approx(1 - 1 / 50, abs=0.05)


def test_blocks_do_not_change_the_draws_but_their_size_is_bounded(monkeypatch):
    ranks = ranks_of(np.random.default_rng(0).random(30) < 0.4, np.arange(30) % 3 + 1)
    whole = summarize(ranks, resamples=100)
    monkeypatch.setattr(bootstrap, "CELLS", 90)
    blocks = list(image_weights(30, 100, 0))
    assert max(len(block) for block in blocks) == 3
    assert summarize(ranks, resamples=100) == whole


def test_each_draw_is_the_metric_of_the_drawn_images():
    random = np.random.default_rng(1)
    hits, predicate = random.random(12) < 0.5, np.arange(12) % 3 + 1
    (drawn,) = draws([tables(ranks_of(hits, predicate))], resamples=20, seed=3)
    for k, weight in enumerate(np.concatenate(list(image_weights(12, 20, 3))).astype(int)):
        picked = np.repeat(np.arange(12), weight)
        expected = metrics(ranks_of(hits[picked], predicate[picked]))
        present = len(np.unique(predicate[picked]))
        assert drawn["R@20"][k] == pytest.approx(expected["R@20"])
        assert drawn["mR@20"][k] == pytest.approx(expected["mR@20"] * 3 / present)


def test_interval_of_a_share_is_the_binomial_one():
    values = summarize(ranks_of([True] * 40 + [False] * 60), resamples=4000)["R@20"]
    assert values["value"] == 0.4
    assert values["low"] == pytest.approx(0.4 - 1.96 * np.sqrt(0.24 / 100), abs=0.015)
    assert values["high"] == pytest.approx(0.4 + 1.96 * np.sqrt(0.24 / 100), abs=0.015)


def test_confidence_and_seed():
    ranks = ranks_of([True] * 40 + [False] * 60)
    wide, narrow = (summarize(ranks, 500, confidence)["R@20"] for confidence in (0.99, 0.5))
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]
    assert summarize(ranks, 500) == summarize(ranks, 500)
    assert summarize(ranks, 500) != summarize(ranks, 500, seed=1)


def test_a_certain_number_has_no_width():
    values = summarize(ranks_of([True] * 9), 50)["R@20"]
    assert values == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_interval_leaves_out_draws_without_value():
    assert interval(np.array([np.nan, 1.0, 3.0]), 1.0) == (1.0, 3.0)
    assert np.isnan(interval(np.array([np.nan]), 0.95)).all()


def test_pairing_sees_what_separate_intervals_cannot():
    random = np.random.default_rng(0)
    easy = random.random(400) < 0.5
    better = easy | (random.random(400) < 0.05)
    result = compare(ranks_of(easy), ranks_of(better))["R@20"]
    assert result["difference"] == pytest.approx(better.mean() - easy.mean())
    assert 0 < result["low"] < result["difference"] < result["high"]
    assert result["p"] < 0.01
    separate = [summarize(ranks_of(hits))["R@20"] for hits in (easy, better)]
    assert separate[0]["high"] > separate[1]["low"]


def test_a_system_compared_with_itself():
    ranks = ranks_of(np.arange(30) % 2 == 0)
    result = compare(ranks, ranks, 100)["mR@50"]
    assert result["baseline"] == result["system"] == pytest.approx(0.5 / 3)
    assert (result["difference"], result["low"], result["high"], result["p"]) == (0, 0, 0, 1)


def test_comparison_is_antisymmetric():
    random = np.random.default_rng(5)
    first, second = ranks_of(random.random(60) < 0.4), ranks_of(random.random(60) < 0.6)
    there, back = compare(first, second, 200)["R@20"], compare(second, first, 200)["R@20"]
    assert there["difference"] == -back["difference"]
    assert (there["low"], there["high"]) == pytest.approx((-back["high"], -back["low"]))
    assert there["p"] == back["p"]


def test_each_predicate_is_compared_on_the_images_that_have_it():
    predicate = np.arange(60) % 2 + 1
    easy = np.random.default_rng(2).random(60) < 0.3
    better = easy | (predicate == 2)
    first, second, absent = compare_predicates(ranks_of(easy, predicate), ranks_of(better, predicate))["R@20"]
    assert absent is None
    assert (first["difference"], first["low"], first["high"], first["p"]) == (0, 0, 0, 1)
    missed = 1 - easy[predicate == 2].mean()
    assert (second["system"], second["difference"]) == (1, pytest.approx(missed))
    assert second["p"] < 0.01
    assert second["low"] == pytest.approx(missed - 1.96 * np.sqrt(missed * (1 - missed) / 30), abs=0.05)


def test_p_value_by_hand():
    assert p_value(np.array([1.0] * 99)) == pytest.approx(0.02)
    assert p_value(np.array([1.0, -1.0, 0.0])) == 1.0
    assert p_value(np.array([-1.0] * 98 + [1.0])) == pytest.approx(0.04)


def test_different_images_or_protocols_are_refused():
    first = ranks_of([True, False])
    with pytest.raises(ValueError, match="different images"):
        compare(first, ranks_of([True, False], image_ids=[0, 2]))
    with pytest.raises(ValueError, match="protocols differ"):
        compare(first, replace(first, protocol=replace(DEFAULT, skip_empty=True)))
    with pytest.raises(ValueError, match="true relations differ"):
        compare_predicates(first, ranks_of([True, False], predicate=[1, 2]))


def test_nothing_to_draw_from():
    with pytest.raises(ValueError, match="at least one"):
        summarize(ranks_of([]))
    with pytest.raises(ValueError, match="0 resamples"):
        summarize(ranks_of([True]), resamples=0)


def test_share_of_a_gap_by_hand():
    below, above = np.arange(200) < 60, np.arange(200) < 160
    half = np.arange(200) < 110
    shares = {name: share_closed(*map(ranks_of, (below, system, above)))["R@20"] for name, system in
              (("half", half), ("none", below), ("all", above))}  # fmt: skip
    assert shares["half"]["value"] == pytest.approx(0.5)
    assert 0.35 < shares["half"]["low"] < 0.5 < shares["half"]["high"] < 0.65
    assert shares["none"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert shares["all"] == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_a_gap_that_may_be_none_has_no_share():
    random = np.random.default_rng(2)
    below, system, above = (ranks_of(random.random(80) < 0.5) for _ in range(3))
    assert np.isnan(list(share_closed(below, system, above)["R@20"].values())).all()


def test_equal_trainings_say_what_one_says():
    random = np.random.default_rng(5)
    old, new = (ranks_of(random.random(40) < share) for share in (0.4, 0.6))
    assert compare([old] * 3, [new] * 3, 200)["R@20"] == pytest.approx(compare(old, new, 200)["R@20"])
    assert summarize([old] * 2, 200)["R@20"] == pytest.approx(summarize(old, 200)["R@20"])


def test_trainings_that_differ_widen_the_interval_as_their_spread_says():
    """Each training finds the same share in every draw of images, so all that varies is which trainings are drawn."""
    seeds = [ranks_of([True] * found + [False] * (10 - found)) for found in (3, 5, 7)]
    weights = bootstrap.seed_weights(3, 20_000, 0)
    assert weights.sum(axis=1) == pytest.approx(np.ones(20_000))
    values = np.array([0.3, 0.5, 0.7])
    assert (weights @ values).std() == pytest.approx(values.std(ddof=1) / 3**0.5, rel=0.03)
    pooled, alone = summarize(seeds, 2000)["R@20"], summarize(seeds[1], 2000)["R@20"]
    assert pooled["value"] == pytest.approx(0.5)
    assert pooled["high"] - pooled["low"] > 1.1 * (alone["high"] - alone["low"])


def test_each_training_is_compared_with_that_of_its_seed():
    """The gain is the same for every seed, so the luck that both sides of a seed share does not count."""
    base = [np.arange(30) < found for found in (6, 12, 18)]
    gains = [ranks_of(hits | (np.arange(30) >= 27)) for hits in base]
    found = compare([ranks_of(hits) for hits in base], gains, 500)["R@20"]
    assert found["difference"] == pytest.approx(0.1)
    single = compare(ranks_of(base[0]), gains[0], 500)["R@20"]
    assert (found["low"], found["high"]) == pytest.approx((single["low"], single["high"]))


def test_other_numbers_of_seeds_are_not_compared():
    one = ranks_of([True, False])
    with pytest.raises(ValueError, match=r"\[2, 1\] seeds; give every system the same seeds"):
        compare([one, one], [one])
