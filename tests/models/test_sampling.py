"""Pairs of training images and their predicates."""

import torch
from scenes import make

from segsg.kernels.boxes import all_pairs
from segsg.models.scene_graph import (
    PairSampler,
    every_pair,
    overlapping_pairs,
    pair_targets,
    predicate_matrix,
    true_rows,
)


def test_targets_of_true_regions_are_their_relations():
    look, batch = make([3, 2], relations=[[(0, 1, 2), (2, 0, 4)], [(1, 0, 3)]])
    pairs = all_pairs(look.regions.image)
    found = {
        tuple(pair): int(p)
        for pair, p in zip(pairs.tolist(), pair_targets(pairs, look.regions, batch), strict=True)
        if p
    }
    assert found == {(0, 1): 2, (2, 0): 4, (4, 3): 3}


def test_detections_take_the_relation_of_the_boxes_they_cover():
    look, batch = make([2], relations=[[(0, 1, 3)]])
    shifted = torch.cat([batch.boxes[0] + 1, batch.boxes[0][:1] + 100])
    look.regions.boxes.resize_(3, 4).copy_(shifted)
    regions = make([3])[0].regions
    regions.boxes.copy_(shifted)
    pairs = all_pairs(regions.image)
    targets = pair_targets(pairs, regions, batch)
    assert {tuple(pair): int(p) for pair, p in zip(pairs.tolist(), targets, strict=True)}[(0, 1)] == 3
    assert int((targets > 0).sum()) == 1


def test_two_detections_of_one_box_are_no_pair_of_a_relation():
    regions, batch = make([2])[0].regions, make([1], relations=[[(0, 0, 2)]])[1]
    regions.boxes.copy_(batch.boxes[0].expand(2, 4))
    assert pair_targets(all_pairs(regions.image), regions, batch).tolist() == [0, 0]


def test_identical_true_boxes_keep_their_own_rows():
    boxes = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 9], [20, 20, 30, 30]])
    assert true_rows(boxes, boxes).tolist() == [0, 1, 2]
    assert true_rows(boxes[:2], boxes).tolist() == [0, 0]  # detections: nothing tells them apart


def test_true_rows_without_truth():
    assert true_rows(torch.rand(3, 4), torch.zeros(0, 4)).tolist() == [-1, -1, -1]


def test_last_listed_relation_of_a_pair_counts():
    assert predicate_matrix(torch.tensor([[0, 1, 2], [0, 1, 3]]), 2).tolist() == [[0, 3], [0, 0]]


def test_sampler_keeps_shares_and_images_apart():
    relations = [[(i, j, 1) for i in range(6) for j in range(6) if i != j and i < 3], []]
    look, batch = make([6, 5], relations=relations)
    torch.manual_seed(0)
    pairs, targets = PairSampler(16, 0.25)(every_pair(look.regions), look.regions, batch)
    image = look.regions.image[pairs[:, 0]]
    assert (image == look.regions.image[pairs[:, 1]]).all()
    assert torch.bincount(image).tolist() == [16, 16]
    assert int((targets > 0).sum()) == 4
    assert len(torch.unique(pairs, dim=0)) == len(pairs)


def test_sampler_takes_what_there_is():
    look, batch = make([1, 2], relations=[[], [(0, 1, 1), (1, 0, 1)]])
    pairs, targets = PairSampler(64, 0.5)(every_pair(look.regions), look.regions, batch)
    assert pairs.tolist() == [[1, 2], [2, 1]] and targets.tolist() == [1, 1]


def test_sampler_draws_from_the_candidates_alone():
    look, batch = make([3], relations=[[(0, 2, 1), (0, 1, 3)]])
    look.regions.boxes.copy_(torch.tensor([[0.0, 0, 9, 9], [4, 4, 12, 12], [40, 40, 50, 50]]))
    batch.boxes[0].copy_(look.regions.boxes)
    pairs, targets = PairSampler(64, 0.5)(overlapping_pairs(look.regions), look.regions, batch)
    assert pairs.tolist() == [[0, 1], [1, 0]] and targets.tolist() == [3, 0]


def test_sampler_without_regions():
    look, batch = make([0])
    pairs, targets = PairSampler(64, 0.5)(every_pair(look.regions), look.regions, batch)
    assert pairs.shape == (0, 2) and len(targets) == 0
