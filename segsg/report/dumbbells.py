"""Tables 1 and 3 as dumbbells: from the baseline to the grounded model, behind each model and detector."""

from functools import partial

import pandas as pd
from matplotlib.axes import Axes

from segsg.figures.style import FAINT, PALETTE
from segsg.report import frames, panels
from segsg.report.cells import signed
from segsg.report.flat import MARK
from segsg.report.panels import COLOURS, PAPER, Chart, Mark, Panel
from segsg.report.recall_tables import FULL, OURS
from segsg.report.table import Column, Table
from segsg.study.names import METHODS
from segsg.study.rows import BASELINE, FREQUENCY, GROUNDED

SUFFIXES = {METHODS[GROUNDED]: "", METHODS[FULL]: ", refined", METHODS[OURS]: ", ours"}
"""methods with masks -> what a dumbbell's name says after the model"""
LONELY = (METHODS[BASELINE], METHODS[FREQUENCY])
"""methods without masks: a single dot where no grounded model stands beside them"""
KEY = (
    Mark(FAINT, "baseline"),
    Mark(PALETTE[0], "with masks, clearly different (red: lower)"),
    Mark(FAINT, "with masks, within noise of the baseline", hollow=True),
    Mark(PAPER, "where the gain of the paper would lead"),
)


def dumbbells(table: Table, columns: list[Column]) -> Chart:
    """A panel for each of `columns`, in it a line for each model on each detector, by detector.

    The bar at the grounded dot is the interval of the difference.
    """
    pairs = paired(table, columns)
    layout = _layout(pairs)
    tall = panels.height(len(layout))
    made = (Panel(group, tall, partial(_draw, pairs, layout, (group, name))) for group, name in columns)
    return Chart(tuple(made), KEY)


def paired(table: Table, columns: list[Column]) -> pd.DataFrame:
    """A line for each dumbbell: `Detector`, `name`, `group`, `metric`, `before`, `value`, `difference`, `says`, ...

    `paper_gain` is the paper's grounded number minus its baseline. A model that only one method was trained with has
    `before` or `value` alone.
    """
    frame = frames.of_columns(frames.numbers(table), columns)
    place = ["Model", "Detector", "group", "metric"]
    bases = frame[frame["Method"].isin(LONELY)].rename(columns={"value": "before", "paper": "paper_before"})
    after = frame[frame["Method"].isin(SUFFIXES)]
    pairs = after.merge(bases[[*place, "before", "paper_before"]], on=place, how="outer", sort=False)
    pairs = pairs[pairs[["value", "before"]].notna().any(axis=1)]
    marks = pairs["is_rising"].eq(True).map({True: MARK, False: ""})
    name = pairs["Model"] + pairs["Method"].map(SUFFIXES).fillna("") + marks
    return pairs.assign(name=name, paper_gain=pairs["paper"] - pairs["paper_before"])


def _layout(pairs: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Heights by (detector, name), with a line for the name of each detector, (detector, ""), if there are several."""
    several = pairs["Detector"].nunique() > 1
    lines: list[tuple[str, str]] = []
    for detector, of_detector in pairs.groupby("Detector", sort=False):
        lines += [(detector, "")] if several else []
        lines += [(detector, name) for name in dict.fromkeys(of_detector["name"])]
    return {line: float(place) for place, line in enumerate(lines)}


def _draw(pairs: pd.DataFrame, layout: dict[tuple[str, str], float], column: Column, axes: Axes) -> None:
    shown = frames.of_columns(pairs, [column])
    shown = shown.assign(
        y=[layout[line] for line in zip(shown["Detector"], shown["name"], strict=True)],
        low=shown["before"] + shown["difference_low"],
        high=shown["before"] + shown["difference_high"],
        papers=shown["before"] + shown["paper_gain"],
        singles=[()] * len(shown),
    )
    both = shown.dropna(subset=["before", "value"])
    axes.hlines(both["y"], both["before"], both["value"], color=FAINT, linewidth=1.2)
    papers = shown.dropna(subset=["papers"]).assign(y=lambda rows: rows["y"] + 0.3)
    axes.hlines(papers["y"], papers["before"], papers["papers"], color=PAPER, linewidth=0.9)
    panels.dots(axes, papers, "papers", PAPER, size=9)
    panels.dots(axes, shown, "before", FAINT, size=26)
    panels.judged(axes, shown)
    for line in shown.dropna(subset=["difference"]).itertuples():
        panels.at_right(axes, line.y, signed(line.difference), COLOURS[line.says])
    named = {line: y for line, y in layout.items() if line[1]}
    panels.names(axes, list(named.values()), [name for _, name in named])
    for (detector, name), y in layout.items():
        if not name:
            panels.heading(axes, y, detector)
    axes.set_ylim(len(layout) - 0.4, -0.6)
    axes.set_xlabel(f"{column[1]} (%)")
