import pytest
from made_results import BASELINE, PAPER, against, results, row

from segsg.report.ablation import table4
from segsg.report.panels import ladder_panels, predicate_panels, recall_panels, short_labels
from segsg.report.supplement import predicates
from segsg.report.tables import table1

GROUNDED = row("seg-grounded", mR_20=0.15, mR_50=0.3, mR_100=0.4, comparisons=against(0.1, 0.05, 0.15, "mR@50"))
ORACLE = GROUNDED | {"grounding": {"masks": "oracle"}, "comparisons": against(0.1, -0.1, 0.3, "mR@50")}


def test_recall_is_drawn_at_the_middle_column_without_what_rows_share():
    (panel,) = recall_panels(table1(results(BASELINE, GROUNDED), PAPER))
    assert (panel.title, panel.unit) == ("SGCls", "mR@50")
    assert [(mark.label, mark.kind, mark.text) for mark in panel.marks] == [
        ("baseline", "base", "20.0 [19.0–21.0]"),
        ("seg-grounded", "grounded", "30.0 [29.0–31.0]"),
    ]
    base, grounded = panel.marks
    assert base.at < grounded.at and base.span[0] < base.at < base.span[1]
    assert panel.reference == base.at and grounded.note == "+10.0 [5.0–15.0]"


def test_seeds_are_drawn_where_there_are_several():
    (panel,) = recall_panels(table1(results(BASELINE, row("baseline", seed=1, mR_50=0.22)), PAPER))
    assert len(panel.marks[0].seeds) == 2 and panel.marks[0].text.endswith("±1.4")


def test_several_baselines_have_no_common_reference():
    (panel,) = recall_panels(table1(results(BASELINE, BASELINE | {"model": "imp"}), PAPER))
    assert panel.reference is None


def test_nothing_measured_is_no_panel():
    assert recall_panels(table1(results(), PAPER)) == []
    assert ladder_panels(table4(results(), PAPER)) == []


def test_controls_stand_beside_the_ladder():
    (panel,) = ladder_panels(table4(results(BASELINE, GROUNDED, ORACLE), PAPER))
    assert panel.title == "VCTree · ResNeXt-FPN, mini · SGCls"
    assert [mark.label for mark in panel.marks] == ["Base", "Joint + OG + EG_Gaussian"]
    (oracle,) = panel.aside
    assert (oracle.label, oracle.kind, oracle.is_noise) == ("true masks (oracle)", "control", True)


def test_labels_that_all_rows_share_are_left_out():
    table = table1(results(BASELINE, GROUNDED, BASELINE | {"model": "imp"}), PAPER | {"table1": []})
    assert short_labels(table.rows) == ["IMP · baseline", "VCTree · baseline", "VCTree · seg-grounded"]


@pytest.mark.parametrize(
    ("after", "gain", "change"), [(0.6, "+10.0", "gain"), (0.45, "−5.0", "loss"), (0.4998, "0.0", "even")]
)
def test_predicates_are_pairs_with_their_gain(after, gain, change):
    facts = {"names": ["on"], "training": [3], "group": ["head"]}
    both = (BASELINE | {"predicates": facts | {"R@50": [0.5]}}, GROUNDED | {"predicates": facts | {"R@50": [after]}})
    (panel,) = predicate_panels(predicates(results(*both)))
    (pair,) = panel.pairs
    assert (pair.label, pair.count, pair.gain, pair.change) == ("on", "3", gain, change)
    assert pair.before == 50.0 and pair.after == pytest.approx(100 * after)


def test_a_predicate_that_no_image_holds_is_not_drawn():
    facts = {"names": ["on", "near"], "training": [3, 2], "group": ["head", "tail"], "R@50": [0.5, None]}
    (panel,) = predicate_panels(predicates(results(*(one | {"predicates": facts} for one in (BASELINE, GROUNDED)))))
    assert [pair.label for pair in panel.pairs] == ["on"]
