"""A table of numbers, each with what says how far to trust it, as CSV for machines and Markdown for forges."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from segsg.report.flat import FOOTNOTE, MARK

EMPTY = "–"
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
NUMBERS += ("paper", "paper_status")


@dataclass(frozen=True)
class Difference:
    """One row of the study minus another, on the same images, in points (per cent).

    `low` and `high` are the ends of its 95 % interval, and `p` its p-value, from resampled images, and from resampled
    seeds where there are several. `by_seed` are the differences of single seeds.
    """

    value: float
    low: float
    high: float
    by_seed: tuple[float, ...]
    p: float | None = None

    @property
    def is_noise(self) -> bool:
        """Whether images and seeds could explain it: an interval that holds 0."""
        return self.low <= 0 <= self.high

    @property
    def text(self) -> str:
        """ "+1.2 [0.4–2.0]" or "≈ +0.1 [−0.7, 0.9]", which is within noise."""
        return f"{'≈ ' if self.is_noise else ''}{signed(self.value)} {interval(self.low, self.high)}"


def signed(points: float) -> str:
    """ "+1.2" or "−0.3"."""
    return f"{points:+.1f}".replace("-", "−")


def interval(low: float, high: float) -> str:
    """ "[0.4–2.0]", with a comma where a dash would meet a minus."""
    return f"[{low:.1f}{'–' if low >= 0 else ', '}{high:.1f}]".replace("-", "−")


@dataclass(frozen=True)
class Cell:
    """One number in per cent, with its interval over images and seeds, and the paper's where it has one.

    With several seeds `value` is the mean of `by_seed`. `status` says how sure the paper's number is: printed, matched
    (printed, its row inferred) or recalled (from the literature, not verified).
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    by_seed: tuple[float, ...] = ()
    paper: float | None = None
    status: str = ""
    difference: Difference | None = None
    is_difference: bool = False
    """the number is itself a difference, and `difference` says all of it"""

    @property
    def seeds(self) -> int:
        """How many seeds the number is the mean of."""
        return len(self.by_seed)

    @property
    def spread(self) -> float | None:
        """Standard deviation over seeds; None for fewer than two."""
        return stdev(self.by_seed) if self.seeds > 1 else None

    @property
    def ours(self) -> str:
        """ "12.3 [11.8–12.9] ±0.4", the last over seeds; a dash for what this study did not measure."""
        if self.value is None:
            return EMPTY
        if self.is_difference and self.difference is not None:
            return self.difference.text
        bounds = "" if self.low is None or self.high is None else f" {interval(self.low, self.high)}"
        spread = "" if self.spread is None else f" ±{self.spread:.1f}"
        return f"{self.value:.1f}{bounds}{spread}".replace("-", "−")

    @property
    def theirs(self) -> str:
        """ "14.1", "14.1 (matched)", or a dash."""
        if self.paper is None:
            return EMPTY
        return f"{self.paper:.1f}" + ("" if self.status == "printed" else f" ({self.status})")

    @property
    def noise(self) -> str:
        """ "≈" where the number cannot be told from the one that it is compared with."""
        return "≈" if self.compared is not None and self.compared.is_noise else ""

    @property
    def compared(self) -> Difference | None:
        """How the number compares with another; None for one that is a difference itself."""
        return None if self.is_difference else self.difference


def cell(
    measured: Sequence[dict | None],
    paper: float | None = None,
    status: str = "",
    differences: Sequence[dict | None] = (),
) -> Cell:
    """From fractions {"value", "low", "high"} and {"difference", "low", "high", "p"}, one of each for a seed."""
    known = [m for m in measured if m is not None and m["value"] is not None]
    if not known:
        return Cell(paper=paper, status=status)
    values, pooled = tuple(100 * m["value"] for m in known), _pooled(known)
    low, high = (_percent(pooled.get(bound)) for bound in ("low", "high"))
    return Cell(mean(values), low, high, values, paper, status, difference(differences))


def difference(measured: Sequence[dict | None]) -> Difference | None:
    """The mean difference over seeds, in points, from one comparison for each seed; None where nothing was compared."""
    known = [m for m in measured if m is not None and m["difference"] is not None and m["low"] is not None]
    pooled = _pooled(known)
    if not pooled:
        return None
    values = tuple(100 * m["difference"] for m in known)
    return Difference(mean(values), 100 * pooled["low"], 100 * pooled["high"], values, pooled.get("p"))


def _pooled(seeds: Sequence[dict]) -> dict:
    """What all seeds say together: a single seed itself; nothing where only some seeds have a number."""
    if len(seeds) == 1:
        return seeds[0]
    return seeds[0].get("pooled", {}) if seeds else {}


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


@dataclass(frozen=True)
class TableRow:
    """One row: what it is called, under the table's `heads`, and its cells."""

    labels: tuple[str, ...]
    cells: dict[Column, Cell]

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
    def is_flat(self) -> bool:
        """Whether no name of a row or column is marked as still rising."""
        names = [label for row in self.rows for label in row.labels]
        return not any(name.endswith(MARK) for name in (*names, *(part for column in self.columns for part in column)))

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
            writer.writerow([table.profile, *labels, *_numbers(row.cells[(group, metric)])])
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
    head = [*table.heads, *(f"{group} {metric}".strip() for group, metric in table.columns)]
    return [_line(head), _line(["---"] * len(head)), *(_line([*row.labels, *texts]) for row, texts in body)]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
