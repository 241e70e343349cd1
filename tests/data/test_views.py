import torch

from segsg.data.loading import seeded
from segsg.data.views import OverlappingRelations, Subset, one_predicate_per_pair, overlap
from segsg.data.visual_genome import SceneGraphSet
from segsg.structures import Sample


def with_relations(rows):
    relations = torch.tensor(rows, dtype=torch.int64).reshape(-1, 3)
    return Sample(1, torch.zeros(3, 2, 2, dtype=torch.uint8), torch.zeros(3, 4), torch.zeros(3).long(), relations)


def test_boxes_that_touch_do_not_overlap():
    boxes = torch.tensor([[0.0, 0, 2, 2], [2, 0, 3, 2], [1, 1, 4, 4]])
    pairs = torch.tensor([[0, 1], [0, 2], [2, 1], [0, 0]])
    assert overlap(boxes, pairs).tolist() == [False, True, True, True]
    assert overlap(boxes, torch.zeros(0, 2, dtype=torch.int64)).shape == (0,)


def test_relations_of_boxes_apart_are_left_out_and_images_with_them(graph_files):
    graph_files.arrays["boxes_1024"][1] = [20, 20, 10, 10]
    graph_files.arrays["boxes_1024"][6] = [900, 20, 10, 10]
    data = OverlappingRelations(SceneGraphSet(*graph_files.write(), "train"))
    assert data.image_ids == [11] and data.shared_ids == [None]
    assert data.annotation(0)[2].tolist() == data[0].relations.tolist() == [[0, 2, 1]]
    assert len(data[0].boxes) == 3


def test_a_subset_is_read_as_its_set(graph_files):
    whole = SceneGraphSet(*graph_files.write(), "train", keep_empty=True)
    part = Subset(whole, [2, 1])
    assert part.image_ids == [14, 13] and part.shared_ids == [None, 901] and part.vocabulary is whole.vocabulary
    assert torch.equal(part[1].boxes, whole[1].boxes) and len(part) == 2


def test_each_pair_keeps_one_of_its_predicates():
    rows = [[0, 1, 3], [0, 1, 4], [1, 0, 5], [0, 1, 3], [2, 0, 6]]
    kept = one_predicate_per_pair(with_relations(rows), seeded(0)).relations.tolist()
    assert sorted(row[:2] for row in kept) == [[0, 1], [1, 0], [2, 0]]
    assert all(row in rows for row in kept)


def test_a_copy_is_one_more_chance():
    rows = [[0, 1, 3], [0, 1, 4], [0, 1, 3]]
    drawn = [one_predicate_per_pair(with_relations(rows), seeded(i)).relations[0, 2].item() for i in range(600)]
    assert 340 < drawn.count(3) < 460


def test_no_relations_stay_none():
    assert one_predicate_per_pair(with_relations([]), seeded(0)).relations.shape == (0, 3)
