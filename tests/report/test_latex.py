"""Tables as LaTeX: whatever a name holds is printed, and what is clear is bold."""

import pytest
from made_results import BASELINE, PAPER, against, results, row

from segsg.report.cells import Cell
from segsg.report.latex import escape, to_latex
from segsg.report.registry import TABLES
from segsg.report.table import Table, TableRow


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a & b_1 50 % #2 {x} $", r"a \& b\_1 50 \% \#2 \{x\} \$"),
        (r"\write18", r"\textbackslash{}write18"),
        ("~^", r"\textasciitilde{}\textasciicircum{}"),
        ("−1.0 ≈ ±2 7 × 7", r"$-$1.0 $\approx$ $\pm$2 7 $\times$ 7"),
        ("“no masks”", "``no masks''"),
        ("", ""),
    ],
)
def test_what_latex_takes_for_a_command_is_printed(text, printed):
    assert escape(text) == printed


def test_rows_have_as_many_cells_as_the_table_has_columns():
    better = row("seg-grounded", mR_20=0.2, mR_50=0.3, mR_100=0.4, comparisons=against(0.1, 0.05, 0.15, "mR@50"))
    lines = to_latex(TABLES["table1"](results(BASELINE, better), PAPER)).splitlines()
    assert r"\begin{tabular}{lllrrr}" in lines
    assert [line.count("&") for line in lines if line.endswith("\\\\")] == [3, 5, 5, 5, 5]
    assert any(r"\textbf{30.0 [29.0--31.0]}" in line for line in lines)
    assert lines[-2:] == [r"\label{tab:table1}", r"\end{table}"]


def test_a_table_without_rows_is_a_comment():
    assert to_latex(TABLES["table1"](results(), PAPER)).startswith("% The study")


def test_a_rising_row_and_a_rising_group_are_marked():
    column = ("SGCls", "R@50")
    made = Table(name="t", title="T", profile="mini", heads=("Model",), columns=(column,), rising=frozenset([column]),
                 rows=(TableRow(("IMP",), {column: Cell(1.0)}, is_rising=True),), caption="", why_empty="")  # fmt: skip
    text = to_latex(made)
    assert "IMP* & 1.0" in text and "{SGCls*}" in text


@pytest.mark.parametrize("name", TABLES)
def test_every_letter_of_every_table_is_ascii(name):
    recalls = {"predicates": {"names": ["on"], "training": [5], "group": ["head"], "R@50": [0.5]}}
    made = to_latex(TABLES[name](results(BASELINE | recalls, row("seg-grounded", mR_50=0.3, **recalls)), PAPER))
    assert made.isascii(), [letter for letter in made if not letter.isascii()]
