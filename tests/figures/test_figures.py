import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib import rc_context
from PIL import Image

from segsg.figures.album import Album, read_album
from segsg.figures.borrowed import contacts
from segsg.figures.figures import (
    BARE,
    by_partner,
    covariance,
    curves_by_kind,
    ellipse,
    far,
    kernel_grid,
    learning_curves,
    transfer_map,
)
from segsg.figures.overlay import (
    INK,
    MAX_RELATIONS,
    PALE,
    ZERO_SHOT,
    Contact,
    Picture,
    compared_overlay,
    contacts_overlay,
    masks_overlay,
    scene_graph_overlay,
    spread,
)
from segsg.figures.style import DPI, PALETTE, STYLE, contrast, ink_on, inline_svg, new_figure, save


def picture(relations, masks=True) -> Picture:
    boxes = torch.tensor([[2.0, 3, 20, 30], [15, 10, 40, 36], [0, 0, 5, 5]])
    mask = torch.zeros(3, 40, 48, dtype=torch.bool)
    mask[0, 5:20, 5:15] = True
    image = torch.full((3, 40, 48), 128, dtype=torch.uint8)
    return Picture(image, boxes, ("cup", "<table>", "$x$"), mask if masks else None, tuple(relations))


def texts(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_regions_of_the_shown_relations_have_numbers_in_the_photo_and_names_in_the_graph():
    figure = scene_graph_overlay(picture([(0, "on", 1, 0.9)]))
    photo, graph = ([text.get_text() for text in axes.texts] for axes in figure.axes)
    assert photo == ["1", "2"]
    assert {"1 cup", "2 <table>", "on"} <= set(graph)
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


def test_contact_frames_are_below_the_photo_with_the_masks_of_their_pair_alone(tmp_path):
    one = replace(picture([]), masks=None)
    masks = torch.zeros(3, 40, 48, dtype=torch.bool)
    masks[0, :, :10] = masks[1, :, 10:20] = masks[2, :, 20:] = True
    contact = Contact((0, 1), torch.tensor([5.0, 8, 15, 12]), "cup on $x$")
    figure = contacts_overlay(one, {"borrowed": masks, "true": ~masks}, [contact])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["", "borrowed", "true", "cup on $x$", "", ""]
    assert all((axes.get_xlim(), axes.get_ylim()) == ((4.5, 14.5), (11.5, 7.5)) for axes in figure.axes[3:])
    photo, borrowed, _ = ((axes.images[0].get_array() * 255).round() for axes in figure.axes[3:])
    assert (photo == one.image.permute(1, 2, 0).numpy()).all()
    left, middle, right = (borrowed[0, column].tolist() for column in (0, 10, 20))
    assert right == [128, 128, 128] and left[2] > left[0] and middle[0] > middle[2]
    assert (
        (borrowed[:, :10] == left).all() and (borrowed[:, 10:20] == middle).all() and (borrowed[:, 20:] == right).all()
    )
    album = Album(tmp_path)
    album.add_borrowed([(one, {"borrowed": masks}, [contact]), (one, {"borrowed": masks}, [])], "Nobody picked.")
    assert [entry.page for entry in album.entries] == ["transfer"] * 2
    assert album.entries[0].words == "Masks of cup, <table>, $x$: borrowed. Where two meet: cup on $x$"


BOXES = torch.tensor([[0.0, 0, 10, 10], [8.0, 0, 20, 10], [15.0, 5, 25, 15], [60.0, 60, 70, 70], [20.0, 2, 22, 4]])


def test_the_largest_contact_frames_come_first_and_pairs_apart_have_none():
    words = {(0, 1): "a", (2, 1): "b", (0, 3): "c", (1, 0): "d", (1, 4): "e", (0, 4): "f"}
    found = contacts(BOXES, words)
    # Grown by two pixels on each side: 9 x 9, 6 x 14 and 4 x 6 pixels.
    assert [(one.pair, one.words) for one in found] == [((0, 1), "a"), ((2, 1), "b"), ((1, 4), "e")]
    assert [one.frame.tolist() for one in found] == [[6, -2, 12, 12], [13, 3, 22, 12], [18, 0, 22, 6]]
    assert contacts(BOXES, {}) == []


@pytest.mark.parametrize("relations", [[], [(0, "on", 1, 0.9)], [(0, "on", 1, 0.9), (1, "under", 0, 0.8)]])
def test_saved_pictures_are_small_and_equal_each_time(relations, tmp_path):
    files = [save(scene_graph_overlay(picture(relations)), tmp_path / name) for name in ("a.jpg", "b.jpg")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].stat().st_size < 200_000
    assert Image.open(files[0]).size == (1980, 924)


def test_a_large_matrix_stays_a_bounded_figure(tmp_path):
    matrix = np.eye(150, 80)
    figure = transfer_map(matrix, tuple(map(str, range(150))), tuple(map(str, range(80))))
    assert max(figure.get_size_inches()) <= 30
    assert save(figure, tmp_path / "t.png").stat().st_size < 500_000


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
    assert [len(axes.patches) for axes in figure.axes] == [2] * 13 + [0] * 3
    assert {axes.get_title(loc="center").partition("\n")[0] for axes in figure.axes[:13]} == set(map(str, range(13)))
    assert save(figure, tmp_path / "k.png").is_file()


def test_a_kernel_is_told_by_its_standard_deviations():
    y, x = np.mgrid[-10:11, -10:11]
    gaussian = np.exp(-(x**2) / (2 * 3.0**2) - y**2 / (2 * 1.5**2))
    assert np.sqrt(np.diag(covariance(gaussian))) == pytest.approx([3.0, 1.5], abs=0.05)
    shape = ellipse(covariance(gaussian))
    assert (shape.width, shape.height) == pytest.approx((6.0, 3.0), abs=0.1) and shape.angle % 180 == 0
    assert covariance(np.zeros((3, 3))).tolist() == [[0, 0], [0, 0]]


def test_runs_that_end_far_from_the_others_are_named(tmp_path):
    assert far([1.0, 1.1, 1.2, 1.1, 9.0], list("abcde")) == ["e"]
    assert far([], []) == [] and far([1.0], ["a"]) == []


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


APART = (0.5, 0.3)


def gaps(places):
    away = np.abs(places[:, None] - places[None]) / APART
    return np.linalg.norm(away, axis=2)[~np.eye(len(places), dtype=bool)]


@pytest.mark.parametrize("points", [np.zeros((6, 2)), np.random.default_rng(0).uniform(-0.3, 0.3, (10, 2))])
def test_crowded_nodes_move_apart(points):
    assert gaps(spread(points, APART)).min() > 0.7


def test_nodes_with_room_stay():
    points = np.array([[-1.0, -1.0], [1.0, 1.0], [1.0, -1.0]])
    assert np.abs(spread(points, APART) - points).max() < 0.01


def test_same_points_same_places():
    points = np.random.default_rng(1).normal(size=(5, 2))
    assert np.array_equal(spread(points, APART), spread(points, APART))


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one(count):
    assert spread(np.zeros((count, 2)), APART).shape == (count, 2)


def drawn():
    with rc_context(STYLE):
        figure = new_figure(3.0, 2.0)
        axes = figure.subplots()
        axes.plot([1, 2], [3, 3], "o", color=PALETTE[0])
        axes.set_title("<b> $x$")
    return figure


def test_a_figure_in_a_page_is_the_same_each_time_and_says_what_it_shows():
    svg = inline_svg(drawn(), "a", 'one "two" <three>')
    assert svg == inline_svg(drawn(), "a", 'one "two" <three>')
    assert svg.startswith("<svg ") and """aria-label='one "two" &lt;three&gt;'""" in svg
    assert "&lt;b&gt; $x$" in svg
    assert not re.search(r"Matplotlib|\d{4}-\d\d-\d\d|<style|<!--|url\(|#[0-9a-f]{6}", svg)


def test_a_figure_in_a_page_has_the_pages_colours_and_marks_of_its_own():
    svg = inline_svg(drawn(), "a", "")
    assert {"currentColor", "var(--faint)", "var(--accent)"} <= set(re.findall(r"currentColor|var\(--\w+\)", svg))
    marks = re.findall(r' id="([^"]+)"', svg)
    assert marks and set(marks).isdisjoint(re.findall(r' id="([^"]+)"', inline_svg(drawn(), "b", "")))
