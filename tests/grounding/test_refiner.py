"""The pixel refiner: what it starts as, what it depends on, and that it learns to follow pixels."""

from dataclasses import replace

import pytest
import torch
from scenes import CHANNELS, CLASSES, MASK_CLASSES, SIDE, STRIDE, FixedDetector, make
from torch.nn import functional as F
from torch.testing import assert_close

from segsg.detection.backbones import BACKBONES
from segsg.detection.detector import Detector
from segsg.detection.heads import jitter
from segsg.detection.proposals import DetectionNumbers
from segsg.grounding.contact import meet
from segsg.grounding.refiner import (
    PixelRefinedDetector,
    PixelRefiner,
    RefinerTraining,
    colour_distances,
    colours,
    in_contact,
    normalised,
    surroundings,
    to_the_border,
    transferred,
)
from segsg.grounding.segmenter import Segmenter
from segsg.kernels.colours import LEVELS
from segsg.kernels.masks import crop
from segsg.structures import Look, Regions, one_hot

NUMBERS = DetectionNumbers(60, 60, 40, 20, 64, 32, 0.4, 0.26, 0.5, 6, 5)


def refiner(trained=True, passes=2):
    """A refiner as it begins, or with a last layer that is not zero."""
    torch.manual_seed(0)
    made = PixelRefiner(channels=CHANNELS, mask_classes=MASK_CLASSES, width=8, passes=passes)
    if trained:
        torch.nn.init.normal_(made.residual.weight)
    return made


def scene(counts, seed=0):
    """A look, photos of noise, and transferred logits."""
    look, batch = make(counts, seed)
    g = torch.Generator().manual_seed(seed)
    photos = torch.randint(0, 256, batch.images.shape, dtype=torch.uint8, generator=g)
    return look, photos, look.regions.mask_logits[:, 0]


def chosen(look, rows, image=None):
    """The look with only these regions, in this order."""
    regions = look.regions
    parts = [getattr(regions, name)[rows] for name in ("boxes", "image", "labels", "class_probabilities")]
    kept = Regions(*parts, regions.sizes, regions.mask_logits[rows])
    return replace(look, regions=kept)


def test_an_untrained_refiner_changes_nothing():
    look, photos, logits = scene([3, 0, 2])
    assert torch.equal(refiner(trained=False)(logits, look, photos), logits)
    assert not torch.equal(refiner()(logits, look, photos), logits)


def test_an_untrained_refined_detector_gives_the_masks_of_eq_4():
    look, batch = make([3, 0, 2])
    regions = replace(look.regions, class_probabilities=one_hot(look.regions.labels, CLASSES))
    segmenter = Segmenter(torch.rand(CLASSES - 1, MASK_CLASSES))
    detector = PixelRefinedDetector(FixedDetector(replace(look, regions=regions)), segmenter, refiner(trained=False))
    seen = detector.look(batch, "predcls")
    masks = Segmenter(torch.ones(CLASSES - 1, 1))(seen.regions)[torch.arange(5), regions.labels]
    assert_close(masks, segmenter(regions)[torch.arange(5), regions.labels])
    assert seen.features is look.features and torch.equal(seen.regions.boxes, regions.boxes)


def test_expected_logits_are_a_mean_over_believed_classes_that_have_masks():
    look, _ = make([2])
    transfer = torch.rand(CLASSES - 1, MASK_CLASSES)
    transfer[1] = 0
    belief = torch.tensor([[0.5, 0.2, 0.2, 0, 0.1, 0], [0.6, 0, 0.4, 0, 0, 0]])
    regions = replace(look.regions, class_probabilities=belief)
    logits, known = transferred(regions, Segmenter(transfer))
    row = (0.2 * transfer[0] + 0.1 * transfer[3]) / 0.3
    assert_close(logits[0], (row[:, None, None] * regions.mask_logits[0]).sum(0))
    assert known.tolist() == [True, False]


