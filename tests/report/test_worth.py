import pytest
from made_results import against, results, row

from segsg.report.worth import table5


def seen(masks, value, **more):
    grounding = {"masks": masks} if masks != "transferred" else {}
    return row("seg-grounded", grounding=grounding | more, mR_50=value, zsR_100=value / 2)


RECTANGLES, BORROWED, TRUE = seen("rectangles", 0.30), seen("transferred", 0.35), seen("oracle", 0.50)
BORROWED |= {"comparisons": against(0.05, 0.01, 0.09, "mR@50", "rectangles"),
             "share": {"mR@50": {"value": 0.25, "low": 0.1, "high": 0.4}}}  # fmt: skip
JOINT = row("baseline", "mini-fpn-joint", mR_50=0.28, zsR_100=0.1)


def cells(table, place=0):
    return {column: cell.value for column, cell in table.rows[place].cells.items()}


def test_a_line_has_every_source_of_masks_and_what_it_is_worth():
    table = table5(results(JOINT, RECTANGLES, BORROWED, TRUE))
    assert [line.labels for line in table.rows] == [("VCTree", "ResNeXt-FPN, mini", "SGCls", "eq. 6")]
    found = cells(table)
    levels = {name: found[("mR@50", name)] for name in ("no masks", "rectangles", "borrowed", "true masks")}
    assert levels == pytest.approx({"no masks": 28, "rectangles": 30, "borrowed": 35, "true masks": 50})
    assert table.rows[0].cells[("mR@50 minus rectangles", "borrowed")].ours == "+5.0 [1.0–9.0]"
    assert found[("mR@50 share of the gap", "borrowed")] == pytest.approx(25)
    assert found[("zsR@100", "true masks")] == pytest.approx(25)
    assert ("mR@50", "borrowed, pixel-refined") not in found


def test_the_contact_frame_has_lines_of_its_own():
    contact = [seen(masks, 0.4, edges="contact") for masks in ("rectangles", "refined")]
    table = table5(results(JOINT, RECTANGLES, BORROWED, *contact))
    assert [line.labels[3] for line in table.rows] == ["eq. 6", "eq. 6 and contact frame"]
    assert cells(table, 1)[("mR@50", "borrowed, pixel-refined")] == pytest.approx(40)
    assert cells(table, 1)[("mR@50", "borrowed")] is None


def test_rows_that_differ_in_more_than_masks_and_single_sources_are_left_out():
    assert table5(results(JOINT, RECTANGLES)).rows == ()
    assert table5(results(JOINT, BORROWED, TRUE)).rows == ()
    assert table5(results(RECTANGLES, seen("transferred", 0.3, channels=4))).rows == ()
