import pytest

from segsg.report.table import EMPTY, Cell, cell, difference


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


def test_seeds_are_averaged_and_their_spread_is_apart_from_the_interval_over_images():
    found = cell([fraction(0.1), fraction(0.2, 0.03), fraction(0.3)])
    assert (found.seeds, found.by_seed) == (3, (10.0, 20.0, 30.0))
    assert found.spread == pytest.approx(10.0)
    assert found.ours == "20.0 [18.3–21.7] ±10.0"
    assert cell([fraction(0.1)]).spread is None


def test_a_difference_whose_interval_over_images_holds_zero_is_noise():
    assert difference([compared(0.02, -0.01, 0.05)]).text == "≈ +2.0 [−1.0, 5.0]"
    assert difference([compared(0.02, 0.01, 0.03)]).text == "+2.0 [1.0–3.0]"
    assert difference([None]) is None


def test_seeds_that_disagree_make_a_difference_noise_whatever_the_images_say():
    steady = [compared(v, v - 0.01, v + 0.01) for v in (0.020, 0.021, 0.022)]
    unsteady = [compared(v, v - 0.001, v + 0.001) for v in (0.002, 0.020, 0.041)]
    assert not difference(steady).is_noise
    assert difference(unsteady).low > 0
    assert difference(unsteady).is_noise


def test_p_values_of_several_seeds_are_not_mixed():
    assert difference([compared(0.1, 0.0, 0.2)]).p == 0.5
    assert difference([compared(0.1, 0.0, 0.2)] * 2).p is None
