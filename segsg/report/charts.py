"""Tables as pictures: matplotlib `Figure` objects, without matplotlib's global state."""

from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segsg.figures.style import FAINT, GRID, INK, PALETTE, STYLE, new_figure
from segsg.report.ablation import RUNGS
from segsg.report.cells import Cell
from segsg.report.layout import Column, Row, Table
from segsg.study.rows import BASELINE, GROUNDED

MAX_BARS = 60
"""more predicates than this and no name can be read"""


def recall_chart(table: Table) -> Figure:
    """Every row that was measured as a point with its interval, one panel per task, at the table's middle column."""
    rows = measured_rows(table)
    if not rows:
        return note(table.missing)
    middle = [columns[len(columns) // 2] for columns in table.groups.values()]
    with rc_context(STYLE):
        figure = new_figure(max(5.0, 3.1 * len(middle)), 1.1 + 0.32 * len(rows))
        panels = figure.subplots(1, len(middle), sharey=True, squeeze=False)[0]
        methods = list(dict.fromkeys(row.labels[-1] for row in rows))
        colours = [PALETTE[methods.index(row.labels[-1]) % len(PALETTE)] for row in rows]
        for axes, column in zip(panels, middle, strict=True):
            _points(axes, [row.cells[column] for row in rows], colours)
            axes.set(title=column[0], xlabel=f"{column[1]} (%)")
        panels[0].set_yticks(range(len(rows)), [" · ".join(row.labels) for row in rows])
    return figure


def measured_rows(table: Table) -> list[Row]:
    """Rows with a number of ours: the paper's alone are no points."""
    return [row for row in table.rows if any(cell.value is not None for cell in row.cells.values())]


def note(text: str) -> Figure:
    """A figure for a table without rows: its sentence."""
    with rc_context(STYLE):
        figure = new_figure(8.0, 1.0)
        axes = figure.subplots()
        axes.text(0.0, 0.5, text, color=FAINT, va="center", wrap=True)
        axes.set_axis_off()
    return figure


def _points(axes: Axes, cells: Sequence[Cell], colours: Sequence[str]) -> None:
    for y, (cell, colour) in enumerate(zip(cells, colours, strict=True)):
        if cell.value is None:
            continue
        if cell.low is not None:
            axes.plot([cell.low, cell.high], [y, y], color=colour, linewidth=3, alpha=0.35, solid_capstyle="round")
        axes.plot(cell.value, y, "o", color=colour, markersize=6)
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)


def ladder_chart(table: Table) -> Figure:
    """Table 4's mR@50, a panel for each place, rung above rung; grey: within noise of the baseline."""
    rows = measured_rows(table)
    if not rows:
        return note(table.missing)
    column, places = table.columns[1], list(dict.fromkeys(row.labels[:3] for row in rows))
    ladders = [[row for row in rows if row.labels[:3] == place] for place in places]
    with rc_context(STYLE):
        figure = new_figure(7.5, sum(1.0 + 0.3 * len(ladder) for ladder in ladders))
        heights = [len(ladder) + 2 for ladder in ladders]
        panels = figure.subplots(len(ladders), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
        for axes, place, ladder in zip(panels, places, ladders, strict=True):
            _ladder(axes, {row.labels[3]: row.cells[column] for row in ladder})
            axes.set(title=" · ".join(place), xlabel=f"{column[1]} (%); grey: within noise of {RUNGS[0]} (dotted)")
    return figure


def _ladder(axes: Axes, cells: dict[str, Cell]) -> None:
    _points(axes, list(cells.values()), [FAINT if cell.noise else PALETTE[0] for cell in cells.values()])
    base = cells.get(RUNGS[0], Cell()).value
    if base is not None:
        axes.axvline(base, color=INK, linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(cells)), cells)


def predicate_bars(table: Table) -> Figure:
    """Recall of each predicate without and with grounding, a panel for each group of columns."""
    if not table.rows:
        return note(table.missing)
    groups = list(table.groups)
    with rc_context(STYLE):
        figure = new_figure(max(5.0, 0.34 * min(len(table.rows), MAX_BARS) + 1.5), 2.8 * len(groups))
        for axes, group in zip(figure.subplots(len(groups), 1, squeeze=False)[:, 0], groups, strict=True):
            _bars(axes, table, group)
    return figure


def _bars(axes: Axes, table: Table, group: str) -> None:
    rows = [row for row in table.rows if row.cells[(group, BASELINE)].value is not None][:MAX_BARS]
    for offset, method, colour in ((-0.2, BASELINE, FAINT), (0.2, GROUNDED, PALETTE[0])):
        heights = [row.cells[(group, method)].value or 0.0 for row in rows]
        axes.bar([i + offset for i in range(len(rows))], heights, width=0.4, color=colour, label=method)
    axes.set_xticks(range(len(rows)), [row.labels[0] for row in rows], rotation=60, ha="right", fontsize=7)
    axes.set(title=group, ylabel="recall (%)", ylim=(0, 100))
    axes.legend(loc="upper right", fontsize=8)


def seed_chart(table: Table) -> Figure:
    """Every seed of the rows that have several, at the middle column of each group."""
    middle: list[Column] = [columns[len(columns) // 2] for columns in table.groups.values()]
    rows = [row for row in table.rows if any(row.cells[column].seeds > 1 for column in middle)]
    if not rows:
        return note(f"Every row of {table.title.partition(':')[0].lower()} has one seed.")
    with rc_context(STYLE):
        figure = new_figure(max(5.0, 3.1 * len(middle)), 1.1 + 0.32 * len(rows))
        panels = figure.subplots(1, len(middle), sharey=True, squeeze=False)[0]
        for axes, column in zip(panels, middle, strict=True):
            for y, row in enumerate(rows):
                seeds = row.cells[column].by_seed
                axes.plot(seeds, [y] * len(seeds), "o", color=PALETTE[0], alpha=0.6, markersize=5)
                axes.plot([row.cells[column].value] * bool(seeds), [y] * bool(seeds), "|", color=INK, markersize=12)
            axes.set(title=column[0], xlabel=f"{column[1]} (%)", ylim=(len(rows) - 0.4, -0.6))
            axes.grid(axis="x", color=GRID)
        panels[0].set_yticks(range(len(rows)), [" · ".join(row.labels) for row in rows])
    return figure
