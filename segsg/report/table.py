"""A table of numbers, each with what says how far to trust it, as CSV for machines and Markdown for forges."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from segsg.report.cells import EMPTY, Cell, Difference
from segsg.report.flat import FOOTNOTE, MARK

ESCAPED = f"\\{MARK}"
"""the mark in Markdown, where a bare one would begin a list"""
COMPARABLE = "paper"
"""the one profile whose numbers may stand beside the paper's"""
WORLDS = {
    "smoke": "Drawn photos, tiny networks",
    "quick": "Drawn photos, small networks, trained for seconds: every table is there, no difference means anything",
    "mini": "Drawn photos, small networks",
    "trial": "A few photos, a step or two of training",
}
"""what the numbers of a profile are of"""
UNTRAINED = ("smoke", "quick", "trial")
"""profiles that show how everything works and find out nothing"""
Column = tuple[str, str]
"""(what stands above several columns, what stands above this one)"""
NUMBERS = ("value", "low", "high", "seeds", "spread", "difference", "difference_low", "difference_high", "p", "noise")
NUMBERS += ("paper", "paper_status", "rising")


@dataclass(frozen=True)
class TableRow:
    """One row: what it is called, under the table's `heads`, and its cells."""

    labels: tuple[str, ...]
    cells: dict[Column, Cell]
    is_rising: bool = False
    """a training behind it was still gaining when it ended"""

    @property
    def marked(self) -> tuple[str, ...]:
        """Its labels as tables print them: the last with a mark if the row is still rising."""
        return (*self.labels[:-1], f"{self.labels[-1]}{MARK}") if self.is_rising else self.labels

    @property
    def is_measured(self) -> bool:
        """Whether any of its numbers is ours."""
        return any(cell.value is not None for cell in self.cells.values())


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under `columns`, with what a reader must know. `why_empty` ends the sentence of a table without rows."""

    name: str
    title: str
    profile: str
    heads: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    caption: str
    why_empty: str
    notes: tuple[str, ...] = ()
    rising: frozenset[Column] = frozenset()
    """columns that a training is behind which was still gaining when it ended"""

    @property
    def missing(self) -> str:
        """The sentence that stands where a study has no row for the table."""
        return f"The study “{self.profile}” has no row for this table: {self.why_empty}."

    @property
    def banner(self) -> str:
        """What a reader must know before comparing two columns; empty where they may be compared."""
        return "" if self.profile == COMPARABLE else warning(self.profile)

    @property
    def groups(self) -> dict[str, list[Column]]:
        """Columns by what stands above them."""
        grouped: dict[str, list[Column]] = {}
        for column in self.columns:
            grouped.setdefault(column[0], []).append(column)
        return grouped

    @property
    def marked_columns(self) -> dict[Column, Column]:
        """Columns as tables print them. What is still rising has a mark: at a group all of which is, else at a name."""
        whole = {group for group, columns in self.groups.items() if group and self.rising >= set(columns)}
        return {
            (group, name): (
                f"{group}{MARK}" if group in whole else group,
                f"{name}{MARK}" if (group, name) in self.rising and group not in whole else name,
            )
            for group, name in self.columns
        }

    @property
    def is_flat(self) -> bool:
        """Whether no row and no column is still rising."""
        return not self.rising and not any(row.is_rising for row in self.rows)

    @property
    def footnotes(self) -> tuple[str, ...]:
        """The notes, and what the mark at a name means where there is one."""
        return self.notes if self.is_flat else (*self.notes, FOOTNOTE)

    @property
    def is_measured(self) -> bool:
        """Whether any number is ours: the paper's alone are nothing to draw."""
        return any(row.is_measured for row in self.rows)

    def has_paper(self, column: Column | None = None) -> bool:
        """Whether any cell, of a column if one is given, has a number of the paper beside it."""
        columns = self.columns if column is None else (column,)
        return any(row.cells[column].paper is not None for row in self.rows for column in columns)

    def differences(self) -> list[tuple[TableRow, list[Difference | None]]]:
        """Rows that are compared with another, cell by cell."""
        compared = [(row, [row.cells[column].compared for column in self.columns]) for row in self.rows]
        return [(row, cells) for row, cells in compared if any(cells)]


def warning(profile: str) -> str:
    """What a reader of any profile but the paper's has to know about its numbers."""
    world = WORLDS.get(profile, "Not the paper's data, networks and training")
    return f"{world}: not comparable with the paper's numbers, which are printed beside for orientation"


def inert(cell: object) -> object:
    """A cell of a table; a text that a spreadsheet would take for a formula gets an apostrophe in front."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def to_csv(table: Table) -> str:
    """One line per cell: per cent with two digits, empty where there is no number; the header alone without rows."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["profile", *(head.lower().replace(" ", "_") for head in table.heads), "group", "metric", *NUMBERS])
    for row in table.rows:
        for group, metric in table.columns:
            labels = map(inert, (*row.labels, group, metric))
            rising = int(row.is_rising or (group, metric) in table.rising)
            writer.writerow([table.profile, *labels, *_numbers(row.cells[(group, metric)]), rising])
    return stream.getvalue()


def _numbers(cell: Cell) -> list:
    differences: list = ["", "", "", "", ""]
    if (to := cell.difference) is not None:
        p = "" if to.p is None else f"{to.p:.4f}"
        differences = [_digits(to.value), _digits(to.low), _digits(to.high), p, int(to.is_noise)]
    ours = [_digits(cell.value), _digits(cell.low), _digits(cell.high), cell.seeds, _digits(cell.spread)]
    return [*ours, *differences, _digits(cell.paper), cell.status]


def _digits(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}"


def to_markdown(table: Table) -> str:
    """Our number with its interval and, in tables of the paper, the paper's after a slash; differences below."""
    banner = [f"**{table.banner}.**", ""] if table.banner and table.has_paper() else []
    parts = [f"# {table.title}", "", *banner]
    if not table.rows:
        return "\n".join([*parts, table.missing]) + "\n"
    parts += [table.caption, "", *_lines(table, [(row, _texts(table, row)) for row in table.rows])]
    if compared := table.differences():
        texts = [(row, [EMPTY if d is None else d.text for d in differences]) for row, differences in compared]
        parts += ["", "## Differences, on the same images", "", *_lines(table, texts)]
    notes = [f"\n{note.replace(MARK, ESCAPED)}" for note in table.footnotes]
    return "\n".join([*parts, *notes]) + "\n"


def _texts(table: Table, row: TableRow) -> list[str]:
    texts = []
    for column in table.columns:
        cell = row.cells[column]
        ours = f"{cell.ours} {cell.noise}".strip()
        texts.append(f"{ours} / {cell.theirs}" if table.has_paper(column) else ours)
    return texts


def _lines(table: Table, body: Iterable[tuple[TableRow, list[str]]]) -> list[str]:
    columns = table.marked_columns.values()
    head = [*table.heads, *(f"{group} {metric}".strip() for group, metric in columns)]
    return [_line(head), _line(["---"] * len(head)), *(_line([*row.marked, *texts]) for row, texts in body)]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
