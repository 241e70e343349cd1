"""Each table as a picture: a matplotlib `Figure`, saved as PNG by the notebook and drawn into the pages as SVG."""

import textwrap
from collections.abc import Sequence
from dataclasses import replace

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from segsg.figures.style import FAINT, GRID, INK, LOSS, PALETTE, STYLE, new_figure
from segsg.report.ablation import RUNGS, WORDS
from segsg.report.flat import FOOTNOTE, unmarked
from segsg.report.mask_tables import UNREFINED_NAME
from segsg.report.recall_tables import METRIC, ZERO_SHOT
from segsg.report.table import Cell, Column, Table, TableRow, signed
from segsg.report.worth import MINUS
from segsg.study.names import METHODS
from segsg.study.rows import BASELINE, FREQUENCY, MASKS

SHOWN = {METRIC, ZERO_SHOT[-1], "AP"}
"""the column that is drawn of each group; the middle one where a group has none of them"""
MAX_ROWS = 60
"""most rows of a class by class chart: more make a figure that nobody reads to its end"""
BASES = {METHODS[BASELINE], RUNGS[0], UNREFINED_NAME}
CONTROLS = tuple(words for (field, _), words in WORDS.items() if field == MASKS)
ROW, PANEL = 0.24, 3.4
"""inches: height of a row, width of a panel"""
LETTERS = 19
"""of a footnote, on an inch"""
PANELS = 3
"""class by class panels beside each other"""


def chart(table: Table) -> Figure:
    """The picture that suits a table; of a table without numbers of ours a figure that says why."""
    if not table.is_measured:
        return note(table.missing)
    draw = {
        "table4": _ladders,
        "table5": _worth,
        "predicates": _class_by_class,
        "class_gains": _class_by_class,
        "transfer_quality": _overlaps,
    }.get(table.name, _points_by_task)
    with rc_context(STYLE):
        figure = draw(table)
        if not table.is_flat:
            text = textwrap.fill(FOOTNOTE, int(LETTERS * figure.get_figwidth()))
            figure.supxlabel(text, x=0.01, ha="left", color=FAINT, fontsize=6.5)
    return figure


def words(table: Table) -> str:
    """What the chart of a table shows, for readers who do not see it."""
    metrics = ", ".join(dict.fromkeys(_shown(columns)[1] for columns in table.groups.values()))
    pairs = "values before and after, and the gain,"
    what = {"predicates": pairs, "class_gains": pairs, "transfer_quality": "overlap by way of transfer"}
    return f"Chart of “{table.title}”: {what.get(table.name, metrics)} of each row. The table has the same numbers."


def longest_ladder(table: Table) -> Table:
    """Table 4 with the rows of its largest place alone; the table itself if it has no rows."""
    places = [row.labels[:3] for row in table.rows if row.is_measured]
    longest = max(places, key=places.count, default=())
    return replace(table, rows=tuple(row for row in table.rows if row.labels[:3] == longest))


def note(text: str) -> Figure:
    """A figure of one sentence, for a table without rows."""
    with rc_context(STYLE):
        figure = new_figure(8.0, 1.0)
        axes = figure.subplots()
        axes.text(0.0, 0.5, text, color=FAINT, va="center", wrap=True)
        axes.set_axis_off()
    return figure


def short_labels(rows: Sequence[TableRow]) -> list[str]:
    """A label for each of `rows`, from the label columns that differ among them; the last one if none differs."""
    told = [column for column in zip(*(row.labels for row in rows), strict=True) if len(set(column)) > 1]
    return [" · ".join(labels) for labels in zip(*told, strict=True)] if told else [row.labels[-1] for row in rows]


