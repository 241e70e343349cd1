import pytest
from made_report import PASSPORT

from segsg.report.passport_page import OTHERS, STAGES, flat, minutes, passport_facts, seeds, text


def test_minutes_are_added_up_by_kind_of_stage():
    detectors, others = minutes(PASSPORT["stages"])
    assert (detectors["name"], detectors["runs"]) == (STAGES["detector"], 2)
    assert (detectors["minutes"], detectors["longest"]) == (2.0, 1.5)
    assert (others["name"], others["minutes"]) == (OTHERS, pytest.approx(0.1))


def test_seeds_are_listed_once():
    assert list(seeds(PASSPORT["parameters"]).values()) == [[0], [3], [0, 1]]


def test_settings_have_names_with_dots_and_values_as_in_yaml():
    assert flat({"a": {"b": 1}, "c": [1, 2], "d": {}, "e": True, "f": None}) == {
        "a.b": "1", "c": "[1, 2]", "e": "true", "f": "null"
    }  # fmt: skip
    assert flat("mini") == {"value": "mini"}


def test_rows_are_no_settings():
    facts = passport_facts(PASSPORT)
    assert facts["settings"].keys() == {"profile", "report", "seed", "data", "stage1"}
    assert facts["name"] == "mini-seeds"
    assert facts["rows"].keys() == {"detectors", "experiments"}


@pytest.mark.parametrize(("value", "written"), [("a", "a"), (1e-3, "0.001"), (False, "false"), ("ü", "ü")])
def test_values_are_written_plainly(value, written):
    assert text(value) == written
