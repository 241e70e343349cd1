"""Each table as a chart: its panels are SVG in the pages, and one PNG in the notebook."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segsg.figures.style import FAINT, GRID, INK, LOSS, PALETTE
from segsg.report import frames, panels
from segsg.report.ablation import RUNGS, WORDS
from segsg.report.cells import signed
from segsg.report.dumbbells import dumbbells
from segsg.report.flat import FOOTNOTE, MARK
from segsg.report.mask_tables import GAIN
from segsg.report.panels import PAPER, ROW, Chart, Mark, Panel
from segsg.report.recall_tables import METRIC, ZERO_SHOT
from segsg.report.table import Column, Table, TableRow
from segsg.report.worth import MINUS, SOURCES
from segsg.study.rows import COARSE, MASKS, ORACLE, REFINED, TRANSFERRED

SHOWN = {METRIC, ZERO_SHOT[-1], "AP"}
"""the column that is drawn of each group; the middle one where a group has none of them"""
MAX_ROWS = 60
"""most rows of a class by class chart: more make a figure that nobody reads to its end"""
CONTROLS = tuple(words for (field, _), words in WORDS.items() if field == MASKS)
CONTROL = "control"
"""what `says` of a ladder's row that sees something else than borrowed masks and differs clearly"""
SOURCE_COLOURS = {
    SOURCES[TRANSFERRED]: PALETTE[1],
    SOURCES[REFINED]: PALETTE[0],
    SOURCES[COARSE]: PALETTE[6],
    SOURCES[ORACLE]: PALETTE[2],
}
"""of what stands in for the masks, as on the first page"""
TWO_LINES = 1.35 * ROW
"""inches of a row whose name takes two lines"""
AGAINST_BASELINE = (
    Mark(PALETTE[0], "clearly higher than its baseline"),
    Mark(LOSS, "clearly lower"),
    Mark(FAINT, "within noise, or compared with nothing", hollow=True),
)


def chart(table: Table) -> Figure:
    """The picture of a table; of a table without numbers of ours a figure that says why."""
    if not table.is_measured:
        return panels.sentence(table.missing)
    return panels.sheet(drawn(table), "" if table.is_flat else FOOTNOTE)


def drawn(table: Table) -> Chart:
    """The chart that suits a table with numbers of ours."""
    columns = [_shown(columns) for columns in table.groups.values()]
    kinds: dict[str, Callable[[Table], Chart]] = {
        "table1": partial(dumbbells, columns=columns),
        "table3": partial(dumbbells, columns=columns),
        "table4": _ladders,
        "table5": _worth,
        "predicates": _gains,
        "class_gains": _gains,
        "transfer_quality": _overlaps,
    }
    return kinds.get(table.name, partial(_points, columns=columns))(table)


def words(table: Table, panel: Panel) -> str:
    """What a panel of a table's chart shows, for readers who do not see it."""
    return f"Chart of “{table.title}”: {panel.title}. The table has the same numbers."


def short_labels(rows: Sequence[TableRow]) -> list[str]:
    """A label for each of `rows`, from the label columns that differ among them; the last one if none differs."""
    columns = zip(*(row.labels for row in rows), strict=True)
    told = [place for place, column in enumerate(columns) if len(set(column)) > 1] or [-1]
    return [" · ".join(row.labels[i] for i in told) + MARK * row.is_rising for row in rows]


