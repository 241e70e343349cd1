"""Charts of tables: what was measured is drawn where the numbers say, in the colour of what it says."""

import pytest
from made_results import BASELINE, GROUNDED, PAPER, against, results, row
from matplotlib.colors import to_hex

from segsg.figures.style import FAINT, INK, LOSS, PALETTE, inline_svg, save
from segsg.report import frames, panels
from segsg.report.cells import signed
from segsg.report.charts import chart, drawn, short_labels, words
from segsg.report.elements import element
from segsg.report.panels import PAPER as PAPERS
from segsg.report.registry import TABLES

BETTER = row("seg-grounded", mR_20=0.15, mR_50=0.3, mR_100=0.4, comparisons=against(0.1, 0.05, 0.15, "mR@50"))
ORACLE = BETTER | {"grounding": {"masks": "oracle"}, "comparisons": against(0.1, -0.1, 0.3, "mR@50")}


def table(name, *rows, paper=PAPER, **more):
    return TABLES[name](results(*rows, **more), paper)


def recalls(*values):
    facts = {"names": ["on", "by"], "training": [5, 9], "group": ["a", "b"], "R@50": list(values)}
    return {"predicates": facts}


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def named(axes) -> list[str]:
    return [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()]


def titles(figure) -> list[str]:
    return [axes.get_title(loc="left").replace("\n", " ") for axes in figure.axes]


def spots(axes) -> list[tuple[str, float, float]]:
    """(colour, x, y) of each dot, from the top."""
    found = [
        (to_hex(marks.get_edgecolor()[0]), round(float(x), 3), round(float(y), 3))
        for marks in axes.collections
        if hasattr(marks, "get_sizes") and len(marks.get_edgecolor())
        for x, y in (marks.get_offsets() if len(marks.get_sizes()) else ())
    ]
    return sorted(found, key=lambda spot: (spot[2], spot[1]))


