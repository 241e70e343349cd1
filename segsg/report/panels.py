"""Tables as pictures made of page elements: they take the page's colours, wrap on a phone, and can be read aloud.

Places are in per cent of a picture's width, so that a browser may draw it at any size without shrinking its words.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from segsg.report.ablation import RUNGS, WORDS, place_names
from segsg.report.axis import Axis, axis
from segsg.report.cells import Cell
from segsg.report.layout import Column, Row, Table
from segsg.study.names import METHODS
from segsg.study.rows import BASELINE, GROUNDED, MASKS

KINDS = {METHODS[BASELINE]: "base", RUNGS[0]: "base", METHODS["frequency"]: "floor"}
"""how a mark looks, by the last label of its row; others are controls or grounded systems"""
CONTROLS = tuple(words for (field, _), words in WORDS.items() if field == MASKS)


@dataclass(frozen=True)
class Mark:
    """A row as a dot with its interval over images and, if it has several, its seeds. `note` stands below it."""

    label: str
    kind: str
    is_noise: bool
    text: str
    note: str
    at: float
    span: tuple[float, float] | None
    seeds: tuple[float, ...]


@dataclass(frozen=True)
class Panel:
    """Marks on one axis. `aside` are those beside a ladder; `reference` is where its one baseline is."""

    title: str
    unit: str
    ticks: list[tuple[float, str]]
    marks: tuple[Mark, ...]
    aside: tuple[Mark, ...] = ()
    reference: float | None = None


@dataclass(frozen=True)
class Pair:
    """A predicate's recall without and with masks in per cent, the gain in points as text; `change`: how it looks."""

    label: str
    count: str
    before: float
    after: float
    gain: str
    change: str


@dataclass(frozen=True)
class PairPanel:
    title: str
    pairs: tuple[Pair, ...]


def recall_panels(table: Table) -> list[Panel]:
    """A panel for each task at the table's middle column: every row that was measured."""
    rows = measured_rows(table)
    named = dict(zip(short_labels(rows), rows, strict=True))
    columns = [columns[len(columns) // 2] for columns in table.groups.values()]
    return [_panel(column[0], column, named) for column in columns if rows]


def ladder_panels(table: Table) -> list[Panel]:
    """A panel for each place (model, detector, task) of table 4 at its middle recall: rungs, and other rows aside."""
    rows = measured_rows(table)
    found = []
    for place in place_names(table):
        named = {row.labels[3]: row for row in rows if row.labels[:3] == place}
        if named:
            found.append(_panel(" · ".join(place), table.columns[1], named, named.keys() - {*RUNGS}))
    return found


def _panel(title: str, column: Column, rows: dict[str, Row], beside: Set[str] = frozenset()) -> Panel:
    cells = {name: row.cells[column] for name, row in rows.items() if row.cells[column].value is not None}
    values = [v for cell in cells.values() for v in (cell.value, cell.low, cell.high, *cell.by_seed) if v is not None]
    line = axis(values or [0.0])
    marks = {name: _mark(name, rows[name].labels[-1], cell, line) for name, cell in cells.items()}
    bases = [mark.at for mark in marks.values() if mark.kind == "base"]
    return Panel(
        title,
        column[1],
        line.ticks,
        tuple(mark for name, mark in marks.items() if name not in beside),
        tuple(mark for name, mark in marks.items() if name in beside),
        bases[0] if len(bases) == 1 else None,
    )


def _mark(name: str, label: str, cell: Cell, line: Axis) -> Mark:
    span = None if cell.low is None or cell.high is None else (line.at(cell.low), line.at(cell.high))
    note = "" if cell.compared is None else cell.compared.text
    kind = KINDS.get(label) or ("control" if label.startswith(CONTROLS) else "grounded")
    seeds = tuple(map(line.at, cell.by_seed)) if cell.seeds > 1 else ()
    return Mark(name, kind, bool(cell.noise), cell.ours, note, line.at(cell.value), span, seeds)


def measured_rows(table: Table) -> list[Row]:
    """Rows with a number of ours: the paper's alone are no marks."""
    return [row for row in table.rows if any(cell.value is not None for cell in row.cells.values())]


def short_labels(rows: Sequence[Row]) -> list[str]:
    """Labels of rows without what is the same in all of them."""
    told = [column for column in zip(*(row.labels for row in rows), strict=True) if len(set(column)) > 1]
    return [" · ".join(labels) for labels in zip(*told, strict=True)] if told else [row.labels[-1] for row in rows]


def predicate_panels(table: Table) -> list[PairPanel]:
    """A panel for each compared system, its predicates in the table's order (most frequent first)."""
    return [PairPanel(group, _pairs(table, group)) for group in table.groups]


def _pairs(table: Table, group: str) -> tuple[Pair, ...]:
    found = []
    for row in table.rows:
        before, after = (row.cells[(group, METHODS[method])].value for method in (BASELINE, GROUNDED))
        if before is not None and after is not None:
            gain = round(after - before, 1)
            change = "gain" if gain > 0 else "loss" if gain < 0 else "even"
            found.append(Pair(row.labels[0], row.labels[1], before, after, _signed(gain), change))
    return tuple(found)


def _signed(points: float) -> str:
    """ "+1.2", "−0.3", "0.0"."""
    return f"{points:+.1f}".replace("-", "−") if points else "0.0"
