import pytest
import torch
from safetensors.torch import save_file
from torch.testing import assert_close

from segsg.detection.mobilenet import MobileNetV2, signed
from segsg.detection.ssd import SsdLite
from segsg.files import DataError
from segsg.grounding.box_masks import (
    AT_ONCE,
    CROP_SIDE,
    GROWN,
    BoxMasks,
    PhotoMasks,
    coloured,
    crops,
    frames_of,
    given,
    load_masks,
    reduced,
)
from segsg.kernels.masks import paste
from segsg.structures import MASK_SIDE, Batch

BOXES = torch.tensor([[10.0, 20, 60, 100], [0, 0, 30, 30], [40, 30, 90, 60]])


@pytest.fixture(scope="module")
def masks() -> PhotoMasks:
    torch.manual_seed(0)
    detector = SsdLite()
    return PhotoMasks(detector.trunk, BoxMasks(detector.trunk, 8)).eval()


def noise(height: int, width: int) -> torch.Tensor:
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


def disturbed(masks: PhotoMasks) -> PhotoMasks:
    """With a last layer that says something."""
    torch.manual_seed(1)
    torch.nn.init.normal_(masks.head.residual.weight)
    return masks


def cell_by_cell(box, frame, others):
    """The four numbers of each cell, with 20 x 20 points in it for shares."""
    known = torch.zeros(4, MASK_SIDE, MASK_SIDE)
    area = (box[2] - box[0]) * (box[3] - box[1])
    steps = (torch.arange(20) + 0.5) / 20
    for i in range(MASK_SIDE):
        for j in range(MASK_SIDE):
            x = frame[0] + (frame[2] - frame[0]) * (j + steps) / MASK_SIDE
            y = frame[1] + (frame[3] - frame[1]) * (i + steps) / MASK_SIDE

            def share(of, x=x, y=y):
                return ((x >= of[0]) & (x <= of[2])).float().mean() * ((y >= of[1]) & (y <= of[3])).float().mean()

            a = (x.mean() - (box[0] + box[2]) / 2) / ((box[2] - box[0]) / 2)
            b = (y.mean() - (box[1] + box[3]) / 2) / ((box[3] - box[1]) / 2)
            known[0, i, j] = 1 if a**2 + b**2 <= 1 else -1
            known[1, i, j] = share(box)
            for other in others:
                size = (other[2] - other[0]) * (other[3] - other[1])
                if size != area:
                    kind = 2 if size < area else 3
                    known[kind, i, j] = max(known[kind, i, j], share(other))
    return known


def test_what_is_given_equals_a_loop_over_cells():
    expected = torch.stack(
        [cell_by_cell(box, frame, BOXES) for box, frame in zip(BOXES, frames_of(BOXES), strict=True)]
    )
    found = given(BOXES, BOXES)
    assert_close(found[:, 0], expected[:, 0])
    assert_close(found[:, 1:], expected[:, 1:], atol=0.1, rtol=0)
    assert found[0, 2].sum() > 0 and found[1, 3].sum() > 0


def test_nothing_given_of_others_where_there_are_none():
    found = given(BOXES, BOXES[:0])
    assert_close(found[:, :2], given(BOXES, BOXES)[:, :2])
    assert found[:, 2:].count_nonzero() == 0
    assert given(BOXES[:0], BOXES).shape == (0, 4, MASK_SIDE, MASK_SIDE)


def test_frames_reach_beyond_boxes_on_all_sides():
    box = torch.tensor([[5.0, 0, 15, 100]])
    assert_close(frames_of(box), torch.tensor([[5 - 10 * GROWN, -100 * GROWN, 15 + 10 * GROWN, 100 + 100 * GROWN]]))


def test_untrained_masks_are_ellipses(masks):
    probabilities, frames = masks(noise(120, 100), BOXES)
    found = paste(probabilities, frames, (120, 100))
    y, x = torch.arange(120)[:, None] + 0.5, torch.arange(100) + 0.5
    for mask, (left, top, right, bottom) in zip(found, BOXES.tolist(), strict=True):
        a, b = (2 * x - left - right) / (right - left), (2 * y - top - bottom) / (bottom - top)
        ellipse = a**2 + b**2 <= 1
        assert (mask & ellipse).sum() / (mask | ellipse).sum() > 0.9


