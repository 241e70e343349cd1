from made_results import GROUNDED, PAPER, results

from segsg.report.pages import filled_parts, key_column, parts
from segsg.report.recall_tables import table1
from segsg.report.table import cell

MEASURED = {"value": 0.634, "low": 0.609, "high": 0.658}
DIFFERENCE = {"difference": -0.01, "low": -0.028, "high": 0.009, "p": 0.3}


def test_a_cell_falls_into_number_interval_difference_and_paper():
    found = parts(cell([MEASURED], 18.0, "matched", [DIFFERENCE]))
    assert found == {
        "number": "63.4", "rest": "[60.9–65.8]", "difference": "≈ −1.0 [−2.8, 0.9]", "noise": True,
        "paper": "18.0 (matched)", "seeds": "", "order": 63.4,
    }  # fmt: skip


def test_seeds_are_said_with_their_spread():
    seeds = [MEASURED, MEASURED | {"value": 0.654}]
    found = parts(cell([seed | {"pooled": MEASURED} for seed in seeds]))
    assert found["rest"] == "[60.9–65.8]" and found["seeds"] == "2 seeds ±1.4" and found["order"] == 64.4


def test_an_empty_cell_is_sorted_nowhere():
    assert parts(cell([]))["number"] == "–" and parts(cell([]))["order"] is None
    assert filled_parts(cell([])) == {"number": "–"}


def test_zero_is_said():
    assert filled_parts(cell([{"value": 0.0}]))["order"] == 0.0


def test_a_row_is_named_by_the_first_label_that_tells_rows_apart():
    table = table1(results(GROUNDED, GROUNDED | {"model": "imp"}), PAPER | {"table1": []})
    assert {row.labels[0] for row in table.rows} == {"IMP", "VCTree"} and key_column(table) == 0


def test_a_single_row_is_named_by_its_last_label():
    assert key_column(table1(results(GROUNDED), PAPER | {"table1": []})) == 2
