import itertools
import threading
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segsg.data.loading import Batches, collate, ordered, padded, prepared, seeded
from segsg.data.photos import MEAN_COLOUR
from segsg.data.views import ImageSet
from segsg.structures import Sample


class Numbered(ImageSet):
    """A data set of `length` small images; image i is image number i."""

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        image = torch.arange(24, dtype=torch.uint8).reshape(1, 4, 6).expand(3, 4, 6)
        box = torch.tensor([[0.0, 0, 1, 1]])
        return Sample(index, image, box, torch.ones(1).long(), torch.zeros(0, 3).long())


def batches(length=10, images=3, seed=0, flip=True, short_sides=(4,), long_side=6, **options):
    return Batches(Numbered(length), images, seed, flip, short_sides, long_side, **options)


def same(first, second):
    return first.image_ids == second.image_ids and torch.equal(first.images, second.images)


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_every_epoch_has_each_image_once(length, images, seed):
    data = batches(length, images, seed)
    stream = list(itertools.chain.from_iterable(data.indices(step) for step in range(3 * length)))
    epochs = [stream[start : start + length] for start in range(0, 3 * length, length)]
    assert all(sorted(epoch) == list(range(length)) for epoch in epochs)


def test_epochs_differ():
    data = batches(20, 20)
    assert data.indices(0) != data.indices(1)


@given(st.integers(0, 500), st.integers(0, 9))
@settings(max_examples=20, deadline=None)
def test_a_resumed_run_sees_the_same_batches(step, seed):
    whole = batches(seed=seed)
    whole.batch(0), whole.batch(step + 7)
    assert same(whole.batch(step), batches(seed=seed).batch(step))


def test_seeds_and_steps_draw_different_flips_and_orders():
    orders = {tuple(batches(50, 50, seed).indices(0)) for seed in range(5)}
    assert len(orders) == 5
    flipped = [tuple((batch.images[:, 0, 0, 0] != 0).tolist()) for batch in map(batches(8, 8).batch, range(6))]
    assert len(set(flipped)) > 3


def test_each_image_is_drawn_a_side_of_its_own_from_the_list():
    data = batches(8, 4, short_sides=(4, 8, 12), long_side=18)
    sizes = [size for step in range(60) for size in data.batch(step).sizes]
    counts = [sizes.count(size) for size in ((4, 6), (8, 12), (12, 18))]
    assert sum(counts) == 240
    assert all(55 < count < 105 for count in counts)  # 80 each, and three deviations of 7.3
    assert any(len(set(data.batch(step).sizes)) > 1 for step in range(10))
    photo = data.batch(0)
    for boxes, scale in zip(photo.boxes, photo.scales, strict=True):
        assert (boxes / scale).tolist() == [[0, 0, 1, 1]] or (boxes / scale).tolist() == [[5, 0, 6, 1]]


def test_a_longer_side_holds_for_drawn_sides_too():
    assert {size for step in range(20) for size in batches(short_sides=(4, 8), long_side=9).batch(step).sizes} == {
        (4, 6),
        (6, 9),
    }


def test_drawn_sides_depend_on_the_place_of_an_image_alone():
    whole, halves = (batches(10, images, short_sides=(4, 8), long_side=12) for images in (4, 2))
    assert whole.batch(3).sizes == halves.batch(6).sizes + halves.batch(7).sizes


def test_half_of_the_images_are_mirrored_and_none_without_flip():
    mirrored = torch.cat([batches(40, 40).batch(step).boxes[0][:, 0] for step in range(60)])
    assert 15 < (mirrored > 0).sum() < 45
    assert all(batches(flip=False).batch(step).images[0, 0, 0, 0] == 0 for step in range(5))


def relabelled(sample, generator):
    return replace(sample, labels=torch.randint(0, 1000, (1,), generator=generator))


def test_what_is_drawn_of_a_sample_is_the_same_in_a_batch_of_any_size():
    whole, halves = (batches(images=images, change=relabelled) for images in (4, 2))
    for step in range(5):
        one, parts = whole.batch(step), [halves.batch(2 * step), halves.batch(2 * step + 1)]
        assert one.image_ids == [image_id for part in parts for image_id in part.image_ids]
        assert torch.equal(one.images, torch.cat([part.images for part in parts]))
        assert torch.equal(torch.cat(one.labels), torch.cat([label for part in parts for label in part.labels]))
        assert one.seeds == [seed for part in parts for seed in part.seeds]


def test_every_visit_of_an_image_has_a_seed_of_its_own():
    seeds = [seed for step in range(50) for seed in batches().batch(step).seeds]
    assert len(set(seeds)) == len(seeds) == 150 and min(seeds) >= 0


def test_more_padding_is_that_of_a_larger_neighbour():
    masks = torch.ones(1, 4, 6, dtype=torch.bool)
    small = replace(Numbered(1)[0], masks=masks)
    wide = replace(small, image=torch.zeros(3, 40, 70, dtype=torch.uint8), masks=torch.ones(1, 40, 70).bool())
    alone, together = padded(collate([small]), 64, 96), collate([small, wide])
    assert torch.equal(alone.images[0], together.images[0]) and torch.equal(alone.masks[0], together.masks[0])
    assert alone.images[0, :, -1, -1].tolist() == list(MEAN_COLOUR) and alone.sizes == [(4, 6)]


def test_a_change_draws_from_the_generator_of_its_place():
    labels = [torch.cat(batches(change=relabelled).batch(step).labels).tolist() for step in (0, 1, 0)]
    assert labels[0] == labels[2] != labels[1]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_made_ahead_come_in_order(workers):
    data = batches()
    made = list(prepared(data.batch, range(4, 12), workers))
    assert len(made) == 8 and all(same(batch, data.batch(step)) for step, batch in enumerate(made, 4))


@pytest.mark.parametrize("workers", [0, 2])
def test_ordered_has_every_image_once_unmirrored(workers):
    made = list(ordered(Numbered(7), 3, 8, 100, workers))
    assert [batch.image_ids for batch in made] == [[0, 1, 2], [3, 4, 5], [6]]
    assert made[0].sizes == [(8, 12)] * 3 and made[0].scales == [2.0] * 3
    assert list(ordered(Numbered(0), 3, 8, 100, workers)) == []


def test_an_error_surfaces_at_its_place_and_stops_the_threads():
    def make(key):
        if key == 3:
            raise ValueError("key 3")
        return key

    found, before = [], threading.active_count()
    with pytest.raises(ValueError, match="key 3"):
        for item in prepared(make, range(100), 2):
            found.append(item)
    assert found == [0, 1, 2] and threading.active_count() == before


def test_leaving_early_makes_few_batches_in_vain():
    made = []
    stream = prepared(lambda key: made.append(key) or key, itertools.count(), 2)
    assert next(stream) == 0
    stream.close()
    assert len(made) < 10


def test_no_images_is_an_error():
    with pytest.raises(ValueError, match="no image to make batches of"):
        batches(0)


def test_generators_of_different_numbers_differ():
    draws = {torch.rand((), generator=seeded(*numbers)).item() for numbers in [(0,), (1,), (0, 1), (1, 0), (0, 1, 0)]}
    assert len(draws) == 5
