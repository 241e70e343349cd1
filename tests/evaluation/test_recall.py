"""The vectorised family against one relation at a time, and what must hold whatever the images."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segsg.evaluation.matching import MISSED
from segsg.evaluation.metrics import metrics, named
from segsg.evaluation.protocol import DEFAULT, PAPER, SCENE_GRAPH_BENCHMARK, Protocol
from segsg.evaluation.ranks import Recall, SideBySide, evaluate, is_member

DEPTHS = (1, 2, 3, 8)
SHALLOW = replace(DEFAULT, depths=DEPTHS)
ZERO_SHOT = np.array([[s, p, o] for s in range(1, 4) for p in range(1, 5) for o in range(1, 4) if (s + p + o) % 3 == 0])
PROTOCOLS = {
    "default": DEFAULT,
    "paper": replace(PAPER, most_boxes=4),
    "benchmark": SCENE_GRAPH_BENCHMARK,
    "absent": Protocol(absent="left out", iou=0.3),
}
TASKS = ("predcls", "sgcls", "sgdet")


def ranks_of(images, task, protocol=SHALLOW):
    recall = Recall(task, 5, ZERO_SHOT, np.array([0, 7, 9, 2, 1]), protocol)
    return evaluate((truth for truth, _ in images), (graph for _, graph in images), recall)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=list(PROTOCOLS))
@pytest.mark.parametrize("seed", range(4))
def test_slow_twin(task, protocol, seed, make):
    protocol = replace(protocol, depths=DEPTHS)
    images = make.images(3 + 10 * seed, seed, task)
    values = metrics(ranks_of(images, task, protocol))
    zero_shot = set(map(tuple, ZERO_SHOT.tolist()))
    for free, prefix in enumerate(("", "ng-")):
        for depth in DEPTHS:
            for name, value in make.slow(images, zero_shot, task, protocol, free, depth).items():
                assert values[named(prefix, name, depth)] == pytest.approx(value, abs=1e-12, nan_ok=True), name


@pytest.mark.parametrize("task", TASKS)
def test_made_images_are_worth_testing_on(task, make):
    ranks = ranks_of(make.images(33, 3, task), task)
    for found in (ranks.constrained, ranks.free):
        assert (found < DEPTHS[-1]).sum() > 5
        assert (found == MISSED).sum() > 5
    assert not ranks.predicted.all()
    assert ranks.zero_shot.any() and not ranks.zero_shot.all()


def perfect(image_id, truth, make):
    """A graph that gives every true row a probability of 1. Only for truths with one predicate for a pair."""
    pairs, rows = np.unique(truth.relations[:, :2], axis=0, return_index=True)
    probabilities = np.eye(make.predicates)[truth.relations[rows, 2]]
    return make.graph(image_id, truth.boxes, truth.labels, np.ones(len(truth.boxes)), pairs, probabilities)


def single(truth):
    """`truth` with one predicate for each pair."""
    _, rows = np.unique(truth.relations[:, :2], axis=0, return_index=True)
    return replace(truth, relations=truth.relations[rows])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), task=st.sampled_from(TASKS))
def test_oracle(seed, task, make):
    truths = [single(truth) for truth, _ in make.images(6, seed, task)]
    images = [(truth, perfect(i, truth, make)) for i, truth in enumerate(truths)]
    values = metrics(ranks_of(images, task, Protocol(depths=(30,), absent="left out")))
    for name in ("R", "zsR", "mR", "mR_pooled", "mR_ref", "F1"):
        assert values[named("", name, 30)] == 1 or np.isnan(values[named("", name, 30)])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), task=st.sampled_from(TASKS))
def test_order_of_images_changes_nothing(seed, task, make):
    images = make.images(7, seed, task)
    straight = metrics(ranks_of(images, task))
    shuffled = [images[i] for i in np.random.default_rng(seed).permutation(7)]
    other = metrics(ranks_of(shuffled, task))
    assert np.array_equal(list(straight.values()), list(other.values()), equal_nan=True)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), task=st.sampled_from(TASKS))
def test_order_of_predictions_changes_nothing(seed, task, make):
    random = np.random.default_rng(seed)
    images, shuffled = make.images(4, seed, task), []
    for i, (truth, graph) in enumerate(images):
        scores = torch.from_numpy(random.random(len(graph.scores)) + 0.01).float().clamp(max=1)
        graph = replace(graph, scores=scores, predicate_probabilities=torch.from_numpy(
            random.random(tuple(graph.predicate_probabilities.shape)).astype(np.float32)))  # fmt: skip
        order = torch.from_numpy(random.permutation(len(graph.pairs)))
        images[i] = (truth, graph)
        shuffled.append((truth, replace(graph, pairs=graph.pairs[order],
                                        predicate_probabilities=graph.predicate_probabilities[order])))  # fmt: skip
    first, second = ranks_of(images, task), ranks_of(shuffled, task)
    assert np.array_equal(first.constrained, second.constrained)
    assert np.array_equal(first.free, second.free)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), task=st.sampled_from(TASKS))
def test_a_wrong_prediction_at_the_end_changes_nothing(seed, task, make):
    images = make.images(4, seed, task)
    extended = []
    for truth, graph in images:
        taken = set(map(tuple, graph.pairs.tolist()))
        regions = range(len(graph.scores))
        new = [(s, o) for s in regions for o in regions if s != o and (s, o) not in taken][:1]
        pairs = torch.cat([graph.pairs, torch.tensor(new, dtype=torch.int64).reshape(-1, 2)])
        added = torch.zeros(len(new), make.predicates)
        extended.append((truth, replace(graph, pairs=pairs, predicate_probabilities=torch.cat(
            [graph.predicate_probabilities, added]))))  # fmt: skip
    before, after = ranks_of(images, task), ranks_of(extended, task)
    for name in ("constrained", "free"):
        old, new = getattr(before, name), getattr(after, name)
        assert np.array_equal(old[old != MISSED], new[old != MISSED])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), task=st.sampled_from(TASKS))
def test_more_predictions_never_lower_recall(seed, task, make):
    values = metrics(ranks_of(make.images(6, seed, task), task))
    for prefix in ("", "ng-"):
        for name in ("R", "mR", "mR_pooled", "mR_ref", "zsR"):
            series = np.array([values[named(prefix, name, depth)] for depth in DEPTHS])
            assert np.isnan(series).all() or (np.diff(series) >= -1e-12).all()


def test_images_without_predictions_or_relations(make):
    boxes, labels = [[0, 0, 5, 5], [3, 3, 9, 9]], [1, 2]
    truth, lonely = make.truth(boxes, labels, [[0, 1, 1]]), make.truth(boxes, labels, [])
    hit = make.graph(0, boxes, labels, [1, 1], [[0, 1]], [[0, 1, 0, 0, 0]])
    images = [(truth, hit), (truth, make.graph(1, [], [], [], [], [])), (lonely, replace(hit, image_id=2))]
    ranks = ranks_of(images, "sgdet")
    assert metrics(ranks)["R@1"] == 0.5
    assert metrics(replace(ranks, protocol=replace(ranks.protocol, skip_empty=True)))["R@1"] == 1
    assert np.isnan(metrics(ranks_of(images[2:], "sgdet"))["R@1"])
    assert np.isnan(metrics(ranks_of([], "sgdet"))["R@1"])


def test_overlapping_pairs_only_in_sgdet(make):
    boxes, labels = [[0, 0, 5, 5], [6, 0, 9, 9]], [1, 2]
    truth = make.truth(boxes, labels, [[0, 1, 1]])
    graph = make.graph(0, boxes, labels, [1, 1], [[0, 1]], [[0, 1, 0, 0, 0]])
    for task, value in (("sgdet", 0), ("sgcls", 1), ("predcls", 1)):
        assert metrics(ranks_of([(truth, graph)], task, PAPER))["R@20"] == value
        assert metrics(ranks_of([(truth, graph)], task))["R@1"] == 1
    # With inclusive pixels boxes one apart still do not meet, but touching ones do.
    touching = make.graph(0, [[0, 0, 5, 5], [5, 0, 9, 9]], labels, [1, 1], [[0, 1]], [[0, 1, 0, 0, 0]])
    assert metrics(ranks_of([(truth, touching)], "sgdet", PAPER))["R@20"] == 0
    assert metrics(ranks_of([(truth, touching)], "sgdet", replace(PAPER, pixel=1.0)))["R@20"] == 1


def test_zero_shot_membership():
    known = np.array([[1, 2, 3], [150, 50, 150]])
    assert is_member(np.array([[1, 2, 3], [3, 2, 1], [150, 50, 150], [150, 50, 149]]), known).tolist() == [1, 0, 1, 0]
    everything = np.stack(np.meshgrid(*[np.arange(1, 9)] * 3), axis=-1).reshape(-1, 3)
    assert is_member(everything, known).sum() == 1
    assert is_member(np.zeros((0, 3), dtype=int), known).tolist() == []


def test_unequal_numbers_of_truths_and_graphs(make):
    images = make.images(2, 0, "predcls")
    with pytest.raises(ValueError, match="shorter"):
        evaluate([truth for truth, _ in images], [images[0][1]], Recall("predcls", 5))


def test_an_image_given_twice(make):
    images = make.images(2, 0, "predcls")
    with pytest.raises(ValueError, match="image 1: evaluated twice"):
        ranks_of([*images, images[1]], "predcls")


@pytest.mark.parametrize("task", TASKS)
def test_protocols_side_by_side(task, make):
    images = make.images(30, 5, task)
    protocols = {name: replace(protocol, depths=DEPTHS) for name, protocol in PROTOCOLS.items()}
    walk = SideBySide({name: Recall(task, 5, ZERO_SHOT, None, protocol) for name, protocol in protocols.items()})
    for truth, graph in images:
        walk.add(truth, graph)
    for name, ranks in walk.ranks().items():
        alone = evaluate(*zip(*images, strict=True), Recall(task, 5, ZERO_SHOT, None, protocols[name]))
        assert metrics(ranks) == pytest.approx(metrics(alone), abs=0, nan_ok=True)
        assert ranks.protocol == protocols[name]
