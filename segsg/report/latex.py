"""A table as LaTeX for papers: ours with its interval, bold where it clearly differs from its baseline."""

from segsg.report.cells import Cell
from segsg.report.table import Table

SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "−": r"$-$",
    "≈": r"$\approx$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "–": "--",
    "“": "``",
    "”": "''",
    "\u2019": "'",
    "²": r"$^2$",
} | {mark: f"\\{mark}" for mark in "&%$#_{}"}
RULE = " \\\\"


def escape(text: str) -> str:
    """The text as LaTeX prints it, whatever is in it."""
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def to_latex(table: Table) -> str:
    r"""A `table` environment that needs \usepackage{booktabs}; of a table without rows a comment."""
    if not table.rows:
        return f"% {escape(table.missing)}\n"
    columns = table.marked_columns
    spec = "l" * len(table.heads) + "r" * len(columns)
    head = [*(escape(name) for name in table.heads), *(escape(name) for _, name in columns.values())]
    lines = [r"\begin{table}", r"\centering", f"\\begin{{tabular}}{{{spec}}}", r"\toprule", *_groups(table)]
    lines += [" & ".join(head) + RULE, r"\midrule"]
    for row in table.rows:
        texts = [*map(escape, row.marked), *(_text(row.cells[column]) for column in table.columns)]
        lines.append(" & ".join(texts) + RULE)
    notes = " ".join((*([f"{table.banner}."] if table.banner else []), table.caption, *table.footnotes))
    lines += [r"\bottomrule", r"\end{tabular}", f"\\caption{{{escape(table.title)}. {escape(notes)}}}"]
    return "\n".join([*lines, f"\\label{{tab:{table.name}}}", r"\end{table}"]) + "\n"


def _groups(table: Table) -> list[str]:
    """The line above the heads that names groups of columns; none where no group has a name."""
    if not any(table.groups):
        return []
    columns = table.marked_columns
    cells = [
        f"\\multicolumn{{{len(members)}}}{{c}}{{{escape(columns[members[0]][0])}}}" for members in table.groups.values()
    ]
    return [" & ".join([""] * len(table.heads) + cells).strip() + RULE]


def _text(cell: Cell) -> str:
    r"""A number in bold where it is clearly different from what it is compared with."""
    if cell.value is None:
        return escape(cell.ours)
    number = escape(cell.ours)
    clear = (cell.difference is not None) and not cell.difference.is_noise
    return f"\\textbf{{{number}}}" if clear else number