def _shown(columns: Sequence[Column]) -> Column:
    return next((column for column in columns if column[1] in SHOWN), columns[len(columns) // 2])


def _points(table: Table, columns: list[Column]) -> Chart:
    """A panel for each group of columns, in it every row that was measured."""
    rows = tuple(row for row in table.rows if row.is_measured)
    frame = frames.numbers(replace(table, rows=rows)).rename(columns={"by_seed": "singles"})
    labels = short_labels(rows)

    def draw(column: Column, axes: Axes) -> None:
        shown = frames.of_columns(frame, [column])
        panels.judged(axes, shown.assign(y=shown["row"]))
        panels.names(axes, range(len(rows)), labels)
        axes.set_xlabel(f"{column[1]} (%)")

    tall = panels.height(len(rows), TWO_LINES)
    key = AGAINST_BASELINE if any(cell.compared for row in rows for cell in row.cells.values()) else ()
    return Chart(tuple(Panel(column[0] or column[1], tall, partial(draw, column)) for column in columns), key)


def _ladders(table: Table) -> Chart:
    """A panel for each place of table 4: what its rungs gain over Base, below them other rows and controls."""
    column = _shown(table.columns)
    rows = [row for row in table.rows if row.cells[column].value is not None]
    places = {place: [r for r in rows if r.labels[:3] == place] for place in dict.fromkeys(r.labels[:3] for r in rows)}
    key = (
        Mark(PALETTE[0], "clearly above Base"),
        Mark(PALETTE[1], "a control, clearly different"),
        Mark(LOSS, "clearly below"),
        Mark(FAINT, "within noise of Base", hollow=True),
        Mark(PAPER, "the gain of the paper"),
    )
    titles = short_labels([replace(rows[0], labels=place, is_rising=False) for place, rows in places.items()])
    made = (_ladder(table, column, title, rows) for title, rows in zip(titles, places.values(), strict=True))
    return Chart(tuple(made), key)


def _ladder(table: Table, column: Column, title: str, rows: list[TableRow]) -> Panel:
    ordered = [*(r for r in rows if r.labels[3] in RUNGS), *(r for r in rows if r.labels[3] not in RUNGS)]
    rungs = sum(row.labels[3] in RUNGS for row in rows)
    base = next((row.cells[column] for row in ordered if row.labels[3] == RUNGS[0]), None)
    frame = frames.of_columns(frames.numbers(replace(table, rows=tuple(ordered))), [column])
    frame = frame.assign(
        y=[place + 0.4 * (place >= rungs) for place in frame["row"]],
        value=frame["difference"].fillna(frame["value"] - (float("nan") if base is None else base.value)),
        low=frame["difference_low"],
        high=frame["difference_high"],
        singles=frame["difference_by_seed"],
        says=[
            CONTROL if name.startswith(CONTROLS) and says in (frames.GAIN, frames.LOSS) else says
            for name, says in zip(frame["Row"], frame["says"], strict=True)
        ],
        paper=frame["paper"] - (float("nan") if base is None or base.paper is None else base.paper),
    )

    def draw(axes: Axes) -> None:
        panels.dots(axes, frame.assign(y=frame["y"] + 0.25), "paper", PAPER, size=9)
        panels.judged(axes, frame, {frames.ALONE: INK, CONTROL: PALETTE[1]})
        panels.zero(axes)
        if 0 < rungs < len(ordered):
            axes.axhline(rungs - 0.3, color=GRID, linewidth=0.8, linestyle="--")
        panels.names(axes, list(frame["y"]), [row.marked[3] for row in ordered])
        level = "" if base is None else f" ({base.value:.1f})"
        axes.set_xlabel(f"{column[1]}: points above {RUNGS[0]}{level}")

    return Panel(title, panels.height(len(ordered), TWO_LINES), draw)


def _worth(table: Table) -> Chart:
    """A panel for each measure of table 5: what each source of masks has beyond rectangles, row by row."""
    rows = tuple(row for row in table.rows if row.is_measured)
    groups = {group: columns for group, columns in table.groups.items() if group.endswith(MINUS)}
    frame = frames.numbers(replace(table, rows=rows))
    names = [name for _, name in next(iter(groups.values()))]
    colours = {name: SOURCE_COLOURS[name] for name in names}
    labels = short_labels(rows)

    def draw(columns: list[Column], axes: Axes) -> None:
        for place, column in enumerate(columns):
            shown = frames.of_columns(frame, [column])
            offset = 0.24 * (place - (len(columns) - 1) / 2)
            shown = shown.assign(y=shown["row"] + offset, singles=shown["difference_by_seed"])
            shown = shown.assign(low=shown["difference_low"], high=shown["difference_high"])
            panels.points(axes, shown, colours[column[1]])
        panels.zero(axes)
        panels.names(axes, range(len(rows)), labels)
        axes.set_xlabel(f"points, {MINUS}")

    tall = panels.height(len(rows), 2.2 * ROW)
    made = (Panel(group.removesuffix(MINUS).strip(), tall, partial(draw, columns)) for group, columns in groups.items())
    return Chart(tuple(made), tuple(Mark(colour, name) for name, colour in colours.items()))


def _gains(table: Table) -> Chart:
    """A panel for each task: the gain of each class or predicate as a bar, the mean over models and detectors."""
    frame = frames.numbers(table)
    frame = frame[(frame["metric"] == GAIN) & frame["value"].notna()]
    frame = frame.assign(task=frame["group"].str.rpartition(" · ")[2])
    made = []
    for task, of_task in frame.groupby("task", sort=False):
        rows = sorted(of_task["row"].unique().tolist())[:MAX_ROWS]
        mark = MARK if of_task["is_rising"].any() else ""
        made.append(Panel(f"{task}{mark}", panels.height(len(rows), 0.75 * ROW), partial(_bars, table, of_task, rows)))
    key = (Mark(PALETTE[0], "gains"), Mark(LOSS, "loses"), Mark(INK, "small: one model on one detector"))
    return Chart(tuple(made), key)


def _bars(table: Table, frame: pd.DataFrame, rows: list[int], axes: Axes) -> None:
    shown = frame[frame["row"].isin(rows)]
    means = shown.groupby("row")["value"].mean().loc[rows]
    colours = [PALETTE[0] if value > 0 else LOSS for value in means]
    sns.barplot(x=means.to_numpy(), y=rows, hue=rows, palette=colours, orient="h", legend=False, ax=axes, alpha=0.75)
    if shown["group"].nunique() > 1:
        sns.stripplot(data=shown, x="value", y="row", orient="h", jitter=False, size=2.2, color=INK, ax=axes)
    panels.names(axes, range(len(rows)), [" ".join(table.rows[row].labels[:2]) for row in rows])
    for y, value in enumerate(means):
        panels.at_right(axes, y, signed(value), FAINT)
    panels.zero(axes)
    axes.set_xlabel("points gained")


def _overlaps(table: Table) -> Chart:
    """One panel with a row for each class, in it a mark for each way of transfer of the first detector."""
    rows, columns = table.rows[:MAX_ROWS], next(iter(table.groups.values()))
    frame = frames.numbers(replace(table, rows=rows))
    colours = dict(zip(columns, PALETTE, strict=False))

    def draw(axes: Axes) -> None:
        for column, colour in colours.items():
            shown = frames.of_columns(frame, [column])
            panels.dots(axes, shown.assign(y=shown["row"]), "value", colour, size=20)
        panels.names(axes, range(len(rows)), [row.labels[0] for row in rows])
        axes.set(xlim=(0, 100), xlabel="intersection over union (%)")

    panel = Panel("Overlap with true masks", panels.height(len(rows), 0.75 * ROW), draw)
    return Chart((panel,), tuple(Mark(colour, name) for (_, name), colour in colours.items()))
