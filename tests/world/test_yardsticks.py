"""The yardsticks see what they should."""

import numpy as np

from segsg.world.images import Place, draw_image
from segsg.world.yardsticks import Pairs, box_features, entropy, mask_features, unseen


def pairs(classes, predicates):
    rows = len(predicates)
    nothing = np.zeros((rows, 0))
    return Pairs(np.array(classes), nothing, nothing, np.array(predicates), np.arange(rows))


def test_entropy_is_in_bits_per_relation():
    assert entropy(pairs([[0, 1]] * 4, [0, 1, 2, 3])) == 2
    assert entropy(pairs([[0, 1], [1, 0]], [0, 1])) == 0


def test_unseen_counts_relations_whose_triplet_is_new():
    train = pairs([[0, 1], [0, 2]], [3, 4])
    assert unseen(train, pairs([[0, 1], [0, 2], [0, 2]], [3, 3, 4])) == 1 / 3


def test_features_are_of_one_length_and_masks_know_more_than_boxes():
    images = [draw_image(Place(0, "scene_graphs", "test", i, 1, 160)) for i in range(4)]
    lengths = {
        (len(box_features(a.boxes[s], a.boxes[o], 160)), len(mask_features(image, s, o)))
        for image in images
        for a in [image.annotation]
        for s, _, o in a.relations
    }
    assert len(lengths) == 1


def test_box_features_see_a_shift():
    first = np.array([10.0, 10, 30, 40])
    same, shifted = box_features(first, first, 160), box_features(first, first + 5, 160)
    assert same[0] == 0 and shifted[0] == 0.25