def test_boxes_are_masked_alike_in_any_number(masks):
    """Pixels of each box are its own; of the others only boxes enter. More boxes than are computed at once."""
    masks = disturbed(masks)
    photo, many = noise(120, 100), BOXES.repeat(AT_ONCE // len(BOXES) + 2, 1)
    probabilities, frames = masks(photo, many)
    few, few_frames = masks(photo, BOXES)
    assert_close(probabilities, few.repeat(len(many) // len(BOXES), 1, 1), atol=1e-4, rtol=0)
    assert_close(frames, few_frames.repeat(len(many) // len(BOXES), 1))
    alone, _ = masks(photo, BOXES[2:])
    assert (alone[0] - few[2]).abs().max() > 1e-4


def test_only_large_photos_are_reduced():
    photo = torch.rand(3, 30, 640)
    same, factors = reduced(photo)
    assert same is photo and factors.tolist() == [1, 1]
    smaller, factors = reduced(torch.ones(3, 1280, 101))
    assert smaller.shape == (3, 640, 50)
    assert_close(factors, torch.tensor([50 / 101, 0.5]))
    assert_close(smaller, torch.ones(3, 640, 50))


def test_frames_of_a_large_photo_are_in_its_pixels(masks):
    boxes = torch.tensor([[100.0, 200, 600, 1000]])
    probabilities, frames = masks(noise(1300, 900), boxes)
    assert_close(frames, frames_of(boxes))
    assert (paste(probabilities, frames, (1300, 900))[0, 200:1000, 100:600]).float().mean() > 0.6


def test_no_boxes(masks):
    probabilities, frames = masks(noise(30, 40), BOXES[:0])
    assert (probabilities.shape, frames.shape) == ((0, MASK_SIDE, MASK_SIDE), (0, 4))


def test_a_crop_is_the_photo_in_its_frame():
    photo = torch.arange(CROP_SIDE, dtype=torch.float32).expand(3, CROP_SIDE, -1)
    whole = torch.tensor([[0.0, 0, CROP_SIDE, CROP_SIDE]])
    assert_close(crops(photo, whole)[0, :, :, 1:-1], photo[:, :, 1:-1], atol=0.01, rtol=0)
    outside = crops(photo + 5, whole - CROP_SIDE - 2)
    assert outside.count_nonzero() == 0


def test_other_colours_keep_shapes_and_range():
    seen = signed(noise(20, 20)).expand(4, -1, -1, -1)
    found = coloured(seen, torch.Generator().manual_seed(0))
    assert found.shape == seen.shape and found.abs().max() <= 1
    assert all((one - seen[0]).abs().mean() > 0.01 for one in found)
    assert torch.equal(found, coloured(seen, torch.Generator().manual_seed(0)))


def lesson(boxes: list[torch.Tensor], sizes: list[tuple[int, int]]) -> Batch:
    """Photos with a bright ellipse in each box, its mask; padding is white."""
    height, width = (max(side) for side in zip(*sizes, strict=True))
    images = torch.full((len(sizes), 3, height, width), 255, dtype=torch.uint8)
    y, x = torch.arange(height)[:, None] + 0.5, torch.arange(width) + 0.5
    masks = []
    for image, size, of_image in zip(images, sizes, boxes, strict=True):
        image[:, : size[0], : size[1]] = 30
        found = torch.zeros(len(of_image), height, width, dtype=torch.bool)
        for mask, (left, top, right, bottom) in zip(found, of_image.tolist(), strict=True):
            a, b = (2 * x - left - right) / (right - left), (2 * y - top - bottom) / (bottom - top)
            mask[:] = a.abs() + b.abs() <= 1
            image[:, mask] = 200
        masks.append(found)
    labels = [torch.ones(len(of_image), dtype=torch.long) for of_image in boxes]
    none = [torch.zeros(0, 3, dtype=torch.long)] * len(sizes)
    seeds = list(range(len(sizes)))
    return Batch(seeds, images, sizes, [1.0] * len(sizes), boxes, labels, none, masks, seeds=seeds)


def test_weights_come_back(tmp_path):
    torch.manual_seed(2)
    trunk = MobileNetV2()
    head = BoxMasks(trunk)
    torch.nn.init.normal_(head.residual.weight)
    save_file({name: value.half().contiguous() for name, value in head.state_dict().items()}, tmp_path / "masks")
    loaded = load_masks(tmp_path / "masks", trunk)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    expected, _ = PhotoMasks(trunk, head)(noise(120, 100), BOXES)
    assert_close(loaded(noise(120, 100), BOXES)[0], expected, atol=0.02, rtol=0)
    with pytest.raises(DataError, match="train the masks again"):
        load_masks(tmp_path / "nowhere", trunk)


def test_learns_a_shape_and_leaves_the_detector_alone():
    """Diamonds, of which ellipses are too large: a few steps bring the losses down."""
    torch.manual_seed(0)
    detector = SsdLite()
    before = {name: value.clone() for name, value in detector.state_dict().items()}
    masks = PhotoMasks(detector.trunk, BoxMasks(detector.trunk, 8))
    batch = lesson([BOXES[:1], BOXES[1:]], [(120, 100), (70, 95)])
    optimizer = torch.optim.Adam(masks.head.parameters(), 3e-3)
    losses = []
    for _ in range(12):
        means = masks.mask_losses(batch)
        loss = sum(mean.value for mean in means.values())
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < 0.92 * losses[0]
    assert all(torch.equal(value, before[name]) for name, value in detector.state_dict().items())


def test_losses_of_untrained_masks(masks):
    """Of the ellipse: its logit is 2, so cells cost log(1 + exp(-2)) where it is right and 2 more where it is not."""
    torch.nn.init.zeros_(masks.head.residual.weight)
    batch = lesson([BOXES[:1]], [(120, 100)])
    means = masks.mask_losses(batch)
    assert means["cells"].count == MASK_SIDE**2 and means["dice"].count == 1
    right = torch.log1p(torch.exp(torch.tensor(-2.0)))
    assert right < means["cells"].value < right + 0.5
    assert 0.05 < means["dice"].value < 0.5


def test_small_boxes_are_learned_from_where_there_is_no_large_one(masks):
    batch = lesson([torch.tensor([[1.0, 1, 9, 9], [2, 2, 6, 6]])], [(40, 40)])
    assert masks.mask_losses(batch)["dice"].count == 1
    batch = lesson([torch.cat([BOXES, torch.tensor([[2.0, 2, 6, 6]])])], [(120, 100)])
    assert masks.mask_losses(batch)["dice"].count == 3
