import pytest
from made_results import BASELINE, GROUNDED, PAPER, against, results, row

from segsg.figures.style import save
from segsg.report.ablation import table4
from segsg.report.charts import ladder_chart, predicate_bars, recall_chart, seed_chart
from segsg.report.supplement import predicates
from segsg.report.tables import table1


def said(*recalls):
    return {"predicates": {"names": ["on", "by"], "training": [5, 9], "group": ["a", "b"], "R@50": list(recalls)}}


def texts(figure) -> str:
    return " ".join(text.get_text() for axes in figure.axes for text in axes.texts)


def test_the_chart_draws_what_was_measured_and_skips_what_was_not(tmp_path):
    unmeasured = row("seg-grounded", mR_20=0.5, mR_50=None)
    figure = recall_chart(table1(results(BASELINE, unmeasured), PAPER))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["SGCls"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "VCTree · ResNeXt-FPN, mini · baseline", "VCTree · ResNeXt-FPN, mini · seg-grounded",
    ]  # fmt: skip
    assert len(figure.axes[0].lines) == 2
    assert save(figure, tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("chart", [recall_chart, ladder_chart])
def test_a_table_without_rows_is_a_sentence_in_its_picture(chart, tmp_path):
    table = table4 if chart is ladder_chart else table1
    figure = chart(table(results(), PAPER))
    assert "has no row for this table" in texts(figure)
    assert save(figure, tmp_path / "c.png").is_file()


def test_an_ablation_has_a_panel_for_each_place_and_greys_out_noise():
    joint = row("baseline", "mini-fpn-joint", mR_50=0.2) | {"comparisons": against(0.1, -0.1, 0.3, "mR@50")}
    rows = [BASELINE, joint, GROUNDED]
    figure = ladder_chart(table4(results(*rows, *[r | {"task": "predcls"} for r in rows]), PAPER))
    assert [axes.get_title(loc="left").rpartition(" · ")[2] for axes in figure.axes] == ["PredCls", "SGCls"]
    base, joint, grounded = (line.get_color() for line in figure.axes[0].lines if line.get_marker() == "o")
    assert base == grounded != joint
    assert sum(line.get_linestyle() == ":" for line in figure.axes[0].lines) == 1


def test_predicates_have_two_bars_and_those_without_test_image_none():
    figure = predicate_bars(predicates(results(BASELINE | said(0.5, None), GROUNDED | said(0.25, None))))
    assert [bar.get_height() for bar in figure.axes[0].patches] == [50.0, 25.0]
    assert "has no row" in texts(predicate_bars(predicates(results())))


def test_every_seed_is_a_point():
    table = table1(results(*(row("baseline", seed=s, mR_20=0.1, mR_50=0.1 * (s + 1)) for s in range(3))), PAPER)
    points = seed_chart(table).axes[0].lines[0]
    assert list(points.get_xdata()) == pytest.approx([10.0, 20.0, 30.0])
    assert "one seed" in texts(seed_chart(table1(results(BASELINE), PAPER)))
