import io

import numpy as np
from PIL import Image

from segsg.figures.explore import NAMED_EDGES, contact_sheet, edge_matrix, png, strip

PHOTO = np.zeros((20, 40, 3), dtype=np.uint8)
MASK = np.full((28, 28), 0.5)


def test_masks_have_the_shape_of_their_photo():
    figure = strip({"photo": PHOTO, "$a$": MASK}, "none")
    assert [axes.get_title(loc="center") for axes in figure.axes] == ["photo", "$a$"]
    assert [axes.get_box_aspect() for axes in figure.axes] == [0.5, 0.5]
    assert figure.axes[1].images[0].get_clim() == (0, 1)
    assert figure.get_suptitle() == ""


def test_a_model_without_masks_is_said_to_have_none():
    assert strip({"photo": PHOTO}, "sees no masks").get_suptitle() == "sees no masks"


def test_many_panels_go_on_in_the_next_row():
    figure = contact_sheet({str(i): PHOTO for i in range(7)})
    shown = [axes for axes in figure.axes if axes.images]
    assert len(shown) == 7
    assert shown[6].get_subplotspec().rowspan.start == 1


def scores(regions):
    values = np.full((regions, regions), 0.5)
    np.fill_diagonal(values, np.nan)
    values[0, 1] = 0.001
    return values


def test_predicates_stand_in_their_cells_where_they_can_be_read():
    axes = edge_matrix(scores(3), [["on"] * 3] * 3, ["a", "b", "c"]).axes[0]
    assert sorted(text.get_position() for text in axes.texts) == [(0, 1), (0, 2), (1, 2), (2, 0), (2, 1)]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b", "c"]
    many = NAMED_EDGES + 1
    assert not edge_matrix(scores(many), [["on"] * many] * many, ["a"] * many).axes[0].texts


def test_a_photo_without_pairs_is_a_blank_matrix():
    assert not edge_matrix(np.full((1, 1), np.nan), [[""]], ["a"]).axes[0].texts


def test_a_figure_becomes_a_png():
    assert Image.open(io.BytesIO(png(contact_sheet({"a": PHOTO})))).format == "PNG"
