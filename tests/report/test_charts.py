import pytest
from made_results import BASELINE, GROUNDED, PAPER, against, results, row

from segsg.figures.style import FAINT, INK, LOSS, PALETTE, inline_svg, save
from segsg.report.charts import chart, longest_ladder, short_labels, words
from segsg.report.registry import TABLES
from segsg.report.table import signed

BETTER = row("seg-grounded", mR_20=0.15, mR_50=0.3, mR_100=0.4, comparisons=against(0.1, 0.05, 0.15, "mR@50"))
ORACLE = BETTER | {"grounding": {"masks": "oracle"}, "comparisons": against(0.1, -0.1, 0.3, "mR@50")}


def table(name, *rows, paper=PAPER, **more):
    return TABLES[name](results(*rows, **more), paper)


def recalls(*values):
    facts = {"names": ["on", "by"], "training": [5, 9], "group": ["a", "b"], "R@50": list(values)}
    return {"predicates": facts}


def texts(figure) -> str:
    return " ".join(text.get_text() for axes in figure.axes for text in axes.texts)


def named(axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def points(axes) -> list:
    """Large marks: one for each row."""
    return [line for line in axes.lines if line.get_marker() == "o" and line.get_markersize() > 6]


def titles(figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_the_chart_draws_what_was_measured_and_skips_what_was_not(tmp_path):
    unmeasured = row("seg-grounded", mR_20=0.5, mR_50=None)
    figure = chart(table("table1", BASELINE, unmeasured))
    (axes,) = figure.axes
    assert (titles(figure), axes.get_xlabel()) == (["SGCls"], "mR@50 (%)")
    assert named(axes) == ["baseline", "seg-grounded"]
    assert [list(point.get_xdata()) for point in points(axes)] == [[pytest.approx(20.0)]]
    interval = [line for line in axes.lines if line.get_linewidth() == 4]
    assert [list(line.get_xdata()) for line in interval] == [pytest.approx([19.0, 21.0])]
    assert save(figure, tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_rows_is_a_sentence_in_its_picture(name, tmp_path):
    figure = chart(table(name))
    assert "has no row for this table" in texts(figure)
    assert save(figure, tmp_path / "c.png").is_file()


def test_what_grounding_changes_has_a_colour_and_noise_is_grey_and_hollow():
    noisy = BETTER | {"model": "imp", "comparisons": against(0.1, -0.1, 0.3, "mR@50")}
    (axes,) = chart(table("table1", BASELINE, BETTER, noisy)).axes
    assert [point.get_color() for point in points(axes)] == [FAINT, INK, PALETTE[0]]
    assert [point.get_markerfacecolor() == "none" for point in points(axes)] == [True, False, False]


def test_seeds_are_small_dots_where_there_are_several():
    (axes,) = chart(table("table1", BASELINE, row("baseline", seed=1, mR_50=0.22), GROUNDED)).axes
    (dots,) = [line for line in axes.lines if line.get_marker() == "o" and line.get_markersize() < 3]
    assert list(dots.get_xdata()) == pytest.approx([20.0, 22.0])


def dotted(axes) -> list[float]:
    return [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"]


def test_one_baseline_is_a_reference_and_several_are_none():
    assert dotted(chart(table("table1", BASELINE, BETTER)).axes[0]) == [pytest.approx(20.0)]
    assert dotted(chart(table("table1", BASELINE, BASELINE | {"model": "imp"})).axes[0]) == []


def test_an_ablation_has_a_panel_for_each_place_and_greys_out_noise():
    joint = row("baseline", "mini-fpn-joint", mR_50=0.2) | {"comparisons": against(0.1, -0.1, 0.3, "mR@50")}
    rows = [BASELINE, joint, GROUNDED]
    figure = chart(table("table4", *rows, *[r | {"task": "predcls"} for r in rows]))
    assert [title.rpartition(" · ")[2] for title in titles(figure)] == ["PredCls", "SGCls"]
    assert [point.get_color() for point in points(figure.axes[0])] == [INK, FAINT, PALETTE[0]]
    assert len(dotted(figure.axes[0])) == 1


def test_controls_stand_beside_the_ladder_and_differences_at_its_right():
    figure = chart(table("table4", BASELINE, BETTER, ORACLE))
    (axes,) = figure.axes
    assert titles(figure) == ["VCTree · ResNeXt-FPN, mini · SGCls"]
    assert named(axes) == ["Base", "Joint + OG + EG_Gaussian", "true masks (oracle)"]
    assert [point.get_ydata()[0] for point in points(axes)] == [0, 1, 2.4]
    assert sum(line.get_linestyle() == "--" for line in axes.lines) == 1
    assert "+10.0 [5.0–15.0]" in texts(figure)


def test_a_control_that_differs_clearly_has_a_colour_of_its_own():
    sure = ORACLE | {"comparisons": against(0.1, 0.05, 0.15, "mR@50")}
    (axes,) = chart(table("table4", BASELINE, BETTER, sure)).axes
    assert points(axes)[-1].get_color() == PALETTE[1]


def test_the_longest_ladder_is_the_place_with_most_rows():
    place = [BASELINE | {"task": "predcls"}, ORACLE | {"task": "predcls"}]
    found = longest_ladder(table("table4", *place, BASELINE, BETTER, ORACLE))
    assert {line.labels[2] for line in found.rows} == {"SGCls"} and len(found.rows) == 3
    assert longest_ladder(table("table4")).rows == ()


def test_labels_that_all_rows_share_are_left_out():
    rows = table("table1", BASELINE, BETTER, BASELINE | {"model": "imp"}, paper={"table1": []}).rows
    assert short_labels(rows) == ["IMP · baseline", "VCTree · baseline", "VCTree · seg-grounded"]


@pytest.mark.parametrize(("after", "gain", "colour"), [(0.6, 10.0, PALETTE[0]), (0.45, -5.0, LOSS), (0.4998, 0, FAINT)])
def test_predicates_are_pairs_with_their_gain(after, gain, colour):
    figure = chart(table("predicates", BASELINE | recalls(0.5, None), GROUNDED | recalls(after, None)))
    (axes,) = figure.axes
    assert named(axes) == ["on 5"]
    between, before, last = axes.lines
    assert list(between.get_xdata()) == pytest.approx([50.0, 100 * after])
    assert (before.get_xdata()[0], last.get_xdata()[0]) == pytest.approx((50.0, 100 * after))
    assert (before.get_markerfacecolor(), last.get_color()) == ("none", colour)
    assert texts(figure) == (signed(gain) if gain else "0.0")


def test_borrowed_masks_have_a_colour_for_each_way_of_transfer():
    quality = {way: {"cup": 0.5, "man": None} for way in ("oracle", "softmax", "softmax, mini-fpn-apart")}
    (axes,) = chart(table("transfer_quality", transfer_quality=quality)).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["softmax", "oracle"]
    assert list(axes.lines[0].get_xdata()) == pytest.approx([50.0, 50.0, 50.0])


@pytest.mark.parametrize("name", TABLES)
def test_a_chart_can_be_heard(name):
    made = table(name, BASELINE | recalls(0.5, 0.5), GROUNDED | recalls(0.5, 0.5))
    assert made.title in words(made)
    assert "aria-label" in inline_svg(chart(made), name, words(made))


def test_table_5_shows_what_each_source_has_beyond_rectangles():
    difference = {"rectangles": {"mR@50": {"difference": 0.05, "low": 0.01, "high": 0.09, "p": 0.02}}}
    rows = [row("seg-grounded", grounding={"masks": "rectangles"}, mR_50=0.3),
            row("seg-grounded", mR_50=0.35, comparisons=difference)]  # fmt: skip
    first, second = chart(table("table5", *rows)).axes
    titles = [axes.get_title("left") for axes in (first, second)]
    assert titles == ["mR@50", "zsR@100"]
    assert first.get_xlabel() == "points, minus rectangles"
    assert [tick.get_text() for tick in first.get_yticklabels()] == ["eq. 6"]
    points = [line.get_xdata().tolist() for line in first.lines if len(line.get_xdata()) == 1]
    assert [5.0] in [[round(x, 6) for x in point] for point in points]
