from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close
from torchvision.transforms.v2 import functional as reference

from segsg.data.loading import collate, flip, resize
from segsg.data.photos import MEAN_COLOUR
from segsg.structures import Sample


def sample(height=20, width=30, regions=3, masks=True, seed=0, image_id=1):
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(regions, 2, 2, generator=generator).sort(1).values * torch.tensor([width, height])
    return Sample(
        image_id=image_id,
        image=torch.randint(0, 256, (3, height, width), generator=generator, dtype=torch.uint8),
        boxes=corners.flatten(1),
        labels=torch.arange(regions),
        relations=torch.zeros(0, 3, dtype=torch.int64),
        masks=torch.rand(regions, height, width, generator=generator) > 0.5 if masks else None,
    )


sides = st.integers(1, 40)


@pytest.mark.parametrize(
    "size, sides, expected",
    [
        ((20, 30), (40, 100), (40, 60)),
        ((30, 20), (40, 100), (60, 40)),
        ((20, 100), (40, 100), (20, 100)),
        ((480, 640), (800, 1333), (800, 1067)),
        ((333, 500), (800, 1333), (800, 1201)),
        ((7, 200), (10, 100), (4, 100)),
    ],
)
def test_the_short_side_rules_unless_the_long_side_grows_too_long(size, sides, expected):
    assert resize(sample(*size, masks=False), *sides).size == expected


def test_resizing_by_one_changes_nothing():
    before = sample()
    assert resize(before, 20, 30) is before


@given(sides, sides, sides, st.integers(0, 4))
@settings(max_examples=40, deadline=None)
def test_boxes_return_to_the_original_frame(height, width, short_side, regions):
    before = sample(height, width, regions)
    after = resize(before, short_side, 100)
    assert_close(after.boxes / after.scale, before.boxes)
    assert after.masks.shape == (regions, *after.size)
    sizes = torch.tensor([after.size[1], after.size[0]])
    assert (after.boxes[:, 2:] <= sizes + 0.51).all()


def test_scales_multiply():
    assert resize(resize(sample(), 40, 100), 60, 100).scale == pytest.approx(3)


@pytest.mark.parametrize("short_side", [13, 20, 47])
def test_pixels_are_antialiased_as_torchvision_does(short_side):
    after = resize(sample(26, 37), short_side, 100)
    expected = reference.resize(sample(26, 37).image.float(), list(after.size), antialias=True)
    assert (after.image.float() - expected).abs().max() <= 0.5 + 1e-3


def test_masks_take_the_nearest_pixel():
    before = sample(8, 6)
    after = resize(before, 15, 100)
    expected = torch.nn.functional.interpolate(before.masks[None].float(), after.size, mode="nearest-exact")[0]
    assert torch.equal(after.masks, expected.bool())


@given(sides, sides, st.integers(0, 4))
@settings(max_examples=30, deadline=None)
def test_a_mirror_image_of_a_mirror_image_is_the_image(height, width, regions):
    before = sample(height, width, regions)
    after = flip(flip(before))
    assert torch.equal(after.image, before.image) and torch.equal(after.masks, before.masks)
    assert_close(after.boxes, before.boxes)


def test_boxes_and_masks_stay_on_their_pixels_in_a_mirror():
    image = torch.zeros(3, 6, 10, dtype=torch.uint8)
    image[:, 1:4, 2:5] = 9
    box = torch.tensor([[2.0, 1, 5, 4]])
    before = Sample(1, image, box, torch.ones(1).long(), torch.zeros(0, 3).long(), masks=(image[:1] == 9))
    after = flip(before)
    left, top, right, bottom = after.boxes[0].int().tolist()
    assert after.image[:, top:bottom, left:right].eq(9).all() and after.image.eq(9).sum() == 27
    assert torch.equal(after.masks, after.image[:1] == 9)
    assert flip(replace(before, masks=None)).masks is None


@given(st.lists(st.tuples(sides, sides, st.integers(0, 3)), min_size=1, max_size=4), st.sampled_from([1, 8, 32]))
@settings(max_examples=30, deadline=None)
def test_a_batch_holds_each_sample_and_padding_only(shapes, multiple):
    samples = [sample(h, w, n, image_id=i, seed=i) for i, (h, w, n) in enumerate(shapes)]
    batch = collate(samples, multiple)
    assert len(batch) == len(samples) and batch.image_ids == list(range(len(samples)))
    height, width = batch.images.shape[-2:]
    assert height % multiple == width % multiple == 0
    assert height - max(s.size[0] for s in samples) < multiple and width - max(s.size[1] for s in samples) < multiple
    colour = torch.tensor(MEAN_COLOUR, dtype=torch.uint8)
    for before, image, masks, boxes, (h, w) in zip(
        samples, batch.images, batch.masks, batch.boxes, batch.sizes, strict=True
    ):
        assert torch.equal(image[:, :h, :w], before.image) and torch.equal(boxes, before.boxes)
        assert torch.equal(masks[:, :h, :w], before.masks) and masks.sum() == before.masks.sum()
        assert (image[:, h:].permute(1, 2, 0) == colour).all() and (image[:, :, w:].permute(1, 2, 0) == colour).all()


def test_samples_without_masks_make_a_batch_without():
    assert collate([sample(masks=False)]).masks is None
