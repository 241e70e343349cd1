"""Charts as panels that are as wide as a phone: pages draw each as SVG, notebooks all of them in one picture."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import seaborn as sns
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from segsg.figures.style import FAINT, GRID, INK, LOSS, PALETTE, STYLE, new_figure
from segsg.report import frames

WIDTH = 3.5
"""inches of a panel: a phone shows it at its own size"""
ROW = 0.27
"""inches of a row of one line"""
AROUND = 0.95
"""inches above and below the rows of a panel: title and scale"""
ACROSS = 3
"""panels beside each other in a picture"""
LETTERS = 23
"""of a row's name on one line"""
TITLE = 30
"""letters of a title on one line"""
SMALL = 7.5
"""points: names of rows and numbers beside them"""
PAPER = PALETTE[4]
"""the colour of what the paper found"""
COLOURS = {frames.GAIN: PALETTE[0], frames.LOSS: LOSS, frames.NOISE: FAINT, frames.ALONE: FAINT}


@dataclass(frozen=True)
class Mark:
    """A line of a chart's key: a colour, whether the mark is hollow, and what it means."""

    colour: str
    words: str
    hollow: bool = False


@dataclass(frozen=True)
class Panel:
    """A part of a chart with a scale of its own. `height` is in inches, and `draw` fills axes."""

    title: str
    height: float
    draw: Callable[[Axes], None]


@dataclass(frozen=True)
class Chart:
    """Panels that share a key."""

    panels: tuple[Panel, ...]
    key: tuple[Mark, ...]


def height(rows: int, step: float = ROW) -> float:
    """Inches of a panel with so many rows, each `step` inches high."""
    return AROUND + step * rows


def alone(panel: Panel) -> Figure:
    """One panel as a figure, for a page."""
    with rc_context(STYLE):
        figure = new_figure(WIDTH, panel.height)
        _fill(figure.subplots(), panel)
    return figure


def sheet(chart: Chart, note: str = "") -> Figure:
    """All panels in one figure with the key above and a note below, for a notebook."""
    across = min(ACROSS, len(chart.panels))
    lines = [chart.panels[i : i + across] for i in range(0, len(chart.panels), across)]
    heights = [max(panel.height for panel in line) for line in lines]
    with rc_context(STYLE):
        figure = new_figure(WIDTH * max(across, 2), sum(heights) + 0.6)
        grid = figure.subplots(len(lines), across, squeeze=False, gridspec_kw={"height_ratios": heights}).ravel()
        for axes, panel in zip(grid, chart.panels, strict=False):
            _fill(axes, panel)
        for axes in grid[len(chart.panels) :]:
            axes.set_axis_off()
        if chart.key:
            figure.legend(handles=[_handle(mark) for mark in chart.key], loc="outside upper left", ncols=2, fontsize=8)
        if note:
            text = textwrap.fill(note, int(19 * figure.get_figwidth()))
            figure.supxlabel(text, x=0.01, ha="left", color=FAINT, fontsize=6.5)
    return figure


def sentence(text: str) -> Figure:
    """A figure of one sentence, for a table without rows."""
    with rc_context(STYLE):
        figure = new_figure(8.0, 1.0)
        axes = figure.subplots()
        axes.text(0.0, 0.5, text, color=FAINT, va="center", wrap=True)
        axes.set_axis_off()
    return figure


def _fill(axes: Axes, panel: Panel) -> None:
    panel.draw(axes)
    sns.despine(ax=axes)
    axes.set_title(textwrap.fill(panel.title, TITLE), loc="left", fontsize=9)
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)
    axes.set_ylabel("")


def _handle(mark: Mark) -> Line2D:
    face = "none" if mark.hollow else mark.colour
    return Line2D(
        [], [], marker="o", linestyle="", color=mark.colour, markerfacecolor=face, markersize=6, label=mark.words
    )


def dots(axes: Axes, rows: pd.DataFrame, x: str, colour: str, *, size: int = 34, hollow: bool = False) -> None:
    """A dot for each line of `rows` at its column `x` and its height `y`."""
    if rows[x].notna().any():
        sns.scatterplot(data=rows, x=x, y="y", color=colour, s=size, linewidth=1.2, edgecolor=colour, ax=axes)
        if hollow:
            axes.collections[-1].set_facecolor("none")


def intervals(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    """A bar from `low` to `high` for each line of `rows` that has both."""
    known = rows.dropna(subset=["low", "high"])
    axes.hlines(known["y"], known["low"], known["high"], color=colour, linewidth=4, alpha=0.35)


def seeds(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    """Small dots for the column `singles` of each line of `rows`: its seeds or its places, where there are several."""
    several = rows[rows["singles"].map(len) > 1].explode("singles").astype({"singles": float})
    if len(several):
        sns.scatterplot(data=several, x="singles", y="y", color=colour, s=9, linewidth=0, ax=axes)


def points(axes: Axes, rows: pd.DataFrame, colour: str, *, hollow: bool = False) -> None:
    """Each line of `rows` as a dot at `value` with its interval and its `singles`."""
    intervals(axes, rows, colour)
    seeds(axes, rows, colour)
    dots(axes, rows, "value", colour, hollow=hollow)


def judged(axes: Axes, rows: pd.DataFrame, colours: dict[str, str] | None = None) -> None:
    """`points` in the colour of what the comparison `says`; within noise they are hollow."""
    for kind, group in rows.groupby("says", sort=True):
        points(axes, group, (COLOURS | (colours or {}))[kind], hollow=kind == frames.NOISE)


def names(axes: Axes, places: Sequence[int | float], labels: Sequence[str]) -> None:
    """Names of rows, from the top downwards; long ones on two lines."""
    wrapped = [textwrap.fill(label, LETTERS) for label in labels]
    axes.set_yticks(list(places), wrapped, fontsize=SMALL, linespacing=0.95)
    axes.set_ylim(max(places, default=0) + 0.7, min(places, default=0) - 0.7)


def heading(axes: Axes, y: int | float, text: str) -> None:
    """A heading of several rows, at the left of the panel's scale."""
    axes.text(0.0, y, text, transform=axes.get_yaxis_transform(), color=INK, fontsize=SMALL, va="center")


def at_right(axes: Axes, y: int | float, text: str, colour: str) -> None:
    """A short text at the right of a row."""
    axes.text(1.02, y, text, transform=axes.get_yaxis_transform(), color=colour, fontsize=SMALL, va="center")


def zero(axes: Axes) -> None:
    """The line of no difference."""
    axes.axvline(0, color=INK, linewidth=0.8, linestyle=":")
