import csv
import io

import pytest
from made_results import BASELINE, GROUNDED, PAPER, against, results, row

from segsg.report.cells import EMPTY
from segsg.report.recall_tables import table1, table3
from segsg.report.table import to_csv, to_markdown


def lines(table):
    return {row.labels: row.cells for row in table.rows}


def test_a_row_has_our_number_its_interval_and_the_papers():
    cells = lines(table1(results(BASELINE), PAPER))[("VCTree", "ResNeXt-FPN, mini", "baseline")]
    assert cells[("SGCls", "mR@50")].ours == "20.0 [19.0–21.0]"
    assert cells[("SGCls", "mR@50")].theirs == "9.9 (matched)"


def test_what_others_published_of_a_model_is_there_without_a_number_of_ours():
    cells = lines(table1(results(BASELINE), PAPER))[("VCTree", "VGG-16", "published")]
    assert (cells[("SGCls", "mR@20")].ours, cells[("SGCls", "mR@20")].theirs) == (EMPTY, "8.2")


def test_a_row_without_a_counterpart_in_the_paper_has_a_dash():
    (line,) = table1(results(row("frequency", model="frequency", mR_20=0.1)), PAPER).rows
    assert line.labels == ("Frequency", "ResNeXt-FPN, mini", "no pixels")
    assert line.cells[("SGCls", "mR@20")].theirs == EMPTY


def test_seeds_of_one_row_are_one_line():
    table = table1(results(BASELINE, row("baseline", seed=1, mR_20=0.2)), {"table1": []})
    (line,) = table.rows
    assert (line.cells[("SGCls", "mR@20")].seeds, line.cells[("SGCls", "mR@50")].seeds) == (2, 1)
    assert "of several seeds" in table.caption


def test_models_come_in_the_order_of_the_paper_and_baselines_first():
    rows = [row(m, model=name, mR_20=0.1) for name in ("vctree", "imp") for m in ("seg-grounded", "baseline")]
    table = table1(results(*rows), {"table1": []})
    assert [line.labels[::2] for line in table.rows] == [
        ("IMP", "baseline"), ("IMP", "seg-grounded"), ("VCTree", "baseline"), ("VCTree", "seg-grounded"),
    ]  # fmt: skip


def test_a_table_with_imp_says_that_ours_has_a_bias_which_the_benchmarks_has_not():
    assert "IMP has the frequency bias here" in to_markdown(table1(results(row("baseline", model="imp")), PAPER))
    assert "IMP" not in "".join(table1(results(BASELINE), PAPER).notes)


def test_ablations_and_other_detectors_are_not_in_the_table():
    others = [GROUNDED | {"grounding": {"edges": "none"}}, row("baseline", "mini-fpn-joint", mR_20=0.5)]
    others.append(row("seg-grounded", "mini-fpn-apart", mR_20=0.5))
    assert len(table1(results(BASELINE, GROUNDED, *others), {"table1": []}).rows) == 2
    assert table1(results(*others), PAPER).rows == ()


@pytest.mark.parametrize("table", [table1, table3])
def test_a_table_without_rows_is_a_sentence(table):
    text = to_markdown(table(results(row("baseline", "mini-fpn-joint", mR_20=0.5)), PAPER))
    assert "The study “mini” has no row for this table:" in text
    assert "|" not in text


def test_zero_shot_recall_has_its_own_columns_and_only_rows_that_measured_it():
    unmeasured = row("seg-grounded", zsR_20=None, zsR_100=None)
    table = table3(results(row("baseline", zsR_20=0.02, zsR_100=0.05), unmeasured), PAPER)
    (line,) = table.rows
    assert [line.cells[column].ours for column in table.columns] == ["2.0 [1.0–3.0]", "5.0 [4.0–6.0]"]
    assert [line.cells[column].theirs for column in table.columns] == ["0.4", "1.2"]


def test_only_the_paper_profile_goes_without_a_banner():
    assert "not comparable" in to_markdown(table1(results(BASELINE), PAPER))
    assert "not comparable" not in to_markdown(table1(results(BASELINE, profile="paper"), PAPER))


def test_markdown_marks_what_is_within_noise_and_lists_differences():
    noisy = GROUNDED | {"comparisons": against(0.05, -0.01, 0.1)}
    text = to_markdown(table1(results(BASELINE, noisy), {"table1": []}))
    assert "15.0 [14.0–16.0] ≈" in text
    assert "≈ +5.0 [−1.0, 10.0]" in text.partition("Differences")[2]


def test_csv_has_a_line_per_cell():
    found = GROUNDED | {"comparisons": against(0.05, 0.01, 0.1)}
    written = list(csv.DictReader(io.StringIO(to_csv(table1(results(BASELINE, found), PAPER)))))
    assert len(written) == 9
    assert {"value": "10.00", "low": "9.00", "paper": "8.10", "paper_status": "matched"}.items() <= written[3].items()
    compared = {"method": "seg-grounded", "difference": "5.00", "difference_low": "1.00", "p": "0.0200", "noise": "0"}
    assert compared.items() <= written[6].items()


def test_the_full_model_stands_beside_the_unrefined_one_with_the_papers_number():
    refined = row("seg-grounded", mR_20=0.16, mR_50=0.22, mR_100=0.3, grounding={"refinement": "inference"})
    paper = PAPER | {"table1": [PAPER["table1"][1] | {"method": "seg-grounded", "sgcls": [9.0, 11.6, 12.4]}]}
    table = table1(results(BASELINE, GROUNDED, refined), paper)
    lines = {line.labels[2]: line.cells[("SGCls", "mR@50")] for line in table.rows}
    assert list(lines) == ["baseline", "seg-grounded", "seg-grounded, refined"]
    assert [lines[name].value for name in lines] == [pytest.approx(v) for v in (20, 21, 22)]
    assert [lines[name].paper for name in lines] == [None, 11.6, 11.6]
    assert "the paper's are refined" in table.caption


def test_the_order_of_experiments_does_not_change_the_table():
    one, other = table1(results(BASELINE, GROUNDED), PAPER), table1(results(GROUNDED, BASELINE), PAPER)
    assert to_csv(one) == to_csv(other)
