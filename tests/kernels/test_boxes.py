import itertools

import torch
from torch.testing import assert_close

from segsg.kernels.boxes import all_pairs, clip, contact_frames, position_code, union_boxes

BOXES = torch.tensor([[0.0, 0.0, 10.0, 20.0], [5.0, 10.0, 30.0, 15.0]])


def test_the_union_box_is_the_tightest_around_both():
    assert union_boxes(BOXES, BOXES.flip(0)).tolist() == [[0, 0, 30, 20], [0, 0, 30, 20]]


def contact_by_hand(a, b, margin):
    """The intersection of two grown boxes, or None."""
    (x1, y1, x2, y2), (u1, v1, u2, v2) = ([c[0] - margin, c[1] - margin, c[2] + margin, c[3] + margin] for c in (a, b))
    frame = [max(x1, u1), max(y1, v1), min(x2, u2), min(y2, v2)]
    return frame if frame[0] < frame[2] and frame[1] < frame[3] else None


def test_the_contact_frame_is_where_grown_boxes_meet():
    here = [10.0, 10.0, 20.0, 20.0]
    pairs = {
        "overlapping": ([15.0, 5.0, 30.0, 18.0], [13, 8, 22, 20]),
        "touching": ([20.0, 10.0, 30.0, 20.0], [18, 8, 22, 22]),
        "nested": ([12.0, 13.0, 15.0, 16.0], [10, 11, 17, 18]),
        "near": ([23.0, 10.0, 30.0, 20.0], [21, 8, 22, 22]),
        "as far as the margins reach": ([24.0, 10.0, 30.0, 20.0], None),
        "apart": ([10.0, 60.0, 20.0, 70.0], None),
    }
    others = torch.tensor([box for box, _ in pairs.values()])
    subjects = torch.tensor([here]).expand(len(pairs), -1)
    frames, is_frame = contact_frames(subjects, others, 2.0)
    assert is_frame.tolist() == [frame is not None for _, frame in pairs.values()]
    assert frames[is_frame].tolist() == [frame for _, frame in pairs.values() if frame is not None]
    turned, is_turned = contact_frames(others, subjects, 2.0)
    assert torch.equal(turned, frames) and torch.equal(is_turned, is_frame)


def test_contact_frames_agree_with_a_slow_version():
    start = torch.rand(12, 2, generator=torch.Generator().manual_seed(0)) * 40
    boxes = torch.cat([start, start + 1 + start.flip(0) / 4], dim=1)
    found = 0
    for a, b in itertools.product(boxes, boxes):
        (frame,), (is_frame,) = contact_frames(a[None], b[None], 2.0)
        expected = contact_by_hand(a.tolist(), b.tolist(), 2.0)
        assert is_frame == (expected is not None)
        if expected is not None:
            assert_close(frame, torch.tensor(expected))
            found += 1
    assert len(boxes) < found < len(boxes) ** 2


def test_clip_keeps_what_is_inside_the_image():
    assert clip(BOXES, (12, 8)).tolist() == [[0, 0, 8, 12], [5, 10, 8, 12]]


def test_position_code_by_hand():
    code = position_code(BOXES, [(100, 50), (40, 60)], torch.tensor([0, 1]))
    assert_close(code[0], torch.tensor([0.2, 0.2, 0.1, 0.1, 0, 0, 0.2, 0.2, 0.04]))
    w, h = 25 / 60, 5 / 40
    assert_close(code[1], torch.tensor([w, h, 17.5 / 60, 12.5 / 40, 5 / 60, 10 / 40, 30 / 60, 15 / 40, w * h]))


def test_all_pairs_agrees_with_two_loops():
    image = [0, 0, 0, 1, 3, 3]
    by_hand = [[s, o] for s in range(6) for o in range(6) if s != o and image[s] == image[o]]
    assert all_pairs(torch.tensor(image)).tolist() == by_hand


def test_nothing_in_nothing_out():
    none = torch.zeros(0, 4)
    image = torch.zeros(0, dtype=torch.long)
    assert union_boxes(none, none).shape == (0, 4)
    frames, is_frame = contact_frames(none, none, 2.0)
    assert frames.shape == (0, 4) and is_frame.shape == (0,)
    assert position_code(none, [], image).shape == (0, 9)
    assert position_code(none, [(10, 10)], image).shape == (0, 9)
    assert all_pairs(image).shape == (0, 2)
