"""Average precision and mask overlap on cases whose answer is known."""

import numpy as np
import pytest
import torch
from pycocotools import mask as rle

from segsg.evaluation.detection import average_precision, decode, encode, mask_ious

BOXES = np.array([[0, 0, 20, 20], [30, 30, 80, 80], [100, 100, 220, 220]], dtype=np.float32)


def image(boxes, labels, scores=None, masks=None):
    found = {"boxes_original": torch.tensor(np.array(boxes)).float().reshape(-1, 4), "labels": torch.tensor(labels)}
    found |= {} if scores is None else {"scores": torch.tensor(scores).float()}
    return found | ({} if masks is None else {"masks": masks})


def painted(boxes, side=256):
    masks = np.zeros((len(boxes), side, side), dtype=bool)
    for mask, (x1, y1, x2, y2) in zip(masks, np.asarray(boxes, dtype=int), strict=True):
        mask[y1:y2, x1:x2] = True
    return masks


def test_perfect_detections_of_every_size():
    truth = image(BOXES, [1, 2, 1])
    values = average_precision([truth], [image(BOXES, [1, 2, 1], [0.9, 0.8, 0.7])], classes=4)
    assert {name: values[name] for name in ("AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L")} == dict.fromkeys(
        ("AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L"), pytest.approx(1.0)
    )
    assert values["per_class"] == [pytest.approx(1.0), pytest.approx(1.0), None]


def test_an_overlap_counts_up_to_its_threshold():
    # IoU 0.64: right at 0.50, 0.55 and 0.60, wrong at the other seven thresholds.
    found = [[30, 30, 70, 70]]
    values = average_precision([image(BOXES[1:2], [1])], [image(found, [1], [0.9])], classes=2)
    assert values["AP"] == pytest.approx(0.3)
    assert values["AP50"] == pytest.approx(1.0)
    assert values["AP75"] == 0
    assert np.isnan(values["AP_S"])


def test_masks_are_judged_as_masks_whatever_their_boxes():
    truth = image(BOXES, [1, 1, 1], masks=painted(BOXES))
    lower = painted(BOXES)
    lower[:, ::2] = False  # every other row: IoU 0.5
    found = image(BOXES, [1, 1, 1], [0.9, 0.8, 0.7], torch.from_numpy(lower))
    assert average_precision([truth], [found], classes=2)["AP"] == pytest.approx(1.0)
    masks = average_precision([truth], [found], classes=2, masks=True)
    assert masks["AP"] == pytest.approx(0.1)
    assert masks["AP50"] == pytest.approx(1.0)


def test_bool_arrays_and_encodings_are_the_same():
    masks = painted(BOXES)
    masks[:, 5:9] = False
    truth = image(BOXES, [1, 2, 1], masks=painted(BOXES))
    results = [
        average_precision([truth], [image(BOXES, [1, 2, 1], [0.9, 0.8, 0.7], form)], classes=3, masks=True)
        for form in (masks, torch.from_numpy(masks), encode(masks))
    ]
    assert results[0] == results[1] == results[2]
    assert np.array_equal(decode(encode(masks)), masks)


def test_sizes_of_masks_are_areas_of_masks():
    dot = painted(BOXES[2:])
    dot[:, :, 110:] = False  # 10 x 120 pixels are left of the large box: medium
    truth, found = image(BOXES[2:], [1], masks=dot), image(BOXES[2:], [1], [0.9], dot)
    values = average_precision([truth], [found], classes=2, masks=True)
    assert values["AP_M"] == pytest.approx(1.0)
    assert np.isnan(values["AP_L"])


def test_images_without_detections_and_without_truth():
    none = image([], [])
    empty = image([], [], [])
    truth, found = image(BOXES, [1, 1, 1]), image(BOXES, [1, 1, 1], [0.9, 0.8, 0.7])
    assert average_precision([truth], [empty], classes=2)["AP"] == 0
    assert np.isnan(average_precision([none], [found], classes=2)["AP"])
    assert np.isnan(average_precision([], [], classes=2)["AP"])
    half = average_precision([truth, truth, none], [found, empty, empty], classes=2)
    assert half["AP"] == pytest.approx(51 / 101)  # recall 1/2 is reached at precision 1