def _shown(columns: Sequence[Column]) -> Column:
    return next((column for column in columns if column[1] in SHOWN), columns[len(columns) // 2])


def _colour(row: TableRow) -> str:
    if BASES & {*map(unmarked, row.labels)}:
        return INK
    if METHODS[FREQUENCY] in row.labels:
        return FAINT
    return PALETTE[1] if row.labels[-1].startswith(CONTROLS) else PALETTE[0]


def _points_by_task(table: Table) -> Figure:
    """A panel for each task, in it every row that was measured."""
    rows = [row for row in table.rows if row.is_measured]
    columns = [_shown(columns) for columns in table.groups.values()]
    figure = new_figure(1.6 + PANEL * len(columns), 1.1 + ROW * len(rows))
    panels = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    places = range(len(rows))
    for axes, column in zip(panels, columns, strict=True):
        _points(axes, places, rows, column)
        axes.set(title=column[0], xlabel=f"{column[1]} (%)")
    panels[0].set_yticks(places, short_labels(rows))
    return figure


def _points(axes: Axes, places: Sequence[int | float], rows: Sequence[TableRow], column: Column) -> None:
    """Each row as a point with its interval over images and, if it has several, its seeds; grey is within noise.

    A dotted line stands where the one baseline of the panel is.
    """
    for y, row in zip(places, rows, strict=True):
        cell = row.cells[column]
        if cell.value is not None:
            _point(axes, y, cell, FAINT if cell.noise else _colour(row))
    bases = [row.cells[column].value for row in rows if _colour(row) == INK]
    if len(bases) == 1 and bases[0] is not None:
        axes.axvline(bases[0], color=INK, linewidth=0.8, linestyle=":")
    axes.set_ylim(max(places) + 0.6, -0.6)
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)


def _point(axes: Axes, y: int | float, cell: Cell, colour: str) -> None:
    if cell.low is not None and cell.high is not None:
        axes.plot([cell.low, cell.high], [y, y], color=colour, linewidth=4, alpha=0.35, solid_capstyle="round")
    if cell.seeds > 1:
        axes.plot(cell.by_seed, [y] * cell.seeds, "o", color=colour, markersize=2.5)
    hollow = {"markerfacecolor": "none"} if cell.noise else {}
    axes.plot(cell.value, y, "o", color=colour, markersize=6.5, **hollow)


def _worth(table: Table) -> Figure:
    """A panel for each measure of table 5: what each source of masks has beyond rectangles, row by row."""
    rows = [row for row in table.rows if row.is_measured]
    groups = {group: columns for group, columns in table.groups.items() if group.endswith(MINUS)}
    figure = new_figure(2.0 + PANEL * len(groups), 2.0 + 1.6 * ROW * len(rows))
    panels = figure.subplots(1, len(groups), sharey=True, squeeze=False)[0]
    for axes, (group, columns) in zip(panels, groups.items(), strict=True):
        for place, column in enumerate(columns):
            colour, marked = PALETTE[place], [row.cells[column] for row in rows]
            for y, cell in enumerate(marked):
                if cell.value is not None and cell.difference is not None:
                    _point(axes, y + 0.25 * (place - (len(columns) - 1) / 2), _as_point(cell), colour)
        axes.axvline(0, color=INK, linewidth=0.8, linestyle=":")
        axes.set(title=group.removesuffix(MINUS).strip(), xlabel=f"points, {MINUS}", ylim=(len(rows) - 0.4, -0.6))
        axes.grid(axis="x", color=GRID)
        axes.set_axisbelow(True)
    panels[0].set_yticks(range(len(rows)), short_labels(rows))
    names = [name for _, name in next(iter(groups.values()))]
    marks = [Line2D([], [], marker="o", linestyle="", color=c) for c, _ in zip(PALETTE, names, strict=False)]
    figure.legend(marks, names, loc="outside upper center", ncols=4, frameon=False)
    return figure


def _as_point(cell: Cell) -> Cell:
    """A cell that is a difference, as a number with the interval and the seeds of that difference."""
    return Cell(cell.value, cell.difference.low, cell.difference.high, cell.difference.by_seed)


def _ladders(table: Table) -> Figure:
    """A panel for each place of table 4: its rungs, below them other rows and controls, at the right the difference."""
    column = _shown(table.columns)
    rows = [row for row in table.rows if row.cells[column].value is not None]
    ladders = [[r for r in rows if r.labels[:3] == place] for place in dict.fromkeys(r.labels[:3] for r in rows)]
    figure = new_figure(7.6, sum(1.1 + ROW * len(ladder) for ladder in ladders))
    heights = [len(ladder) + 3 for ladder in ladders]
    panels = figure.subplots(len(ladders), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, ladder in zip(panels, ladders, strict=True):
        _ladder(axes, ladder, column)
        axes.set(title=" · ".join(ladder[0].labels[:3]), xlabel=f"{column[1]} (%)")
    return figure


def _ladder(axes: Axes, rows: Sequence[TableRow], column: Column) -> None:
    rungs = [row for row in rows if unmarked(row.labels[3]) in RUNGS]
    beside = [row for row in rows if unmarked(row.labels[3]) not in RUNGS]
    places = [*range(len(rungs)), *(len(rungs) + 0.4 + i for i in range(len(beside)))]
    _points(axes, places, [*rungs, *beside], column)
    if rungs and beside:
        axes.axhline(len(rungs) - 0.3, color=GRID, linewidth=0.8, linestyle="--")
    axes.set_yticks(places, [row.labels[3] for row in (*rungs, *beside)])
    for y, row in zip(places, (*rungs, *beside), strict=True):
        if (difference := row.cells[column].compared) is not None:
            _at_right(axes, y, difference.text, FAINT)


def _at_right(axes: Axes, y: int | float, text: str, colour: str) -> None:
    axes.text(1.02, y, text, transform=axes.get_yaxis_transform(), color=colour, fontsize=7.5, va="center")


def _class_by_class(table: Table) -> Figure:
    """A panel for each group of columns: per row two values in per cent, a line between them, and the gain."""
    groups = {group: _pairs(table, columns) for group, columns in table.groups.items()}
    groups = {group: pairs for group, pairs in groups.items() if pairs}
    down, across = -(-len(groups) // PANELS), min(PANELS, len(groups))
    longest = max(map(len, groups.values()))
    figure = new_figure(PANEL * across, down * (1.0 + 0.2 * longest))
    grid = figure.subplots(down, across, squeeze=False).ravel()
    for axes in grid[len(groups) :]:
        axes.set_axis_off()
    for axes, (group, pairs) in zip(grid, groups.items(), strict=False):
        (_, before), (_, after), _ = table.groups[group]
        _pair_lines(axes, pairs)
        axes.set_title("\n".join(group.rsplit(" · ", 1)), fontsize=8.5)
        axes.set_xlabel(f"{before} ○, {after} ● (%)", fontsize=8)
    return figure


def _pairs(table: Table, columns: list[Column]) -> list[tuple[str, float, float]]:
    """(label, before, after) of the first rows that have both."""
    pairs = []
    for row in table.rows:
        before, after, _ = (row.cells[column].value for column in columns)
        if before is not None and after is not None:
            pairs.append((" ".join(row.labels[:2]), before, after))
    return pairs[:MAX_ROWS]


def _pair_lines(axes: Axes, pairs: Sequence[tuple[str, float, float]]) -> None:
    for y, (_, before, after) in enumerate(pairs):
        gain = round(after - before, 1)
        colour = PALETTE[0] if gain > 0 else LOSS if gain < 0 else FAINT
        axes.plot([before, after], [y, y], color=colour, linewidth=2, alpha=0.5)
        axes.plot(before, y, "o", color=INK, markersize=4.5, markerfacecolor="none")
        axes.plot(after, y, "o", color=colour, markersize=4.5)
        _at_right(axes, y, signed(gain) if gain else "0.0", colour)
    axes.set_yticks(range(len(pairs)), [label for label, _, _ in pairs], fontsize=7.5)
    axes.set(xlim=(0, 100), ylim=(len(pairs) - 0.4, -0.6))
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)


def _overlaps(table: Table) -> Figure:
    """A row for each class, in it a mark for each column of the first group: the ways of transfer of one detector."""
    rows, columns = table.rows[:MAX_ROWS], next(iter(table.groups.values()))
    figure = new_figure(7.6, 1.2 + 0.2 * len(rows))
    axes = figure.subplots()
    for colour, column in zip(PALETTE, columns, strict=False):
        values = [(row.cells[column].value, y) for y, row in enumerate(rows) if row.cells[column].value is not None]
        axes.plot(*zip(*values, strict=True), "o", color=colour, markersize=4.5, label=column[1])
    axes.set_yticks(range(len(rows)), [row.labels[0] for row in rows], fontsize=7.5)
    axes.set(xlim=(0, 100), ylim=(len(rows) - 0.4, -0.6), xlabel="intersection over union (%)")
    axes.grid(color=GRID)
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=7.5)
    return figure
