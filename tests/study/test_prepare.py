import itertools
import json

import pytest
import torch

from segsg.data.views import ImageSet
from segsg.files import DataError
from segsg.study.prepare import known_pairs, predicate_counts, triplets, zero_shot

CLASSES, PREDICATES = 5, 4


class Drawn(ImageSet):
    """Random annotations, among them images without boxes, without relations and without overlaps."""

    def __init__(self, images, seed=0):
        generator = torch.Generator().manual_seed(seed)
        self.annotations = [
            self._draw(int(torch.randint(0, 6, (), generator=generator)), generator) for _ in range(images)
        ]

    def _draw(self, regions, generator):
        corners = torch.rand(regions, 2, generator=generator) * 10
        boxes = torch.cat([corners, corners + torch.rand(regions, 2, generator=generator) * 5 + 0.1], dim=1)
        labels = torch.randint(1, CLASSES, (regions,), generator=generator)
        rows = 4 if regions else 0
        ends = torch.randint(0, max(regions, 1), (rows, 2), generator=generator)
        return boxes, labels, torch.cat([ends, torch.randint(1, PREDICATES, (rows, 1), generator=generator)], dim=1)

    def __len__(self):
        return len(self.annotations)

    def annotation(self, index):
        return self.annotations[index]


def slow_counts(data):
    counts = torch.zeros(CLASSES, CLASSES, PREDICATES, dtype=torch.int64)
    for boxes, labels, relations in data.annotations:
        for subject, object_, predicate in relations.tolist():
            counts[labels[subject], labels[object_], predicate] += 1
        pairs = list(itertools.permutations(range(len(labels)), 2))
        crossing = [pair for pair in pairs if slow_overlap(*boxes[list(pair)].tolist())]
        for subject, object_ in crossing or pairs:
            counts[labels[subject], labels[object_], 0] += 1
    return counts


def slow_overlap(a, b):
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


def slow_triplets(data):
    return {
        (int(labels[s]), p, int(labels[o]))
        for _, labels, relations in data.annotations
        for s, o, p in relations.tolist()
    }


@pytest.mark.parametrize("images", [0, 1, 40])
def test_counts_are_those_of_a_slow_loop(images):
    data = Drawn(images)
    assert torch.equal(predicate_counts(data, CLASSES, PREDICATES), slow_counts(data))


def test_triplets_are_distinct_and_sorted():
    data = Drawn(40)
    assert [tuple(row) for row in triplets(data).tolist()] == sorted(slow_triplets(data))
    assert triplets(Drawn(0)).shape == (0, 3)


@pytest.mark.parametrize("train, test", [(3, 6), (0, 4), (6, 0), (40, 40)])
def test_zero_shot_triplets_are_the_test_splits_alone(train, test):
    seen, asked = Drawn(train, 1), Drawn(test, 2)
    expected = sorted(slow_triplets(asked) - slow_triplets(seen))
    assert [tuple(row) for row in zero_shot(seen, asked).tolist()] == expected


def test_name_pairs_of_another_mask_set_stop_the_data_stage(tmp_path):
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps({"table": "dining table", "jacket": "person"}))
    assert known_pairs(path, ("jacket", "tree"), ("person",))["jacket"] == "person"
    with pytest.raises(
        DataError, match=r"pairs\.json: name pair 'table': 'dining table' is no mask class.*data\.name_pairs"
    ):
        known_pairs(path, ("table", "tree"), ("person", "bench"))
