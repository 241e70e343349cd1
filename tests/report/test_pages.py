from made_results import BASELINE, GROUNDED, PAPER, results

from segsg.report.cells import cell
from segsg.report.pages import anchored, filled_parts, parts, told
from segsg.report.recall_tables import table1
from segsg.report.table import Table, TableRow

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


def test_what_a_row_shares_with_the_one_above_is_told_apart():
    table = table1(results(BASELINE, GROUNDED, GROUNDED | {"model": "imp"}), PAPER | {"table1": []})
    assert told(table) == [
        ("", "IMP · ResNeXt-FPN, mini · seg-grounded"),
        ("", "VCTree · ResNeXt-FPN, mini · baseline"),
        ("VCTree · ResNeXt-FPN, mini · ", "seg-grounded"),
    ]
    assert told(table1(results(), PAPER | {"table1": []})) == []


def test_a_row_like_the_one_above_keeps_its_last_label():
    one = Table(name="t", title="T", profile="mini", heads=("A", "B"), columns=(), rows=(TableRow(("x", "y"), {}),) * 2,
                caption="", why_empty="")  # fmt: skip
    assert told(one) == [("", "x · y"), ("x · ", "y")]


def test_every_heading_has_an_id_and_links_to_itself():
    made = anchored('<h1>A &amp; b</h1><h2 id="own">C</h2><h2 class="x">A &amp; b</h2><p>d</p>')
    assert made == (
        '<h1 id="a-b"><a class="anchor" href="#a-b">A &amp; b</a></h1>'
        '<h2 id="own"><a class="anchor" href="#own">C</a></h2>'
        '<h2 class="x" id="a-b-2"><a class="anchor" href="#a-b-2">A &amp; b</a></h2><p>d</p>'
    )
    assert anchored("") == ""
