import pytest
from hypothesis import given
from hypothesis import strategies as st

from segsg.report.axis import TICKS, axis


def test_places_are_in_per_cent_of_the_width():
    line = axis([0.0, 100.0])
    assert line.at(50.0) == 50.0 and 0 < line.at(0.0) < 10 < 90 < line.at(100.0) < 100


def test_ticks_are_round_numbers():
    assert [words for _, words in axis([58.2, 73.9]).ticks] == ["60", "65", "70"]
    assert [words for _, words in axis([0.0, 0.8]).ticks] == ["0", "0.2", "0.4", "0.6", "0.8"]


def test_one_value_has_a_line_too():
    assert axis([3.0]).at(3.0) == pytest.approx(50.0)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=9))
def test_every_value_is_on_the_line_and_ticks_are_few(values):
    line = axis(values)
    assert all(0 <= line.at(value) <= 100 for value in values)
    assert 1 <= len(line.ticks) <= TICKS + 2
    assert all(0 <= at <= 100 for at, _ in line.ticks)
