"""The report in a browser: links are followed, tables sorted and switched, on a screen as narrow as a phone."""

import pytest
from browser import axe_violations, clicked, why_no_axe, why_not
from made_report import make_report
from made_results import PAPER

from segsg.report.html import PAGES, write


@pytest.fixture(scope="module")
def outcome(tmp_path_factory) -> dict:
    """What report_clicks.js wrote down."""
    if reason := why_not():
        pytest.skip(reason)
    report = make_report(tmp_path_factory.mktemp("report"))
    write(report, PAPER)
    return clicked(report / "html", "report_clicks.js")


def test_nothing_goes_wrong(outcome):
    """No script error, no request to elsewhere, and no name of the data that runs."""
    assert outcome["noted"] == []


def test_every_page_opens_from_the_row_of_pages(outcome):
    assert list(outcome["opened"]) == [f"{page}.html" for page in PAGES]
    assert len(set(outcome["opened"].values())) == len(PAGES)


def test_no_page_scrolls_sideways_on_a_phone(outcome):
    assert outcome["wide"] == []


def test_names_are_sorted_from_a_then_from_z_then_as_written(outcome):
    turns = outcome["names"]
    assert [turn["sort"] for turn in turns] == [None, "ascending", "descending", None]
    first = turns[0]["column"]
    assert [turn["column"] for turn in turns] == [first, sorted(first), sorted(first)[::-1], first]
    assert len(set(first)) > 1


def test_a_view_shows_its_columns_alone(outcome):
    assert outcome["views"]["@50"] == {"cells": ["17.0"], "group": 1}
    assert outcome["views"]["@20"] == {"cells": ["14.0"], "group": 1}
    assert outcome["views"]["all"] == {"cells": ["14.0", "17.0", "22.0"], "group": 3}


def test_heads_and_names_stay_when_a_table_is_scrolled(outcome):
    """A border of one pixel stands around the table."""
    assert outcome["scrolled"]["by"] == [True, True]
    assert outcome["scrolled"]["head"][0] == outcome["scrolled"]["name"][0] == 1
    assert 0 <= outcome["scrolled"]["head"][1] < 60


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_on_any_page(dark, tmp_path):
    if reason := why_no_axe():
        pytest.skip(reason)
    report = make_report(tmp_path)
    write(report, PAPER)
    found = axe_violations(report / "html", dark)
    assert found["noted"] == [] and found["violations"] == [] and found["looked"] == 2 * len(PAGES)


def test_numbers_are_sorted_from_the_largest(outcome):
    turns = outcome["numbers"]
    assert [turn["sort"] for turn in turns] == [None, "descending", "ascending", None]
    assert [turn["column"] for turn in turns[:3]] == [["12.0", "14.0"], ["14.0", "12.0"], ["12.0", "14.0"]]


def test_the_switch_changes_numbers_heads_and_caption(outcome):
    written, free = outcome["written"], outcome["free"]
    assert written["heads"] == ["mR@20", "mR@50", "mR@100"] and written["numbers"] == ["12.0", "14.0"]
    assert free["heads"] == ["ng-mR@20", "ng-mR@50", "ng-mR@100"]
    assert "with graph constraint" in written["caption"] and "without graph constraint" in free["caption"]


def test_a_sorted_table_stays_sorted_by_the_new_numbers(outcome):
    assert outcome["free"]["numbers"] == ["50.0", "48.0"]


def test_what_was_not_measured_is_said(outcome):
    assert outcome["lacking"]["missing"] and outcome["lacking"]["numbers"] == outcome["free"]["numbers"]
    assert not outcome["constrained"]["missing"] and outcome["constrained"]["heads"] == ["R@20", "R@50", "R@100"]
