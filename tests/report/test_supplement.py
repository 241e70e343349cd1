import pytest
from made_results import BASELINE, GROUNDED, results, row
from made_results import against as difference

from segsg.report.cells import EMPTY
from segsg.report.supplement import no_overlap_mean, no_overlap_zero, paper_images, predicates

GROUP = "VCTree · ResNeXt-FPN, mini · SGCls"


def said(*recalls):
    return {
        "predicates": {
            "names": ["on", "under", "by"],
            "training": [5, 90, 9],
            "group": ["tail", "head", "body"],
            "R@50": list(recalls),
        }
    }


def test_predicates_are_sorted_by_frequency_with_their_gain():
    table = predicates(results(BASELINE | said(0.1, 0.5, None), GROUNDED | said(0.3, 0.4, None)))
    assert [line.labels for line in table.rows] == [("under", "90", "head"), ("by", "9", "body"), ("on", "5", "tail")]
    assert [line.cells[(GROUP, "gain")].ours for line in table.rows] == ["−10.0", EMPTY, "20.0"]


def test_recalls_of_several_seeds_are_averaged():
    rows = [
        BASELINE | said(0.1, 0.0, 0.0),
        GROUNDED | said(0.2, 0.0, 0.0),
        GROUNDED | said(0.4, 0.0, 0.0) | {"seed": 1},
    ]
    (on,) = [line for line in predicates(results(*rows)).rows if line.labels[0] == "on"]
    assert on.cells[(GROUP, "seg-grounded")].value == pytest.approx(30.0)


def test_a_study_that_compares_nothing_has_no_predicates():
    assert predicates(results(GROUNDED | said(0.1, 0.2, 0.3))).rows == ()


def test_photos_of_both_sets_are_left_out_of_the_test_or_of_training():
    part = {"images": 8, "metrics": {"mR@20": {"value": 0.12, "low": 0.1, "high": 0.2}}}
    part |= {"comparisons": difference(0.1, -0.01, 0.2, "mR@20")}
    apart = row("seg-grounded", "mini-fpn-apart", mR_20=0.14)
    table = no_overlap_mean(results(BASELINE, GROUNDED | {"unshared": part}, apart))
    assert [(line.labels[2], line.labels[3], line.cells[("SGCls", "mR@20")].value) for line in table.rows] == [
        ("baseline", "all", pytest.approx(10.0)),
        ("seg-grounded", "all", pytest.approx(15.0)),
        ("seg-grounded", "test photos of one set", pytest.approx(12.0)),
        ("seg-grounded", "detector trained without them", pytest.approx(14.0)),
    ]
    assert table.rows[2].cells[("SGCls", "mR@20")].difference.is_noise
    assert table.rows[1].cells[("SGCls", "mR@20")].difference is None


def test_photos_that_the_paper_keeps_stand_beside_all():
    base = {"images": 7, "metrics": {"mR@20": {"value": 0.11, "low": 0.1, "high": 0.2}}, "comparisons": {}}
    part = {"images": 7, "metrics": {"mR@20": {"value": 0.12, "low": 0.1, "high": 0.2}}}
    part |= {"comparisons": difference(0.01, -0.01, 0.2, "mR@20")}
    table = paper_images(results(BASELINE | {"paper_images": base}, GROUNDED | {"paper_images": part}))
    assert [(line.labels[2], line.labels[3], line.cells[("SGCls", "mR@20")].value) for line in table.rows] == [
        ("baseline", "all", pytest.approx(10.0)),
        ("seg-grounded", "all", pytest.approx(15.0)),
        ("baseline", "at most 40 boxes", pytest.approx(11.0)),
        ("seg-grounded", "at most 40 boxes", pytest.approx(12.0)),
    ]
    assert table.rows[3].cells[("SGCls", "mR@20")].difference.is_noise


def test_a_study_without_crowded_photos_says_so_instead_of_the_same_numbers_twice():
    table = paper_images(results(BASELINE | {"paper_images": None}, GROUNDED))
    assert table.rows == ()
    assert table.missing.endswith("none of its test photos has more than 40 boxes, so the paper's protocol keeps all.")


def test_without_such_photos_there_is_nothing_to_leave_out():
    assert no_overlap_mean(results(BASELINE, GROUNDED | {"unshared": None})).rows == ()
    assert no_overlap_zero(results(BASELINE)).rows == ()


def test_rows_trained_apart_are_shown_by_task_and_metric_with_their_difference_from_the_baseline():
    apart = [
        row("seg-grounded", "mini-fpn-apart", task=task, zsR_20=value, zsR_100=0.3) | {"comparisons": against}
        for task, value, against in [
            ("sgcls", 0.2, difference(0.1, -0.01, 0.2, "zsR@20")),
            ("predcls", 0.25, {}),
        ]
    ]
    changed = row("seg-grounded", "mini-fpn-apart", zsR_20=0.9) | {"grounding": {"edges": "none"}}
    whole = row("seg-grounded", zsR_20=0.22, zsR_100=0.33)
    table = no_overlap_zero(results(row("baseline", zsR_20=0.1, zsR_100=0.2), whole, *apart, changed))
    assert [line.labels[2:] for line in table.rows] == [
        ("baseline", "all"),
        ("seg-grounded", "all"),
        ("seg-grounded", "detector trained without them"),
    ]
    cells = table.rows[2].cells
    assert cells[("SGCls", "zsR@20")].value == pytest.approx(20.0) and cells[("SGCls", "zsR@20")].difference.is_noise
    assert cells[("PredCls", "zsR@20")].value == pytest.approx(25.0)
    assert cells[("SGCls", "zsR@100")].value == pytest.approx(30.0)
    assert table.rows[0].cells[("PredCls", "zsR@20")].ours == EMPTY