def test_a_region_of_no_class_with_a_mask_has_an_empty_one():
    look, batch = make([2])
    regions = replace(look.regions, class_probabilities=torch.eye(CLASSES)[[0, 2]])
    detector = PixelRefinedDetector(
        FixedDetector(replace(look, regions=regions)), Segmenter(torch.rand(CLASSES - 1, MASK_CLASSES)), refiner()
    )
    masks = detector.look(batch, "sgdet").regions.mask_logits.sigmoid()
    assert masks[0].max() < 1e-6 < masks[1].max()


def test_a_detector_without_a_mask_head_is_a_clear_error():
    look, batch = make([2])
    plain = FixedDetector(replace(look, regions=replace(look.regions, mask_logits=None)))
    with pytest.raises(ValueError, match="no mask head"):
        PixelRefinedDetector(plain, Segmenter(torch.rand(CLASSES - 1, MASK_CLASSES)), refiner()).look(batch, "sgcls")


def test_a_second_pass_refines_the_masks_of_the_first_with_the_same_weights():
    look, photos, logits = scene([3, 0, 2])
    once, twice = refiner(passes=1), refiner(passes=2)
    first, second = twice.each_pass(logits, look, photos)
    assert torch.equal(first, once(logits, look, photos))
    assert torch.equal(second, once(first.detach(), look, photos))
    assert torch.equal(second, twice(logits, look, photos))


def test_what_a_pass_sees_of_the_masks_before_it_has_no_gradient():
    look, photos, logits = scene([3])
    refine = refiner(passes=2)
    seen = []
    refine.masks.register_forward_hook(lambda _, given, __: seen.append(given[0].requires_grad))
    start = logits.clone().requires_grad_()
    refine(start, look, photos).sum().backward()
    assert seen == [False, False]
    assert torch.equal(start.grad, torch.ones_like(start))  # a residual is added to logits, nothing else


def test_the_order_of_regions_does_not_matter():
    look, photos, logits = scene([4, 2])
    order, refine = torch.tensor([2, 0, 3, 1, 5, 4]), refiner()
    again = refine(logits[order], chosen(look, order), photos)
    assert_close(again, refine(logits, look, photos)[order], atol=1e-5, rtol=1e-5)


def test_a_region_sees_the_others_of_its_image_and_of_no_other():
    look, photos, logits = scene([3, 2])
    refine = refiner()
    whole = refine(logits, look, photos)
    first = refine(logits[:3], chosen(look, torch.arange(3)), photos)
    assert_close(first, whole[:3], atol=1e-5, rtol=1e-5)
    alone = refine(logits[:1], chosen(look, torch.arange(1)), photos)
    assert (alone - whole[:1]).abs().max() > 1e-4


def test_no_region_at_all_is_no_mask():
    look, photos, logits = scene([0, 0])
    assert refiner()(logits, look, photos).shape == (0, 28, 28)
    only_one, photos, logits = scene([0, 1])
    assert refiner()(logits, only_one, photos).shape == (1, 28, 28)


