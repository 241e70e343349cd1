from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from segsg.figures.album import Album, read_album
from segsg.figures.figures import curves_by_kind, kernel_grid, learning_curves, transfer_heatmap
from segsg.figures.overlay import (
    INK,
    MAX_RELATIONS,
    PALE,
    ZERO_SHOT,
    Picture,
    compared_overlay,
    masks_overlay,
    scene_graph_overlay,
)
from segsg.figures.style import PALETTE, contrast, ink_on, save


def picture(relations, masks=True) -> Picture:
    boxes = torch.tensor([[2.0, 3, 20, 30], [15, 10, 40, 36], [0, 0, 5, 5]])
    mask = torch.zeros(3, 40, 48, dtype=torch.bool)
    mask[0, 5:20, 5:15] = True
    image = torch.full((3, 40, 48), 128, dtype=torch.uint8)
    return Picture(image, boxes, ("cup", "<table>", "$x$"), mask if masks else None, tuple(relations))


def texts(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_regions_of_the_shown_relations_are_named_in_photo_and_graph():
    figure = scene_graph_overlay(picture([(0, "on", 1, 0.9)]))
    assert texts(figure).count("cup") == 2
    assert "on" in texts(figure)
    assert "$x$" not in texts(figure)


def test_only_the_best_relations_are_shown():
    figure = scene_graph_overlay(picture([(0, f"p{i}", 1, 0.9) for i in range(MAX_RELATIONS + 5)]))
    assert sum(text.startswith("p") for text in texts(figure)) == MAX_RELATIONS


def test_masks_colour_the_photo():
    with_masks = scene_graph_overlay(picture([(0, "on", 1, 0.9)])).axes[0].images[0].get_array()
    without = scene_graph_overlay(picture([(0, "on", 1, 0.9)], masks=False)).axes[0].images[0].get_array()
    changed = (np.asarray(with_masks) != np.asarray(without)).any(axis=2)
    assert changed[5:20, 5:15].all()
    assert changed.sum() == 150


def test_true_and_zero_shot_relations_have_colours_of_their_own():
    marked = replace(picture([(0, "on", 1, 1.0), (1, "by", 0, 1.0), (0, "in", 2, 1.0)]), true=frozenset({0, 2}))
    marked = replace(marked, zero_shot=frozenset({2}))
    assert [marked.colour(i) for i in range(3)] == [INK, PALE, ZERO_SHOT]
    colours = {text.get_text(): text.get_color() for text in scene_graph_overlay(marked).axes[1].texts}
    assert (colours["on"], colours["by"], colours["in"]) == (INK, PALE, ZERO_SHOT)


def test_two_graphs_of_a_photo_are_below_each_other(tmp_path):
    figure = compared_overlay(picture([(0, "on", 1, 0.9)], masks=False), picture([(1, "by", 0, 0.9)]))
    assert len(figure.axes) == 4
    assert {"on", "by"} <= set(texts(figure))
    assert save(figure, tmp_path / "a.jpg").is_file()


def test_the_rule_that_chose_photos_is_said_once(tmp_path):
    album = Album(tmp_path)
    album.add_pairs([(picture([]), replace(picture([]), title=str(i))) for i in range(2)], "Nobody picked.")
    album.close()
    assert [(entry.page, entry.title, entry.caption) for entry in read_album(tmp_path)] == [
        ("pairs", "0", "Nobody picked."), ("pairs", "1", ""),
    ]  # fmt: skip


def test_kinds_of_masks_are_beside_each_other():
    one = picture([])
    figure = masks_overlay(one, {"truth": one.masks, "refined": ~one.masks})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["truth", "refined"]
    truth, refined = (np.asarray(axes.images[0].get_array()) for axes in figure.axes)
    assert (truth != refined).any()


@pytest.mark.parametrize("relations", [[], [(0, "on", 1, 0.9)], [(0, "on", 1, 0.9), (1, "under", 0, 0.8)]])
def test_saved_pictures_are_small_and_equal_each_time(relations, tmp_path):
    files = [save(scene_graph_overlay(picture(relations)), tmp_path / name) for name in ("a.jpg", "b.jpg")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].stat().st_size < 200_000
    assert Image.open(files[0]).size == (990, 462)


def test_a_large_matrix_stays_a_bounded_figure(tmp_path):
    matrix = np.eye(150, 80)
    figure = transfer_heatmap(matrix, tuple(map(str, range(150))), tuple(map(str, range(80))))
    assert max(figure.get_size_inches()) <= 20
    assert save(figure, tmp_path / "t.png").stat().st_size < 500_000


def test_negative_weights_get_a_scale_around_zero():
    image = transfer_heatmap(np.array([[-1.0, 0.5]]), ("a",), ("b", "c")).axes[0].images[0]
    assert image.get_clim() == (-1.0, 1.0)


def test_curves_are_smoothed_losses_by_step(tmp_path):
    (tmp_path / "h.csv").write_text("step,seconds,loss\n" + "".join(f"{i},0.1,{100 - i}\n" for i in range(80)))
    (line,) = learning_curves({"run": tmp_path / "h.csv"}, "Stage 1").axes[0].lines
    assert line.get_label() == "run"
    assert (line.get_xdata()[-1], line.get_ydata()[-1]) == (79, 21.5)


def test_every_run_is_a_line_in_the_colour_of_its_kind(tmp_path):
    (tmp_path / "h.csv").write_text("step,seconds,loss\n0,0.1,3\n1,0.1,2\n")
    runs = {
        "predcls": {"baseline": [tmp_path / "h.csv"] * 3, "frequency": []},
        "sgdet": {"grounded": [tmp_path / "h.csv"]},
    }
    left, right = curves_by_kind(runs, "Stage 2").axes
    assert (left.get_title(loc="left"), right.get_title(loc="left")) == ("PredCls", "SGDet")
    assert len({line.get_color() for line in left.lines}) == 1 and len(left.lines) == 3
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["baseline (3)"]
    assert right.lines[0].get_color() != left.lines[0].get_color()


@pytest.mark.parametrize("colour", PALETTE)
def test_names_on_any_colour_of_ours_can_be_read(colour):
    assert contrast(ink_on(colour), colour) > 3.5


def test_all_that_is_written_in_graphs_can_be_read_on_white():
    assert min(contrast(colour, "#ffffff") for colour in (INK, PALE, ZERO_SHOT)) > 4.5
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_a_picture_in_words_says_what_is_drawn():
    assert picture([(0, "on", 1, 0.9), (1, "by", 0, 0.5)]).words == "cup on <table>, <table> by cup"
    assert picture([]).words == "no relation found"
    assert picture([(0, "on", 1, 0.9)] * (MAX_RELATIONS + 3)).words.count("on") == MAX_RELATIONS


def test_each_class_has_its_kernel(tmp_path):
    kernels = np.random.default_rng(0).random((13, 7, 7))
    figure = kernel_grid(kernels, tuple(map(str, range(13))))
    assert sum(bool(axes.images) for axes in figure.axes) == 13
    assert [axes.get_title(loc="center") for axes in figure.axes][12] == "12"
    assert save(figure, tmp_path / "k.png").is_file()
