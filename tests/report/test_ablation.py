import pytest
from made_results import BASELINE, GROUNDED, PAPER, against, results, row

from segsg.report.ablation import RUNGS, table4
from segsg.report.table import to_markdown


def rung(value=0.1, **grounding):
    return row("seg-grounded", grounding=grounding, mR_20=value, zsR_20=value / 10)


JOINT = row("baseline", "mini-fpn-joint", mR_20=0.12)
LADDER = [
    rung(refinement="inference"), rung(edges="union"), GROUNDED, rung(edges="average"), rung(edges="none"),
    JOINT, BASELINE,
]  # fmt: skip


def labels(table):
    return [line.labels[3] for line in table.rows]


def test_the_seven_rungs_come_in_the_papers_order_whatever_their_keys():
    assert labels(table4(results(*LADDER), PAPER)) == list(RUNGS)


def test_rungs_keep_their_names_when_refinement_is_the_studys_standard():
    file = results(BASELINE, GROUNDED, rung(refinement="none"))
    file["grounding"] = file["grounding"] | {"refinement": "inference"}
    assert labels(table4(file, PAPER)) == ["Base", "Joint + OG + EG_Gaussian", "Final Model"]


def test_other_rows_are_named_after_what_they_change_controls_last():
    rows = [
        rung(masks="oracle"),
        rung(masks="rectangles"),
        rung(frame="box"),
        rung(transfer="dot", frame="box"),
        rung(nodes=False),
    ]
    assert labels(table4(results(*rows), PAPER)) == [
        "masks in the frame of each box", "edges only", "masks in the frame of each box, transfer: dot",
        "box rectangles as masks", "true masks (oracle)",
    ]  # fmt: skip


def test_rows_with_the_contact_frame_come_after_the_papers_and_their_controls_last():
    changes = [{}, {"masks": "rectangles"}, {"masks": "oracle"}, {"refinement": "inference"}]
    file = results(*reversed([rung(edges="contact", **more) for more in changes]), GROUNDED, rung(edges="none"))
    assert labels(table4(file, PAPER)) == [
        "Joint + OG", "Joint + OG + EG_Gaussian", "Joint + OG + EG_Gaussian + contact frame", "contact frame, refined",
        "contact frame, box rectangles as masks", "contact frame, true masks (oracle)",
    ]  # fmt: skip
    file["grounding"] = file["grounding"] | {"edges": "contact"}
    assert set(labels(table4(file, PAPER))) >= {"Joint + OG + EG_Gaussian + contact frame", "refined"}


def test_the_papers_numbers_stand_beside_its_model_detector_and_task_alone():
    cell = table4(results(*LADDER), PAPER).rows[0].cells[("", "mR@50")]
    assert (cell.ours, cell.theirs) == ("20.0 [19.0–21.0]", "9.9")
    others = [r | {"task": "predcls"} for r in LADDER]
    assert not table4(results(*others), PAPER).has_paper()


def test_a_place_without_an_ablation_is_not_in_the_table():
    plain = [row("baseline", task="predcls", mR_20=0.1), row("seg-grounded", task="predcls", mR_20=0.1)]
    assert {line.labels[2] for line in table4(results(*LADDER, *plain), PAPER).rows} == {"SGCls"}
    assert table4(results(*plain), PAPER).rows == ()


def test_seeds_of_a_rung_are_one_line():
    table = table4(results(JOINT, JOINT | {"seed": 1}), PAPER)
    assert (labels(table), table.rows[0].cells[("", "mR@20")].seeds) == (["Joint"], 2)


def test_rows_of_fewer_seeds_than_their_baseline_are_warned_of():
    more = [BASELINE, BASELINE | {"seed": 1}, JOINT]
    assert any("fewer seeds" in note for note in table4(results(*more), PAPER).notes)
    assert not any("fewer seeds" in note for note in table4(results(*LADDER), PAPER).notes)


def test_pixels_and_shares_of_the_gap_have_columns_where_a_row_has_them():
    share = {"share": {"mR@20": {"value": 0.25, "low": 0.1, "high": 0.4}}}
    grounded = GROUNDED | share | {"comparisons": against(0.02, -0.01, 0.03, whom="rectangles")}
    table = table4(results(grounded, rung(masks="rectangles")), PAPER)
    cells = table.rows[0].cells
    assert cells[("share of the gap", "mR@20")].ours == "25.0 [10.0–40.0]"
    assert cells[("minus rectangles", "mR@20")].value == pytest.approx(2.0)
    assert cells[("minus rectangles", "mR@20")].ours == "≈ +2.0 [−1.0, 3.0]"
    assert table.differences() == []
    assert "share of the gap" not in table4(results(*LADDER), PAPER).groups
    unmeasured = grounded | {"seed": 1, "share": {"mR@20": {"value": None, "low": None, "high": None}}}
    assert "share of the gap" not in table4(results(*LADDER, grounded, unmeasured), PAPER).groups


def test_what_masks_add_on_one_and_the_same_detector_has_columns_of_its_own():
    grounded = GROUNDED | {"comparisons": against(0.02, -0.01, 0.03, whom="joint")}
    cells = table4(results(grounded, JOINT, BASELINE), PAPER).rows[-1].cells
    assert cells[("minus Joint", "mR@20")].ours == "≈ +2.0 [−1.0, 3.0]"
    assert "minus Joint" not in table4(results(*LADDER), PAPER).groups


def test_the_note_says_that_two_variants_of_the_paper_are_one_function():
    assert "one function in the released code" in to_markdown(table4(results(*LADDER), PAPER))