def test_padding_does_not_reach_a_mask():
    look, photos, logits = scene([2, 2])
    whole = refiner()(logits, look, photos)
    larger = torch.randint(0, 256, (2, 3, SIDE + 32, SIDE + 16), dtype=torch.uint8)
    larger[:, :, :SIDE, :SIDE] = photos
    maps = F.pad(look.features[0], (0, 16 // STRIDE, 0, 32 // STRIDE), mode="replicate")
    padded = Look([maps], look.regions, look.strides, look.cells)
    to_the_edge = torch.tensor([[20.0, 30, SIDE, SIDE]])
    at_the_edge = replace(chosen(look, torch.arange(1)).regions, boxes=to_the_edge)
    assert_close(refiner()(logits, padded, larger), whole, atol=1e-5, rtol=1e-5)
    wide, narrow = (to_the_border(each, at_the_edge.sizes).float() for each in (larger, photos))
    assert_close(colours(wide, to_the_edge, at_the_edge.image), colours(narrow, to_the_edge, at_the_edge.image))
    assert_close(surroundings(wide, at_the_edge), surroundings(narrow, at_the_edge))


RED, BLUE = torch.tensor([[255, 0, 0], [0, 0, 255]], dtype=torch.uint8)


@pytest.mark.parametrize("box", [[16.0, 16, 48, 48], [0.0, 16, 32, 48]])
def test_surroundings_are_what_lies_around_a_box_in_the_photo(box):
    """A red square fills the box, blue is around it; beyond the photo's border there is nothing."""
    look, photos, _ = scene([1])
    left, top, right, bottom = map(int, box)
    photos[:] = BLUE[:, None, None]
    photos[0, :, top:bottom, left:right] = RED[:, None, None]
    photos[0, :, :, SIDE // 2 + 30 :] = 0  # too far away to count
    regions = replace(look.regions, boxes=torch.tensor([box]))
    around = surroundings(photos.float(), regions)[0].view(LEVELS, LEVELS, LEVELS)
    assert_close(around.sum(), torch.tensor(1.0))
    assert around[0, 0, LEVELS - 1] > 0.9  # the rest is the edge, where samples mix both


def test_surroundings_of_a_box_that_fills_the_photo_are_nothing():
    look, photos, _ = scene([1])
    regions = replace(look.regions, boxes=torch.tensor([[0.0, 0, SIDE, SIDE]]))
    assert surroundings(photos.float(), regions).sum() < 0.02


def test_colours_are_the_pixels_in_a_box_normalised():
    look, photos, _ = scene([1])
    boxes = torch.tensor([[4.0, 2, 60, 58]])
    seen = normalised(colours(photos.float(), boxes, look.regions.image))
    pixels = photos[0, :, 2:58, 4:60].float()
    padded = F.pad(pixels[None], (1, 1, 1, 1), mode="replicate")
    kernel = torch.tensor([[1.0, 6, 1], [6, 36, 6], [1, 6, 1]]) / 64  # samples lie a quarter of a pixel off the centre
    mean = torch.tensor([123.675, 116.28, 103.53])[:, None, None]
    deviation = torch.tensor([58.395, 57.12, 57.375])[:, None, None]
    expected = (F.conv2d(padded.transpose(0, 1), kernel[None, None])[:, 0] - mean) / deviation
    assert_close(seen[0, :, 1:-1, 1:-1], expected[:, 1:-1, 1:-1], atol=1e-4, rtol=1e-4)


def test_a_colour_is_compared_with_those_inside_and_outside_the_mask():
    seen = torch.tensor([[1.0, 3], [5, 9]]).expand(1, 3, 2, 2)
    masks = torch.tensor([[[1.0, 1], [0, 0]]])
    inside, outside = colour_distances(seen, masks).chunk(2, dim=1)
    assert_close(inside[0, 0], torch.tensor([[1.0, 1], [3, 7]]))
    assert_close(outside[0, 0], torch.tensor([[6.0, 4], [2, 2]]))
    assert colour_distances(seen, torch.ones(1, 2, 2)).isfinite().all()


def flat_scene(count=4):
    """Photos with a bright half disc in a box, and masks that cover all of the box alike: only pixels know better."""
    look, batch = make([1] * count, seed=3)
    photos = torch.full(batch.images.shape, 60, dtype=torch.uint8)
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    masks = []
    for i, (x1, y1, x2, y2) in enumerate(look.regions.boxes.tolist()):
        mask = ((x - x1) / (x2 - x1)) ** 2 + ((y - y1) / (y2 - y1)) ** 2 < 0.6
        photos[i][:, mask & (x >= x1) & (y >= y1)] = 200
        masks.append(mask[None])
    regions = replace(look.regions, labels=torch.ones(count, dtype=torch.long))
    regions = replace(regions, class_probabilities=one_hot(regions.labels, MASK_CLASSES + 1))
    regions = replace(regions, mask_logits=torch.zeros_like(regions.mask_logits))
    batch = replace(batch, images=photos, masks=masks, labels=list(regions.labels.split(1)), seeds=[1, 2, 3, 4])
    return replace(look, regions=regions), batch


class GivenBoxes(FixedDetector):
    """Answers with the look that it has, moved to the boxes that it is asked about."""

    def look(self, batch, task, domain="graph"):
        look = self.answers[domain]
        return replace(look, regions=replace(look.regions, boxes=torch.cat(batch.boxes)))


def by_cell(refined, targets):
    return -(targets * F.logsigmoid(refined) + (1 - targets) * F.logsigmoid(-refined))


def test_the_losses_are_cross_entropies_in_jittered_boxes_and_where_they_meet():
    look, batch = flat_scene()
    both = replace(batch, boxes=[boxes.repeat(2, 1) for boxes in batch.boxes])
    both = replace(both, masks=[m.repeat(2, 1, 1) for m in batch.masks])
    twice = torch.arange(4).repeat_interleave(2)
    training = RefinerTraining(GivenBoxes(None, chosen(look, twice)), refiner())
    losses = training.mask_losses(both)
    moved = [jitter(b, (SIDE, SIDE), g) for b, g in zip(both.boxes, both.generators(), strict=True)]
    answer = replace(chosen(look, twice), regions=replace(chosen(look, twice).regions, boxes=torch.cat(moved)))
    first, second = training.refiner.each_pass(torch.zeros(8, 28, 28), answer, batch.images)
    targets = torch.cat([crop(m, b, 28) for m, b in zip(both.masks, moved, strict=True)])
    errors = (by_cell(first, targets) + by_cell(second, targets)) / 2
    assert_close(losses["pixels"].total, errors.sum(), rtol=1e-4, atol=1e-2)
    assert losses["pixels"].count == targets.numel()
    pairs = torch.tensor([[0, 1]])
    met = [meet(e[:, None], b, pairs, 28).sum() for e, b in zip(errors.split(2), moved, strict=True)]
    assert_close(losses["contact"].total, sum(met), rtol=1e-4, atol=1e-2)
    assert losses["contact"].count == 4 * 2 * 28 * 28


def test_errors_in_contact_count_by_their_area_in_the_frame_of_each_pair_once():
    boxes = torch.tensor([[0.0, 0, 28, 28], [14, 0, 42, 28], [60, 60, 70, 70], [14, 0, 42, 28]])
    cells = torch.zeros(4, 28, 28)
    cells[0, :, 14:] = 1.0  # the half of the first box that the second covers
    cells[1] = 2.0
    seen = in_contact(cells, boxes, torch.tensor([0, 0, 0, 1]))
    assert seen.shape == (1, 2, 28, 28)
    # the frame is 18 x 32 pixels: 14 x 28 of them lie in both boxes, 16 x 28 in each, and the cells of value 1 fill 14
    assert_close(seen.mean(dim=(2, 3)), torch.tensor([[14 * 28 * 1.0, 16 * 28 * 2.0]]) / (18 * 32))


def test_losses_of_images_without_a_pair_are_zero():
    look, batch = flat_scene()
    contact = RefinerTraining(GivenBoxes(None, look), refiner()).mask_losses(batch)["contact"]
    assert contact.count == 0 and contact.value == 0


def test_every_weight_of_the_refiner_learns_and_no_other():
    torch.manual_seed(0)
    _, batch = flat_scene()
    detector = Detector(BACKBONES["resnext-tiny-fpn"], 4, MASK_CLASSES, NUMBERS).requires_grad_(False)
    made = PixelRefiner(channels=detector.channels, mask_classes=MASK_CLASSES, width=8, passes=2)
    torch.nn.init.normal_(made.residual.weight)
    training = RefinerTraining(detector, made)
    sum(loss.value for loss in training.mask_losses(batch).values()).backward()
    without = [name for name, p in training.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # A constant added to all keys of a softmax changes nothing.
    assert {name for name in without if not name.startswith("detector.")} <= {"refiner.whole.keys.bias"}
    assert all(p.grad is None for p in detector.parameters())


def test_it_learns_to_follow_pixels():
    look, batch = flat_scene()
    training = RefinerTraining(GivenBoxes(None, look), refiner(trained=False))
    optimizer = torch.optim.AdamW(training.refiner.parameters(), 0.01)
    losses = []
    for step in range(40):
        loss = training.mask_losses(replace(batch, seeds=[step + 100 * i for i in range(4)]))["pixels"].value
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(0.693, abs=0.001) and losses[-1] < 0.2
