from dataclasses import replace

import pytest
import torch
from scenes import values
from torch.testing import assert_close

from segsg.detection.backbones import BACKBONES
from segsg.detection.detector import Detector
from segsg.detection.heads import (
    Detections,
    foreground_proposals,
    jittered_boxes,
    mask_loss,
    mask_targets,
    one_per_proposal,
)
from segsg.detection.proposals import DetectionNumbers, ProposalSampler, matched_labels
from segsg.kernels.boxes import box_iou
from segsg.structures import Batch

TINY = ["vgg-tiny", "resnext-tiny-fpn"]
COLOURS = [(220, 60, 50), (60, 200, 70), (60, 90, 230)]


NUMBERS = DetectionNumbers(
    rpn_pre_nms_train=60,
    rpn_pre_nms_test=60,
    rpn_post_nms_train=40,
    rpn_post_nms_test=20,
    rpn_batch=64,
    box_batch=32,
    box_positive_fraction=0.4,
    score_threshold=0.05,
    nms_threshold=0.5,
    detections=10,
    regions=8,
)


def drawn_batch(sizes: list[tuple[int, int]], regions: int = 2, seed: int = 0) -> Batch:
    """Coloured ellipses on grey; the colour is the class, the ellipse the mask."""
    g = torch.Generator().manual_seed(seed)
    h, w = (-(-max(side) // 32) * 32 for side in zip(*sizes, strict=True))
    images = torch.tensor((124, 116, 104), dtype=torch.uint8).view(1, 3, 1, 1).repeat(len(sizes), 1, h, w)
    boxes, labels, masks = [], [], []
    y, x = torch.arange(h)[:, None] + 0.5, torch.arange(w)[None] + 0.5
    for i, size in enumerate(sizes):
        extent = 16 + 16 * torch.rand(regions, 2, generator=g)
        start = torch.rand(regions, 2, generator=g) * (torch.tensor(size[::-1]) - extent)
        boxes.append(torch.cat([start, start + extent], 1).round())
        labels.append(torch.randint(1, 4, (regions,), generator=g))
        ellipses = torch.zeros(regions, h, w, dtype=torch.bool)
        for k, (x1, y1, x2, y2) in enumerate(boxes[i].tolist()):
            ellipses[k] = ((x - (x1 + x2) / 2) / (x2 - x1)) ** 2 + ((y - (y1 + y2) / 2) / (y2 - y1)) ** 2 <= 0.25
            images[i] = torch.where(
                ellipses[k], torch.tensor(COLOURS[labels[i][k] - 1], dtype=torch.uint8).view(3, 1, 1), images[i]
            )
        masks.append(ellipses[:, : size[0], : size[1]])
    none = torch.zeros(0, 3, dtype=torch.long)
    return Batch(list(range(len(sizes))), images, sizes, [1.0] * len(sizes), boxes, labels, [none] * len(sizes), masks)


def without_regions(batch: Batch, i: int) -> Batch:
    boxes, labels, masks = list(batch.boxes), list(batch.labels), list(batch.masks)
    boxes[i], labels[i], masks[i] = boxes[i][:0], labels[i][:0], masks[i][:0]
    return replace(batch, boxes=boxes, labels=labels, masks=masks)


def permuted(batch: Batch, order: list[int]) -> Batch:
    lists = ("image_ids", "sizes", "scales", "boxes", "labels", "relations", "masks")
    return replace(batch, images=batch.images[order], **{k: [getattr(batch, k)[i] for i in order] for k in lists})


@pytest.fixture(scope="module")
def detectors() -> dict[str, Detector]:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return {name: Detector(BACKBONES[name], 4, 3, NUMBERS) for name in TINY}


@pytest.fixture(scope="module")
def trained() -> Detector:
    """A tiny joint detector that has seen the same four images sixty times."""
    torch.manual_seed(0)
    detector = Detector(BACKBONES["resnext-tiny-fpn"], 4, 3, NUMBERS)
    batch = drawn_batch([(64, 64)] * 4)
    optimizer = torch.optim.AdamW(detector.parameters(), 3e-3)
    totals = []
    for _ in range(80):
        losses = values(detector.losses(batch) | detector.mask_losses(batch))
        optimizer.zero_grad()
        total = sum(losses.values())
        total.backward()
        torch.nn.utils.clip_grad_norm_(detector.parameters(), 5.0)
        optimizer.step()
        totals.append(float(total.detach()))
    detector.totals = totals
    return detector.eval()


def test_a_tiny_joint_detector_overfits_four_images(trained):
    assert sum(trained.totals[-5:]) < 0.35 * sum(trained.totals[:5])
    batch = drawn_batch([(64, 64)] * 4)
    for i, found in enumerate(trained.detect(batch, "mask")):
        hit = box_iou(batch.boxes[i], found["boxes_original"][:4]) > 0.5
        assert hit.any(1).all()
        best = hit.int().argmax(1)  # detections come in the order of their scores
        assert torch.equal(found["labels"][best], batch.labels[i])
        pasted, truth = found["masks"][best], batch.masks[i]
        iou = (pasted & truth).sum((1, 2)) / (pasted | truth).sum((1, 2))
        assert (iou > 0.6).all()


@pytest.mark.parametrize("name", TINY)
def test_losses_have_their_names_and_are_finite(detectors, name):
    batch = drawn_batch([(64, 64), (48, 60)])
    losses = values(detectors[name].losses(batch) | detectors[name].mask_losses(batch))
    keys = ["objectness", "proposal_box", "class", "box"]
    assert list(losses) == keys + [f"mask_{key}" for key in keys] + ["mask"]
    assert all(torch.isfinite(v) and v.dtype == torch.float32 for v in losses.values())


@pytest.mark.parametrize("mask_boxes", ["jittered", "proposals"])
def test_an_image_without_regions_trains(mask_boxes):
    record = replace(BACKBONES["resnext-tiny-fpn"], mask_boxes=mask_boxes)
    detector = Detector(record, 4, 3, NUMBERS)
    batch = without_regions(drawn_batch([(64, 64)] * 2), 0)
    for images in (batch, without_regions(batch, 1)):
        losses = values(detector.losses(images) | detector.mask_losses(images))
        sum(losses.values()).backward()
        assert all(torch.isfinite(v) for v in losses.values())


def test_the_baseline_has_nothing_of_the_mask_set():
    detector = Detector(BACKBONES["vgg-tiny"], 4, None, NUMBERS)
    assert not [name for name, _ in detector.named_parameters() if "mask" in name]
    assert detector.look(drawn_batch([(64, 64)]), "sgcls").regions.mask_logits is None


def test_bf16_training_keeps_losses_in_float32(detectors):
    with torch.autocast("cpu", torch.bfloat16):
        losses = values(detectors["resnext-tiny-fpn"].mask_losses(drawn_batch([(64, 64)])))
    assert all(v.dtype == torch.float32 for v in losses.values())


@pytest.mark.parametrize("task", ["predcls", "sgcls"])
def test_given_boxes_come_back_with_their_labels(detectors, task):
    batch = without_regions(drawn_batch([(64, 64), (64, 64), (40, 64)]), 1)
    regions = detectors["vgg-tiny"].look(batch, task).regions
    assert torch.equal(regions.boxes, torch.cat(batch.boxes))
    assert regions.image.tolist() == [0, 0, 2, 2]
    assert torch.equal(regions.labels, torch.cat(batch.labels))
    assert_close(regions.class_probabilities.sum(1), torch.ones(4))
    assert regions.mask_logits.shape == (4, 3, 28, 28)
    if task == "predcls":
        assert torch.equal(regions.class_probabilities.argmax(1), regions.labels)


@pytest.mark.parametrize("task", ["predcls", "sgcls", "sgdet"])
@pytest.mark.parametrize("domain", ["graph", "mask"])
def test_a_batch_without_a_single_true_region_can_be_looked_at(detectors, task, domain):
    look = detectors["vgg-tiny"].look(without_regions(drawn_batch([(64, 64)]), 0), task, domain)
    assert task == "sgdet" or len(look.regions) == 0
    assert look.regions.class_probabilities.shape == (len(look.regions), 4)


def test_domain_mask_looks_with_the_mask_predictor():
    detector = Detector(BACKBONES["vgg-tiny"], 7, 3, NUMBERS)
    batch = drawn_batch([(64, 64)])
    assert detector.look(batch, "sgcls").regions.class_probabilities.shape == (2, 7)
    assert detector.look(batch, "sgcls", domain="mask").regions.class_probabilities.shape == (2, 4)


def test_detected_regions_lie_in_their_image_and_match_the_truth(trained):
    batch = drawn_batch([(64, 64), (50, 41)], seed=0)
    regions = trained.look(batch, "sgdet").regions
    assert len(regions) > 2
    for i, (h, w) in enumerate(batch.sizes):
        mine = regions.image == i
        boxes = regions.boxes[mine]
        assert (boxes >= 0).all() and (boxes <= torch.tensor([w, h, w, h])).all()
        assert torch.equal(regions.labels[mine], matched_labels(boxes, batch.boxes[i], batch.labels[i]))
    assert (regions.labels > 0).any()


def test_no_detection_is_no_region(detectors):
    detector = Detector(BACKBONES["resnext-tiny-fpn"], 4, 3, replace(NUMBERS, score_threshold=0.99))
    batch = drawn_batch([(64, 64)] * 2)
    look = detector.look(batch, "sgdet")
    assert look.regions.boxes.shape == (0, 4)
    assert look.regions.mask_logits.shape == (0, 3, 28, 28)
    assert look.regions.counts() == [0, 0]
    assert look.region_crops(7).shape == (0, 32, 7, 7)
    assert [found["masks"].shape for found in detector.detect(batch, "mask")] == [(0, 64, 64)] * 2


def test_looking_neither_trains_nor_changes_the_mode(detectors):
    detector = detectors["resnext-tiny-fpn"].train()
    before = {k: v.clone() for k, v in detector.state_dict().items()}
    look = detector.look(drawn_batch([(64, 64)]), "sgcls")
    assert detector.training and detector.backbone.training
    assert not look.features[0].requires_grad and not look.regions.class_probabilities.requires_grad
    assert all(torch.equal(v, before[k]) for k, v in detector.state_dict().items())


@pytest.mark.parametrize("task", ["sgcls", "sgdet"])
def test_permuting_images_permutes_the_look(trained, task):
    batch = drawn_batch([(64, 64)] * 3)
    order = [2, 0, 1]
    look, other = trained.look(batch, task), trained.look(permuted(batch, order), task)
    for i, k in enumerate(order):
        mine, theirs = other.regions.image == i, look.regions.image == k
        assert_close(other.regions.boxes[mine], look.regions.boxes[theirs], atol=1e-3, rtol=1e-3)
        assert_close(other.regions.mask_logits[mine], look.regions.mask_logits[theirs], atol=1e-3, rtol=1e-3)


def test_padding_hardly_changes_a_look(trained):
    """Only the borders see it: padding with the mean colour is nearly the zero padding of the convolutions."""
    alone = drawn_batch([(64, 64)])
    padded = replace(alone, images=drawn_batch([(64, 96)]).images)
    padded.images[:, :, :, :64] = alone.images
    padded.images[:, :, :, 64:] = torch.tensor((124, 116, 104), dtype=torch.uint8).view(3, 1, 1)
    look, other = trained.look(alone, "sgcls"), trained.look(padded, "sgcls")
    assert torch.equal(look.regions.boxes, other.regions.boxes)
    assert torch.equal(look.regions.class_probabilities.argmax(1), other.regions.class_probabilities.argmax(1))
    interior = [a[..., : 32 // s] for a, s in zip(look.features, trained.record.strides, strict=True)]
    others = [a[..., : 32 // s] for a, s in zip(other.features, trained.record.strides, strict=True)]
    assert_close(interior[0], others[0], atol=0.1 * float(interior[0].std()), rtol=0)


def test_only_the_channel_of_the_true_class_gets_gradient():
    logits = torch.zeros(2, 3, 28, 28, requires_grad=True)
    mask_loss(logits, torch.tensor([2, 0]), torch.rand(2, 28, 28).round()).total.backward()
    touched = logits.grad.abs().sum((2, 3)) > 0
    assert touched.tolist() == [[False, False, True], [True, False, False]]


def test_mask_targets_are_the_masks_of_the_matched_regions():
    batch = drawn_batch([(64, 64)] * 2)
    sampler = ProposalSampler(16, 0.5)
    samples = sampler([boxes + 1.0 for boxes in batch.boxes], batch, batch.generators())
    for choose in (foreground_proposals, jittered_boxes):
        boxes, image, truth = choose(batch, samples, batch.generators())
        assert len(boxes) >= 4
        overlap = torch.stack(
            [box_iou(boxes[i : i + 1], batch.boxes[image[i]])[0, truth[i]] for i in range(len(boxes))]
        )
        assert (overlap > 0.5).all()
        # An ellipse fills pi / 4 of its box.
        assert_close(
            mask_targets(batch, boxes, image, truth).mean((1, 2)), torch.full((len(boxes),), 0.78), atol=0.16, rtol=0
        )


def test_sampled_proposals_have_the_label_of_the_region_they_lie_on():
    true_boxes, labels = torch.tensor([[0.0, 0, 10, 10], [20, 20, 40, 40]]), torch.tensor([3, 1])
    proposals = torch.tensor([[0.0, 0, 9, 10], [21, 20, 40, 40], [50, 50, 60, 60]])
    batch = replace(drawn_batch([(64, 64)]), boxes=[true_boxes], labels=[labels])
    samples = ProposalSampler(10, 0.5)([proposals], batch, batch.generators())
    assert samples.labels.tolist() == [3, 1, 0, 3, 1]
    assert samples.truth.tolist() == [0, 1, 0, 0, 1]
    assert_close(samples.deltas[3:], torch.zeros(2, 4))


def test_detections_by_hand():
    """Two boxes on one thing, a third elsewhere; NMS is per class and a proposal may give two classes."""
    proposals = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [30, 30, 60, 44]])
    probabilities = torch.tensor([[0.1, 0.6, 0.3], [0.1, 0.5, 0.4], [0.6, 0.02, 0.38]])
    boxes, labels, source = Detections(0.05, 0.5, 10)(probabilities, torch.zeros(3, 3, 4), proposals, (40, 50))
    assert labels.tolist() == [1, 2, 2]
    assert source.tolist() == [0, 1, 2]
    assert boxes.tolist() == [[0, 0, 10, 10], [0, 0, 10, 9], [30, 30, 50, 40]]
    assert one_per_proposal(torch.tensor([4, 2, 4, 2, 7])).tolist() == [0, 1, 4]


def test_crops_are_cut_from_the_levels_of_the_look(detectors):
    look = detectors["resnext-tiny-fpn"].look(drawn_batch([(64, 64)] * 2), "sgcls")
    crops = look.region_crops(7)
    assert crops.shape == (4, 32, 7, 7)
    again = look.crop(look.regions.boxes[2:3], torch.tensor([1]), 7)
    assert_close(again[0], crops[2])


def test_the_paper_size_detector_on_meta():
    with torch.device("meta"):
        detector = Detector(BACKBONES["resnext101-fpn"], 151, 80, NUMBERS)
    assert detector.predictors["graph"].boxes.out_features == 4 * 151
    assert detector.predictors["mask"].classes.out_features == 81
    assert detector.mask_head.logits.out_channels == 80
