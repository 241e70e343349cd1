"""A table of cells, whatever is in it, as CSV for machines and Markdown for forges; pages show it as HTML."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from segsg.report.cells import EMPTY, Cell, Difference

COMPARABLE = "paper"
"""the one profile whose numbers may stand beside the paper's"""
WORLDS = {
    "smoke": "Drawn photos, tiny networks",
    "mini": "Drawn photos, small networks",
    "trial": "A few photos, a step or two of training",
}
"""what the numbers of a profile are of"""
Column = tuple[str, str]
"""(what stands above several columns, what stands above this one)"""
NUMBERS = ("value", "low", "high", "seeds", "spread", "difference", "difference_low", "difference_high", "p", "noise")
NUMBERS += ("paper", "paper_status")


@dataclass(frozen=True)
class Row:
    """One line: what it is called, under the table's `heads`, and its cells."""

    labels: tuple[str, ...]
    cells: dict[Column, Cell]


@dataclass(frozen=True)
class Table:
    """`missing` is the sentence that stands where a study has no row for the table."""

    name: str
    title: str
    profile: str
    heads: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: str
    missing: str
    notes: tuple[str, ...] = ()

    @property
    def banner(self) -> str:
        """What a reader must know before comparing two columns; empty where they may be compared."""
        return "" if self.profile == COMPARABLE else warning(self.profile)

    @property
    def groups(self) -> dict[str, list[Column]]:
        """Columns by what stands above them."""
        found: dict[str, list[Column]] = {}
        for column in self.columns:
            found.setdefault(column[0], []).append(column)
        return found

    def has_paper(self, column: Column | None = None) -> bool:
        """Whether any cell, of a column if one is given, has a number of the paper beside it."""
        columns = self.columns if column is None else (column,)
        return any(row.cells[column].paper is not None for row in self.rows for column in columns)

    def differences(self) -> list[tuple[Row, list[Difference | None]]]:
        """Rows that are compared with another, cell by cell."""
        lines = [(row, [row.cells[column].compared for column in self.columns]) for row in self.rows]
        return [(row, found) for row, found in lines if any(found)]


def warning(profile: str) -> str:
    """What whoever sees a number of a study has to know, which is not the paper's."""
    world = WORLDS.get(profile, "Not the paper's data, networks and training")
    return f"{world}: not comparable with the paper's numbers, which are printed beside for orientation"


def to_csv(table: Table) -> str:
    """One line per cell: per cent with two digits, empty where there is no number; the header alone without rows."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["profile", *(head.lower().replace(" ", "_") for head in table.heads), "group", "metric", *NUMBERS])
    for row in table.rows:
        for group, metric in table.columns:
            writer.writerow([table.profile, *row.labels, group, metric, *_numbers(row.cells[(group, metric)])])
    return stream.getvalue()


def _numbers(cell: Cell) -> list:
    differences: list = ["", "", "", "", ""]
    if (found := cell.difference) is not None:
        p = "" if found.p is None else f"{found.p:.4f}"
        differences = [_digits(found.value), _digits(found.low), _digits(found.high), p, int(found.is_noise)]
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
        texts = [(row, [EMPTY if d is None else d.text for d in found]) for row, found in compared]
        parts += ["", "## Differences, on the same images", "", *_lines(table, texts)]
    return "\n".join([*parts, *(f"\n{note}" for note in table.notes)]) + "\n"


def _texts(table: Table, row: Row) -> list[str]:
    texts = []
    for column in table.columns:
        cell = row.cells[column]
        ours = f"{cell.ours} {cell.noise}".strip()
        texts.append(f"{ours} / {cell.theirs}" if table.has_paper(column) else ours)
    return texts


def _lines(table: Table, body: Iterable[tuple[Row, list[str]]]) -> list[str]:
    head = [*table.heads, *(f"{group} {metric}".strip() for group, metric in table.columns)]
    return [_line(head), _line(["---"] * len(head)), *(_line([*row.labels, *texts]) for row, texts in body)]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
