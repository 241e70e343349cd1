import pytest
from made_report import rows
from made_results import PAPER, results, row

from segsg.report.protocols import metric_name, protocols, switch_data, switch_measures
from segsg.report.recall_tables import table1, table3


def found(*more: dict, model: str = "vctree") -> dict:
    measured = results(*rows(model), *more)
    variants = protocols(measured, PAPER, table1(measured, PAPER))
    return {(one.measure, one.free): one.table for one in variants}


@pytest.mark.parametrize(
    ("measure", "free", "name"),
    [("R", False, "R@20"), ("R", True, "ngR@20"), ("mR", True, "ng-mR@20"), ("mR_head", True, "ng-mR_head@20")],
)
def test_names_are_those_of_the_evaluation(measure, free, name):
    assert metric_name(measure, free, "20") == name


def test_only_what_was_measured_is_offered():
    assert found().keys() == {("R", False), ("mR", False), ("mR", True)}


def test_the_tables_own_measure_is_the_table_itself():
    measured = results(*rows("vctree"))
    table = table1(measured, PAPER)
    assert [one.table for one in protocols(measured, PAPER, table) if (one.measure, one.free) == ("mR", False)] == [
        table
    ]


def test_rows_stay_in_place_and_cells_hold_the_other_measure():
    variants = found()
    own, free = variants[("mR", False)], variants[("mR", True)]
    assert [one.labels for one in own.rows] == [one.labels for one in free.rows]
    assert [metric for _, metric in free.columns] == ["ng-mR@20", "ng-mR@50", "ng-mR@100"]
    assert [one.cells[free.columns[0]].value for one in free.rows] == [None, 50.0, 48.0]
    assert "without graph constraint" in free.caption


def test_the_papers_numbers_stand_beside_their_own_measure_alone():
    zero = row("baseline", zsR_20=0.1, zsR_100=0.2)
    measured = results(zero)
    table = table3(measured, PAPER)
    (one,) = protocols(measured, PAPER, table)
    assert one.table is table
    wide = found(row("baseline", seed=1, zsR_20=0.1, zsR_50=0.15, zsR_100=0.2))
    papers = [wide[("zsR", False)].rows[1].cells[column].paper for column in wide[("zsR", False)].columns]
    assert papers == [0.4, None, 1.2]
    assert not any(cell.paper for one in wide[("R", False)].rows for cell in one.cells.values())


def test_a_table_without_rows_has_no_variants():
    assert protocols(results(), PAPER, table3(results(), PAPER)) == []


def test_the_script_gets_cells_in_the_tables_order():
    measured = results(*rows("vctree"))
    variants = protocols(measured, PAPER, table1(measured, PAPER))
    data = {(one["measure"], one["free"]): one for one in switch_data(variants)}
    free = data[("mR", True)]
    assert free["heads"] == ["ng-mR@20", "ng-mR@50", "ng-mR@100"]
    assert [line[0]["number"] for line in free["cells"]] == ["–", "50.0", "48.0"]
    assert switch_measures(variants) == {"R": "recall", "mR": "mean recall"}
