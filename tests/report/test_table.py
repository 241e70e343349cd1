import pytest

from segsg.report.cells import EMPTY, Cell, cell, difference
from segsg.report.table import Table, TableRow, to_csv


def fraction(value, width=0.01):
    return {"value": value, "low": value - width, "high": value + width}


def compared(value, low, high):
    return {"difference": value, "low": low, "high": high, "p": 0.5}


def test_a_cell_has_our_number_its_interval_and_the_papers():
    found = cell([fraction(0.2)], 18.0, "matched")
    assert (found.ours, found.theirs) == ("20.0 [19.0–21.0]", "18.0 (matched)")
    assert cell([fraction(0.2)], 18.0, "printed").theirs == "18.0"


def test_what_was_not_measured_is_a_dash_and_no_zero():
    assert cell([None, {"value": None, "low": None, "high": None}], 1.0, "printed").ours == EMPTY
    assert Cell().theirs == EMPTY


def test_what_has_no_interval_is_printed_without():
    assert cell([{"value": 0.5}]).ours == "50.0"


def test_seeds_are_averaged_and_their_interval_is_that_of_all_together():
    seeds = [fraction(v) | {"pooled": fraction(0.2, 0.05)} for v in (0.1, 0.2, 0.3)]
    found = cell(seeds)
    assert (found.seeds, found.by_seed) == (3, (10.0, 20.0, 30.0))
    assert found.spread == pytest.approx(10.0)
    assert found.ours == "20.0 [15.0–25.0] ±10.0"
    assert cell([fraction(0.1)]).spread is None


def test_seeds_without_a_common_interval_have_none():
    assert cell([fraction(0.1), fraction(0.3)]).ours == "20.0 ±14.1"


def test_a_difference_whose_interval_over_images_holds_zero_is_noise():
    assert difference([compared(0.02, -0.01, 0.05)]).text == "≈ +2.0 [−1.0, 5.0]"
    assert difference([compared(0.02, 0.01, 0.03)]).text == "+2.0 [1.0–3.0]"
    assert difference([None]) is None


def test_the_interval_of_several_seeds_decides_what_is_noise():
    seeds = [compared(v, v - 0.001, v + 0.001) | {"pooled": compared(0.02, -0.01, 0.05)} for v in (0.002, 0.02, 0.038)]
    assert difference(seeds).is_noise and difference(seeds).p == 0.5
    assert difference(seeds).text == "≈ +2.0 [−1.0, 5.0]"
    assert difference([compared(0.1, 0.0, 0.2)] * 2) is None


def test_a_name_that_a_spreadsheet_takes_for_a_formula_is_inert():
    made = Table(name="t", title="T", profile="mini", heads=("Predicate",), columns=(("", "R@50"),),
                 rows=(TableRow(("=1+1",), {("", "R@50"): Cell(-1.5)}),), caption="", why_empty="")  # fmt: skip
    assert to_csv(made).splitlines()[1].startswith("mini,'=1+1,,R@50,-1.50,")