@pytest.mark.parametrize("masks", [False, True])
def test_what_is_found_in_a_crowd_is_neither_right_nor_wrong(masks):
    crowd = [[100, 0, 200, 60]]
    inside = [[100, 0, 120, 20], [150, 10, 190, 50]]
    truth = image([*BOXES[:1], *crowd], [1, 1], masks=painted([*BOXES[:1], *crowd]))
    found = image([*inside, *BOXES[:1]], [1, 1, 1], [0.9, 0.8, 0.7], painted([*inside, *BOXES[:1]]))
    one = average_precision([truth | {"crowd": torch.tensor([False, True])}], [found], classes=2, masks=masks)
    assert one["AP50"] == pytest.approx(1.0)
    assert average_precision([truth], [found], classes=2, masks=masks)["AP50"] < 0.2
    only = average_precision([truth | {"crowd": torch.tensor([True, True])}], [found], classes=2, masks=masks)
    assert np.isnan(only["AP"]) and only["per_class"] == [None]


def test_nothing_is_printed(capsys):
    average_precision([image(BOXES, [1, 1, 1])], [image(BOXES, [1, 1, 1], [0.9, 0.8, 0.7])], classes=2)
    assert capsys.readouterr().out == ""


def test_iterators_are_walked_once():
    pairs = ((image(BOXES, [1, 1, 1]), image(BOXES, [1, 1, 1], [0.9, 0.8, 0.7])) for _ in range(3))
    truths, found = zip(*pairs, strict=True)
    assert average_precision(iter(truths), iter(found), classes=2)["AP"] == pytest.approx(1.0)


WRONG = {
    "has no 'scores'": (image(BOXES, [1, 1, 1], masks=painted(BOXES)), image(BOXES, [1, 1, 1])),
    "has no 'masks'": (image(BOXES, [1, 1, 1]), image(BOXES, [1, 1, 1], [1, 1, 1], painted(BOXES))),
    "3 boxes, 2 labels": (image(BOXES, [1, 1], masks=painted(BOXES)), image([], [], [])),
    "2 masks for 3 boxes": (image(BOXES, [1, 1, 1], masks=painted(BOXES[:2])), image([], [], [])),
    "masks of sizes": (
        image(BOXES, [1, 1, 1], masks=painted(BOXES)), image(BOXES, [1, 1, 1], [1, 1, 1], painted(BOXES, 300))
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "given"), WRONG.items(), ids=list(WRONG))
def test_wrong_images(rule, given):
    good = image([], []), image([], [], [])
    with pytest.raises(ValueError, match="image number 1") as error:
        average_precision([good[0], given[0]], [good[1], given[1]], classes=2, masks=True)
    assert rule in str(error.value)


def test_mask_ious_by_loop():
    random = np.random.default_rng(0)
    images, expected = [], {1: [], 2: []}
    for regions in (3, 0, 2):
        true, guess = (random.random((regions, 6, 5)) < 0.5 for _ in range(2))
        labels = random.integers(1, 3, regions)
        for t, g, label in zip(true, guess, labels, strict=True):
            expected[int(label)].append((t & g).sum() / (t | g).sum())
        images.append((true, torch.from_numpy(guess), labels))
    values = mask_ious(images, classes=4)
    means = [np.mean(expected[1]), np.mean(expected[2])]
    assert values["per_class"] == [pytest.approx(means[0]), pytest.approx(means[1]), None]
    assert values["mIoU"] == pytest.approx(np.mean(means))
    assert values["regions"] == [len(expected[1]), len(expected[2]), 0]


def test_mask_ious_of_empty_masks_and_of_nothing():
    empty = np.zeros((1, 4, 4), dtype=bool)
    assert mask_ious([(empty, empty, np.array([1]))], classes=2)["mIoU"] == 1
    assert mask_ious([(empty, ~empty, np.array([1]))], classes=2)["mIoU"] == 0
    assert mask_ious([(empty, rle.encode(np.asfortranarray(~empty[0], dtype=np.uint8)[:, :, None]), np.array([1]))],
                     classes=2)["mIoU"] == 0  # fmt: skip
    assert np.isnan(mask_ious([], classes=2)["mIoU"])


def test_mask_ious_that_do_not_fit_together():
    with pytest.raises(ValueError, match="image number 0"):
        mask_ious([(np.zeros((2, 4, 4), dtype=bool), np.zeros((1, 4, 4), dtype=bool), np.array([1, 1]))], classes=2)
