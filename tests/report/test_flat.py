"""Rows and columns that were not trained until their curve was flat say so, with a mark in print and one footnote."""

import pytest
from made_results import PAPER, results, row

from segsg.report.ablation import table4
from segsg.report.borrowed_table import transfer_quality
from segsg.report.charts import chart
from segsg.report.flat import FOOTNOTE, is_flat
from segsg.report.mask_tables import class_gains, table2
from segsg.report.recall_tables import table1
from segsg.report.supplement import predicates
from segsg.report.table import to_csv, to_markdown
from segsg.report.worth import table5

PREDICATES = {"names": ["on"], "training": [3], "group": ["head"], "R@50": [0.5]}


def gained(*points):
    """The seeds of a line that gained so many points in mR@50 in the last quarter."""
    metrics = {"mR@50": {"value": 0.2, "low": 0.1, "high": 0.3}}
    gains = [{"mR@50": {"difference": value / 100, "low": 0.0, "high": 1.0}} for value in points]
    return [{"validation": {"images": 3, "metrics": metrics, "gain": gain}} for gain in gains]


@pytest.mark.parametrize(
    ("points", "flat"),
    [((0.4,), True), ((0.5,), False), ((1.2,), False), ((-2.0,), True), ((0.25, 0.5), True), ((0.25, 1.0), False),
     ((1.5, -1.0, 0.5), True), ((), True)],
)  # fmt: skip
def test_a_line_is_flat_below_half_a_point_in_the_mean_of_its_seeds(points, flat):
    assert is_flat(gained(*points)) is flat


def test_what_was_not_measured_is_not_marked():
    assert is_flat([{}, {"validation": None}, {"validation": {"images": 3, "metrics": {}}}])
    assert is_flat([{"validation": {"gain": {"mR@50": {"difference": None, "low": None, "high": None}}}}])
    assert is_flat([*gained(0.4), {}])


def line(method, points, detector=None, **more):
    numbers = {"mR_20": 0.1, "mR_50": 0.2, "mR_100": 0.3, "zsR_100": 0.1, "predicates": PREDICATES}
    return row(method, detector, **(numbers | more)) | gained(points)[0]


def names(table):
    return [found.marked[-1] for found in table.rows]


def test_tables_of_recall_mark_the_rows_that_are_still_rising():
    file = results(line("baseline", 0.2), line("seg-grounded", 0.7))
    table = table1(file, PAPER)
    assert names(table) == ["published", "baseline", "seg-grounded*"]
    assert table.footnotes[-1] == FOOTNOTE
    assert "| seg-grounded* |" in to_markdown(table) and "\n\\* still rising: the last quarter" in to_markdown(table)
    assert {line.rsplit(",", 1)[1] for line in to_csv(table).splitlines()[1:]} == {"0", "1"}
    assert "seg-grounded*" not in to_csv(table)
    assert "still rising" in chart(table)._supxlabel.get_text()
    (first, *_), found = predicates(file).columns, predicates(file)
    assert first[0].endswith("SGCls") and found.marked_columns[first][0].endswith("SGCls*")
    assert found.rising == set(found.columns) and found.footnotes == (FOOTNOTE,)


def test_a_study_whose_lines_are_all_flat_has_no_footnote():
    table = table1(results(line("baseline", 0.2), line("seg-grounded", 0.4)), PAPER)
    assert names(table) == ["published", "baseline", "seg-grounded"]
    assert FOOTNOTE not in table.footnotes and "rising" not in to_markdown(table)
    assert chart(table)._supxlabel is None


def test_a_row_of_several_tasks_is_marked_if_one_of_them_is_still_rising():
    table = table1(results(line("baseline", 0.2), line("baseline", 0.9, task="predcls")), PAPER)
    assert names(table)[-1] == "baseline*"


def test_the_ablation_and_what_masks_bring_mark_theirs():
    controls = [line("seg-grounded", points, grounding={"masks": masks})
                for masks, points in (("rectangles", 0.1), ("oracle", 0.8))]  # fmt: skip
    file = results(line("baseline", 0.2), line("seg-grounded", 0.1), *controls)
    assert names(table4(file, PAPER)) == ["Base", "Joint + OG + EG_Gaussian", "box rectangles as masks",
                                          "true masks (oracle)*"]  # fmt: skip
    assert "still rising" in chart(table4(file, PAPER))._supxlabel.get_text()
    assert names(table5(file)) == ["eq. 6*"]
    assert names(table5(results(line("seg-grounded", 0.1), controls[0]))) == ["eq. 6"]


def test_tables_of_masks_mark_what_a_rising_model_refined():
    masks = {"AP": 0.4, "AP50": 0.5, "per_class": [0.4, 0.2]}
    measured = {"masks": masks, "unrefined_masks": masks, "borrowed_masks": {"refined": {"cup": 0.5}}}
    refined = line("seg-grounded", 0.6, grounding={"refinement": "inference"}, **measured)
    file = results(line("baseline", 0.2), refined)
    assert "refine*" in names(table2(file, PAPER)) and "no refine" in names(table2(file, PAPER))
    assert next(iter(class_gains(file).marked_columns.values()))[0].endswith("SGCls*")
    assert next(iter(transfer_quality(file).marked_columns.values()))[0] == "refined by a model*"
