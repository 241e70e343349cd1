import numpy as np

from segsg.figures.style import DPI
from segsg.figures.transfer_map import BARE, by_partner, transfer_map


def test_rows_go_along_the_diagonal_the_surest_first_and_empty_ones_last():
    matrix = np.array([[0, 0, 0], [0, 0, 1], [0.6, 0.4, 0], [0.9, 0.1, 0], [0, -1, 0]])
    assert by_partner(matrix).tolist() == [3, 2, 4, 1, 0]


def labels(axes):
    return [tick.get_text() for tick in axes.get_yticklabels()], list(
        dict.fromkeys(tick.get_text() for tick in axes.get_xticklabels())
    )


def test_names_keep_to_their_rows_and_rows_without_a_mask_are_red():
    figure = transfer_map(np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), ("bare", "second", "$first$"), ("x", "y"))
    axes = figure.axes[0]
    assert labels(axes) == (["$first$", "second", "bare"], ["x", "y"])
    assert [tick.get_color() == BARE for tick in axes.get_yticklabels()] == [False, False, True]
    assert axes.images[0].get_array().tolist() == [[1, 0], [0, 1], [0, 0]]


def test_every_name_of_visual_genome_and_coco_can_be_read():
    figure = transfer_map(np.eye(150, 80), tuple(map(str, range(150))), tuple(map(str, range(80))))
    axes = figure.axes[0]
    assert len(axes.get_yticklabels()) == 150
    assert all(tick.get_fontsize() >= 7 for tick in (*axes.get_yticklabels(), *axes.get_xticklabels()))


def test_long_lists_stay_a_picture():
    figure = transfer_map(np.eye(3000, 80), ("a",) * 3000, ("b",) * 80)
    assert max(figure.get_size_inches()) * DPI < 10_000
    assert not figure.axes[0].get_yticklabels()


def test_negative_weights_have_a_colour_of_their_own():
    image = transfer_map(np.array([[0.5, -0.25]]), ("a",), ("x", "y")).axes[0].images[0]
    assert (image.norm.vmin, image.norm.vmax) == (-0.5, 0.5)