def bars(axes) -> list[tuple[float, float]]:
    """Ends of each thick line, from the top."""
    thick = [marks for marks in axes.collections if hasattr(marks, "get_segments") and marks.get_linewidth()[0] == 4]
    ends = [segment for marks in thick for segment in marks.get_segments()]
    return [tuple(map(float, segment[:, 0])) for segment in sorted(ends, key=lambda segment: segment[0, 1])]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_rows_is_a_sentence_in_its_picture(name, tmp_path):
    figure = chart(table(name))
    assert "has no row for this table" in texts(figure.axes[0])[0]
    assert save(figure, tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_a_dumbbell_runs_from_the_baseline_to_the_grounded_model():
    (axes,) = chart(table("table1", BASELINE, BETTER)).axes
    assert (axes.get_title(loc="left"), axes.get_xlabel()) == ("SGCls", "mR@50 (%)")
    assert named(axes) == ["VCTree"]
    assert spots(axes) == [(FAINT, 20.0, 0.0), (PALETTE[0], 30.0, 0.0)]
    assert bars(axes) == [pytest.approx((25.0, 35.0))]
    assert texts(axes) == ["+10.0"]


@pytest.mark.parametrize(
    ("low", "high", "value", "colour"),
    [(0.05, 0.15, 0.1, PALETTE[0]), (-0.1, 0.3, 0.1, FAINT), (-0.2, -0.05, -0.1, LOSS)],
)
def test_a_grounded_model_has_the_colour_of_what_its_difference_says(low, high, value, colour):
    after = row("seg-grounded", mR_50=0.2 + value, comparisons=against(value, low, high, "mR@50"))
    (axes,) = chart(table("table1", row("baseline", mR_50=0.2), after)).axes
    assert (colour, round(20 + 100 * value, 3), 0.0) in spots(axes)


def test_what_was_not_measured_is_not_drawn():
    (axes,) = chart(table("table1", BASELINE, row("seg-grounded", mR_20=0.5, mR_50=None))).axes
    assert spots(axes) == [(FAINT, 20.0, 0.0)] and bars(axes) == []


def test_models_stand_under_the_name_of_their_detector():
    vgg = {"other": {"backbone": "vgg-mini", "joint": False, "seed": 0, "metrics": {}}}
    file = results(BASELINE, GROUNDED)
    file["detectors"] |= vgg
    file["experiments"]["x"] = BASELINE | {"detector": "other"}
    (axes,) = chart(TABLES["table1"](file, PAPER)).axes
    assert named(axes) == ["VCTree", "VCTree"]
    assert {"ResNeXt-FPN, mini", "VGG, mini"} <= set(texts(axes))


def test_the_gain_of_the_paper_starts_at_our_baseline():
    published = {"model": "VCTree", "detector": "ResNeXt-101-FPN", "method": "seg-grounded", "status": "printed",
                 "sgcls": [9.1, 12.9, 13.6], "predcls": [0, 0, 0], "sgdet": [0, 0, 0]}  # fmt: skip
    paper = PAPER | {"table1": [*PAPER["table1"], published]}
    (axes,) = chart(table("table1", BASELINE, BETTER, paper=paper)).axes
    assert (PAPERS, 23.0, 0.3) in spots(axes)  # 20.0 + 12.9 − 9.9


def test_a_ladder_says_what_each_rung_gains_over_base():
    (axes,) = chart(table("table4", BASELINE, BETTER, ORACLE)).axes
    assert named(axes) == ["Base", "Joint + OG + EG_Gaussian", "true masks (oracle)"]
    drawn_spots = [spot for spot in spots(axes) if spot[0] != PAPERS]
    assert drawn_spots == [(INK, 0.0, 0.0), (PALETTE[0], 10.0, 1.0), (FAINT, 10.0, 2.4)]
    assert axes.get_xlabel() == "mR@50: points above Base (20.0)"
    assert bars(axes)[0] == pytest.approx((5.0, 15.0))
    assert sum(line.get_linestyle() == "--" for line in axes.lines) == 1


def test_an_ablation_has_a_panel_for_each_place():
    rows = [BASELINE, BETTER, ORACLE]
    figure = chart(table("table4", *rows, *[r | {"task": "predcls"} for r in rows]))
    assert titles(figure)[:2] == ["PredCls", "SGCls"]


def test_a_control_that_differs_clearly_has_a_colour_of_its_own():
    sure = ORACLE | {"comparisons": against(0.1, 0.05, 0.15, "mR@50")}
    (axes,) = chart(table("table4", BASELINE, BETTER, sure)).axes
    assert spots(axes)[-1][0] == PALETTE[1]


def test_labels_that_all_rows_share_are_left_out():
    rows = table("table1", BASELINE, BETTER, BASELINE | {"model": "imp"}, paper={"table1": []}).rows
    assert short_labels(rows) == ["IMP · baseline", "VCTree · baseline", "VCTree · seg-grounded"]


@pytest.mark.parametrize(("after", "gain", "colour"), [(0.6, 10.0, PALETTE[0]), (0.45, -5.0, LOSS)])
def test_predicates_are_bars_of_their_gain(after, gain, colour):
    (axes,) = chart(table("predicates", BASELINE | recalls(0.5, None), GROUNDED | recalls(after, None))).axes
    (bar,) = axes.patches
    assert named(axes) == ["on 5"] and texts(axes) == [signed(gain)]
    assert bar.get_width() == pytest.approx(gain)
    # seaborn takes some of a bar's saturation
    assert (bar.get_facecolor()[0] > bar.get_facecolor()[2]) == (colour == LOSS)


def test_a_bar_is_the_mean_over_models_which_are_dots():
    other = {"model": "imp"}
    rows = [BASELINE | recalls(0.5, 0.5), GROUNDED | recalls(0.6, 0.5)]
    rows += [BASELINE | other | recalls(0.5, 0.5), GROUNDED | other | recalls(0.8, 0.5)]
    (axes,) = chart(table("predicates", *rows)).axes
    assert named(axes) == ["by 9", "on 5"]
    assert axes.patches[1].get_width() == pytest.approx(20.0)
    assert sorted(round(float(x), 3) for marks in axes.collections for x, _ in marks.get_offsets()) == [0, 0, 10, 30]


def test_borrowed_masks_have_a_colour_for_each_way_of_transfer():
    quality = {way: {"cup": 0.5, "man": None} for way in ("oracle", "softmax", "softmax, mini-fpn-apart")}
    made = table("transfer_quality", transfer_quality=quality)
    assert [mark.words for mark in drawn(made).key] == ["softmax", "oracle"]
    (axes,) = chart(made).axes
    assert {x for _, x, _ in spots(axes)} == {50.0}


@pytest.mark.parametrize("name", TABLES)
def test_a_chart_can_be_heard_in_every_panel(name):
    made = table(name, BASELINE | recalls(0.5, 0.5), GROUNDED | recalls(0.5, 0.5))
    if made.is_measured:
        text = element(drawn(made), name, lambda panel: words(made, panel))
        assert text.count("<svg") == text.count('role="img" aria-label="Chart of “') == len(drawn(made).panels)


def test_table_5_shows_what_each_source_has_beyond_rectangles():
    difference = {"rectangles": {"mR@50": {"difference": 0.05, "low": 0.01, "high": 0.09, "p": 0.02}}}
    rows = [row("seg-grounded", grounding={"masks": "rectangles"}, mR_50=0.3),
            row("seg-grounded", mR_50=0.35, comparisons=difference)]  # fmt: skip
    first, second = chart(table("table5", *rows)).axes
    assert [axes.get_title("left") for axes in (first, second)] == ["mR@50", "zsR@100"]
    assert (first.get_xlabel(), named(first)) == ("points, minus rectangles", ["eq. 6"])
    assert spots(first) == [(PALETTE[1], 5.0, 0.0)] and bars(first) == [pytest.approx((1.0, 9.0))]


def test_other_tables_are_points_with_their_intervals():
    metrics = {f"mR@{k}": {"value": 0.2, "low": 0.1, "high": 0.3} for k in (20, 50, 100)}
    rows = [row("baseline", mR_20=0.2, mR_50=0.3, mR_100=0.4, unshared={"metrics": metrics})]
    (axes,) = chart(table("no_overlap_mean", *rows)).axes
    assert [x for _, x, _ in spots(axes)] == [30.0, 20.0]
    assert bars(axes) == [pytest.approx((29.0, 31.0)), pytest.approx((10.0, 30.0))]


def test_a_panel_is_as_wide_as_a_phone_and_the_same_each_time():
    (panel,) = drawn(table("table1", BASELINE, BETTER)).panels
    first, second = (inline_svg(panels.alone(panel), "a", "w") for _ in range(2))
    assert first == second and 'width="252pt"' in first


def test_a_frame_has_a_line_for_each_number():
    frame = frames.numbers(table("table1", BASELINE, BETTER))
    one = frame[(frame["Method"] == "seg-grounded") & (frame["metric"] == "mR@50")].iloc[0]
    assert (one["value"], one["difference"], one["says"]) == (pytest.approx(30.0), pytest.approx(10.0), frames.GAIN)
    assert frames.numbers(table("table1")).empty
