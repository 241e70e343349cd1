"""Each check lets right values through as they are, and names file, item and rule of others in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segsg.files import DataError
from segsg.values import are_finite, demand, field, once, proper_name, shown, whole_number

F = Path("f")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(anything)
def test_a_whole_number_is_of_type_int_and_of_64_bits(value):
    if type(value) is int and -(2**63) <= value < 2**63:
        assert whole_number(F, "image 1", {"id": value}, "id") is value
    else:
        with pytest.raises(DataError, match=r"^f: image 1: 'id' is .*; correct it") as caught:
            whole_number(F, "image 1", {"id": value}, "id")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("value", "rule"), [(0, "is 0, less than 1"), (4, "is 4, more than 3")])
def test_a_whole_number_of_a_range(value, rule):
    with pytest.raises(DataError, match=rule):
        whole_number(F, "item", {"k": value}, "k", 1, 3)
    assert [whole_number(F, "item", {"k": k}, "k", 1, 3) for k in (1, 2, 3)] == [1, 2, 3]


@given(anything)
def test_finite_numbers_are_those_that_numpy_calls_so(value):
    def number(each):
        return type(each) in (int, float) and abs(each) < 1e300

    if type(value) is list and all(map(number, value)):
        assert are_finite(value)
    if are_finite(value):
        assert np.isfinite(np.array(value, dtype=np.float64)).all() and np.ndim(value) == 1


@pytest.mark.parametrize(
    "value", [[1.0, float("nan")], [float("inf"), -float("inf")], [10**400], [True], [[1.0]], "12"]
)
def test_not_a_list_of_finite_numbers(value):
    assert not are_finite(value)


@pytest.mark.parametrize("record", [[], "text", None, 3, {"other": 1}])
def test_a_field_that_is_not_there(record):
    with pytest.raises(DataError, match="f: entry 3: has no 'key'; add it"):
        field(F, "entry 3", record, "key")


def test_a_field_of_another_kind():
    assert field(F, "item", {"k": {}}, "k", list, dict) == {}
    with pytest.raises(DataError, match="'k' is True, not a whole number or a list"):
        field(F, "item", {"k": True}, "k", int, list)


@pytest.mark.parametrize("name", ["", " ", "a ", "a\nb", "a\tb", "\x00", "\ud800", "a\u2028b", None, 3, True, ["a"]])
def test_what_is_no_name(name):
    with pytest.raises(DataError, match="is no name") as caught:
        proper_name(F, "item", name)
    str(caught.value).encode()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["man", "cell phone", "café", "狗", "\N{ZERO WIDTH JOINER}x", "=1"])
def test_what_is_a_name(name):
    assert proper_name(F, "item", name) == name


def test_a_value_that_stands_twice():
    once(F, "image", [1, 2, 3])
    with pytest.raises(DataError, match="image 2: appears more than once"):
        once(F, "image", [1, 2, 3, 2])


def test_rows_that_break_a_rule_are_counted():
    demand(F, np.array([True, True]), str, str)
    with pytest.raises(DataError, match=r"f: row 1: is 1 \(and 1 more like it\); do this"):
        demand(F, np.array([True, False, False]), "row {}".format, "is {}".format, "do this")


def test_whatever_is_shown_is_short_and_on_one_line():
    deep = json.loads("[" * 900 + "]" * 900)
    for value in (deep, "a\n" * 100, [1.0] * 1000, {"k": list(range(1000))}, 10**400):
        assert len(shown(value)) < 200 and "\n" not in shown(value)
