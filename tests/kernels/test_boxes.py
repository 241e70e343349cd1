import torch
from torch.testing import assert_close

from segsg.kernels.boxes import all_pairs, clip, position_code, union_boxes

BOXES = torch.tensor([[0.0, 0.0, 10.0, 20.0], [5.0, 10.0, 30.0, 15.0]])


def test_the_union_box_is_the_tightest_around_both():
    assert union_boxes(BOXES, BOXES.flip(0)).tolist() == [[0, 0, 30, 20], [0, 0, 30, 20]]


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
    assert position_code(none, [], image).shape == (0, 9)
    assert position_code(none, [(10, 10)], image).shape == (0, 9)
    assert all_pairs(image).shape == (0, 2)
