import pytest
from made_results import against, results, row

from segsg.report.findings import frequency_gains, gains, slices
from segsg.report.recall_tables import candidates, ours


def pair(task, gain, low, high, **more):
    base = row("baseline", task=task, mR_50=0.2, **more)
    return base, row("seg-grounded", task=task, mR_50=0.2 + gain, comparisons=against(gain, low, high, "mR@50"), **more)


def test_gains_are_sliced_by_task_model_and_detector():
    study = results(*pair("sgcls", 0.03, 0.01, 0.05), *pair("predcls", -0.01, -0.04, 0.02))
    all_cells, *rest = slices(study)
    assert (all_cells.mean, all_cells.higher, all_cells.clear) == (pytest.approx(1.0), 1, (1, 0))
    assert [(s.axis, s.name) for s in rest] == [
        ("Task", "PredCls"), ("Task", "SGCls"), ("Model", "VCTree"), ("Detector", "ResNeXt-FPN, mini"),
    ]  # fmt: skip
    assert [s.mean for s in rest[:2]] == [pytest.approx(-1.0), pytest.approx(3.0)]


def test_a_study_without_pairs_has_no_findings():
    study = results(row("baseline", mR_50=0.2))
    assert gains(study) == {} and slices(study) == [] and frequency_gains(study) == {}


def test_gains_of_rare_predicates():
    base, grounded = pair("sgcls", 0.03, 0.01, 0.05)
    base["metrics"]["mR_tail@50"], grounded["metrics"]["mR_tail@50"] = {"value": 0.1}, {"value": 0.16}
    assert frequency_gains(results(base, grounded)) == {"tail": pytest.approx(6.0)}


def variant(value, **changes):
    validation = {"images": 5, "metrics": {"mR@50": {"value": value}}}
    return row("seg-grounded", grounding=changes, validation=validation, mR_50=0.5 - value)


def test_ours_is_what_wins_on_validation_images_and_is_no_control():
    rows = (
        variant(0.2),
        variant(0.3, refinement="training"),
        variant(0.9, masks="oracle"),
        variant(0.8, transfer="oracle"),
    )
    study = results(*rows, variant(0.1, refinement="training") | {"task": "predcls"})
    assert [c.value for c in candidates(study)] == [pytest.approx(30.0), pytest.approx(20.0)]
    won = ours(study)
    assert {(one.method, one.task) for one in won} == {("ours", "sgcls"), ("ours", "predcls")}


def test_there_is_no_other_row_where_the_papers_recipe_wins():
    assert ours(results(variant(0.3), variant(0.2, refinement="training"))) == {}
    assert ours(results(variant(0.2), variant(0.3, refinement="inference"))) == {}
    assert candidates(results(variant(0.3))) == []


def test_a_single_run_does_not_compete_with_means_of_several():
    several = [variant(value) | {"seed": seed} for seed, value in enumerate((0.2, 0.3))]
    more = [variant(value, edges="union") | {"seed": seed} for seed, value in enumerate((0.2, 0.4))]
    study = results(*several, *more, variant(0.9, edges="average"))
    assert [round(c.value, 6) for c in candidates(study)] == [30.0, 25.0]


def test_rows_that_a_frequency_table_beats_are_no_evidence():
    floor = row("frequency", model="frequency", detector="mini-fpn", mR_50=0.25)
    base, grounded = pair("sgcls", 0.1, 0.05, 0.15)
    assert gains(results(floor, base, grounded)) == {}
    assert len(gains(results(base, grounded))) == 1
