import csv
import io

import pytest

from segsg.reporting.tables import EMPTY, gain, table1, to_csv, to_markdown


def row(
    method: str, detector: str = "mini-fpn", model: str = "motifs", seed: int = 0, task: str = "predcls", **metrics
):
    measured = {name.replace("_", "@"): {"value": v, "low": v - 0.01, "high": v + 0.01} for name, v in metrics.items()}
    return {
        "model": model, "detector": detector, "method": method, "task": task, "seed": seed, "images": 9,
        "grounding": {}, "metrics": measured,
    }  # fmt: skip


DETECTORS = {
    "mini-fpn": {"backbone": "resnext-mini-fpn", "joint": False},
    "mini-fpn-joint": {"backbone": "resnext-mini-fpn", "joint": True},
}
PAPER = {
    "table1": [
        {
            "model": "MOTIF",
            "detector": "ResNeXt-101-FPN",
            "method": "baseline",
            "predcls": [14.1, 18.0, 19.4],
            "status": "matched",
        },
        {"model": "MOTIF", "detector": "VGG-16", "method": "baseline", "predcls": [1.0, 2.0, 3.0], "status": "printed"},
    ]
}


def results(*rows, profile="mini"):
    return {"profile": profile, "detectors": DETECTORS, "experiments": {str(i): r for i, r in enumerate(rows)}}


BASELINE = row("baseline", mR_20=0.1, mR_50=0.2, mR_100=0.3)
GROUNDED = row("seg-grounded", "mini-fpn-joint", mR_20=0.15, mR_50=0.21, mR_100=0.28)


def test_a_cell_has_our_number_its_interval_and_the_papers():
    (line,) = table1(results(BASELINE), PAPER).rows
    cell = line.cells[("predcls", "mR@50")]
    assert (line.model, line.detector, line.method) == ("MOTIF", "ResNeXt-FPN, mini", "baseline")
    assert cell.ours == "20.0 [19.0–21.0]"
    assert cell.theirs == "18.0 (matched)"


def test_a_row_without_a_counterpart_in_the_paper_has_a_dash():
    (line,) = table1(results(row("frequency", model="frequency", mR_20=0.1)), PAPER).rows
    assert line.cells[("predcls", "mR@20")].theirs == EMPTY


def test_what_was_not_measured_is_a_dash_and_no_zero():
    unmeasured = row("baseline", mR_20=0.1)
    unmeasured["metrics"]["mR@50"] = {"value": None, "low": None, "high": None}
    (line,) = table1(results(unmeasured), PAPER).rows
    assert [line.cells[("predcls", f"mR@{k}")].ours for k in (20, 50, 100)] == ["10.0 [9.0–11.0]", EMPTY, EMPTY]


def test_seeds_of_one_row_are_averaged_and_their_intervals_spanned():
    (line,) = table1(results(BASELINE, row("baseline", seed=1, mR_20=0.2)), PAPER).rows
    cell = line.cells[("predcls", "mR@20")]
    assert (cell.seeds, cell.ours) == (2, "15.0 [9.0–21.0]")


def test_ablations_are_not_in_the_table():
    assert len(table1(results(BASELINE, GROUNDED, GROUNDED | {"grounding": {"edges": "none"}}), PAPER).rows) == 2
    assert table1(results(GROUNDED | {"grounding": {"edges": "none"}}), PAPER).rows == ()


def test_only_the_paper_profile_goes_without_a_banner():
    assert "not comparable" in to_markdown(table1(results(BASELINE), PAPER))
    assert "not comparable" not in to_markdown(table1(results(BASELINE, profile="paper"), PAPER))


def test_csv_has_a_line_per_cell():
    lines = list(csv.DictReader(io.StringIO(to_csv(table1(results(BASELINE), PAPER)))))
    assert len(lines) == 3
    assert lines[0] | {"value": "10.00", "low": "9.00", "paper": "14.10", "paper_status": "matched"} == lines[0]


def test_gain_compares_cells_of_the_same_row():
    table = table1(results(BASELINE, GROUNDED), PAPER)
    assert gain(table).mean == pytest.approx((5 + 1 - 2) / 3)
    assert (gain(table).cells, gain(table).higher, gain(table).separate) == (3, 2, 1)
    assert gain(table1(results(BASELINE), PAPER)) is None


def test_the_order_of_experiments_does_not_change_numbers():
    one, other = table1(results(BASELINE, GROUNDED), PAPER), table1(results(GROUNDED, BASELINE), PAPER)
    assert sorted(to_csv(one).splitlines()) == sorted(to_csv(other).splitlines())
