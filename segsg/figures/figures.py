"""Learning curves, the transfer matrix and kernels, as `Figure` objects without matplotlib's global state."""

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure

from segsg.figures.style import FAINT, GRID, LOSS, PALETTE, STYLE, new_figure
from segsg.study.names import TASKS

MAX_CURVES = len(PALETTE)
KERNEL_COLUMNS = 10
Matrix = Float[np.ndarray, "classes mask_classes"]
CELL = 0.17
"""inches; names of 8 points fit beside it"""
MOST = 80.0
"""inches along a side, for lists of any length; cells and names shrink beyond"""
NAMES = 1.6
"""inches for the names along a side"""
SMALLEST = 2.5
"""points; smaller names are left out"""
BARE = LOSS
"""colour of the name of a class without a mask"""


def learning_curves(histories: dict[str, Path], title: str) -> Figure:
    """Total loss of each run by step, smoothed; `histories` maps a run's name to its history.csv.

    Of more runs than there are colours, the first are named and all are drawn.
    """
    with rc_context(STYLE):
        figure = new_figure(8.0, 3.6)
        axes = figure.subplots()
        for i, (name, path) in enumerate(histories.items()):
            curve = _smooth(pd.read_csv(path))
            colour, label = (PALETTE[i], name) if i < MAX_CURVES else (FAINT, None)
            axes.plot(curve.index, curve, color=colour, label=label, linewidth=1.5 if label else 0.7)
        axes.set(title=title, xlabel="step", ylabel="loss (running mean)")
        axes.grid(color=GRID)
        if histories:
            axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8)
    return figure


def curves_by_kind(panels: dict[str, dict[str, list[Path]]], title: str) -> Figure:
    """A panel for each task, in it the smoothed loss of every run (its history.csv) in the colour of its kind."""
    kinds = list(dict.fromkeys(kind for panel in panels.values() for kind in panel))
    with rc_context(STYLE):
        figure = new_figure(8.0, 3.2)
        axes_in_a_row = figure.subplots(1, max(1, len(panels)), squeeze=False)[0]
        for axes, (task, panel) in zip(axes_in_a_row, panels.items(), strict=False):
            for kind, paths in panel.items():
                for place, path in enumerate(paths):
                    curve, colour = _smooth(pd.read_csv(path)), PALETTE[kinds.index(kind) % len(PALETTE)]
                    label = f"{kind} ({len(paths)})" if place == 0 else None
                    axes.plot(curve.index, curve, color=colour, label=label, linewidth=0.8, alpha=0.7)
            axes.set(title=TASKS.get(task, task), xlabel="step", ylabel="loss (running mean)")
            axes.grid(color=GRID)
            axes.legend(loc="upper right", fontsize=8)
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


def _smooth(history: pd.DataFrame) -> pd.Series:
    loss = history.set_index("step")["loss"]
    return loss.rolling(max(1, len(loss) // 40), min_periods=1).mean()


def by_partner(matrix: Matrix) -> Int[np.ndarray, "classes"]:
    """Order of rows: by their strongest mask class, in its group by its weight; rows without any weight last."""
    strongest, largest = np.abs(matrix).argmax(axis=1), np.abs(matrix).max(axis=1)
    return np.lexsort((-largest, strongest, largest == 0))


def transfer_map(matrix: Matrix, classes: tuple[str, ...], mask_classes: tuple[str, ...]) -> Figure:
    """Rows are `classes`, ordered so that the map runs along its diagonal; columns keep the order of their list.

    Names of rows without a mask are red. Small weights are drawn darker than their share, so that they are seen.
    """
    order = by_partner(matrix)
    shown = matrix[order]
    cell = min(CELL, MOST / max(matrix.shape))
    with rc_context(STYLE):
        figure = new_figure(matrix.shape[1] * cell + NAMES + 1.2, matrix.shape[0] * cell + 2 * NAMES)
        axes = figure.subplots()
        image = axes.imshow(shown, aspect="auto", interpolation="nearest", **_colours(shown))
        _name(axes, [classes[i] for i in order], mask_classes, 72 * cell * 0.62)
        for tick, row in zip(axes.get_yticklabels(), shown, strict=False):
            tick.set_color(FAINT if row.any() else BARE)
        _lines(axes, shown.shape)
        axes.set(xlabel="mask class", ylabel="class that borrows")
        figure.colorbar(
            image, ax=axes, label="weight", shrink=min(1.0, 4 / (matrix.shape[0] * cell)), aspect=15, anchor=(0.0, 1.0)
        )
    return figure


def _colours(matrix: Matrix) -> dict:
    limit = max(float(np.abs(matrix).max(initial=0.0)), 1e-6)
    if (matrix < 0).any():
        return {"cmap": "RdBu_r", "norm": Normalize(-limit, limit)}
    return {"cmap": "Blues", "norm": PowerNorm(0.5, 0.0, limit)}


def _name(axes: Axes, rows: list[str], columns: tuple[str, ...], size: float) -> None:
    """Names on both ends of the columns: in a long map the far end is out of sight."""
    if size < SMALLEST:
        axes.set(xticks=[], yticks=[])
        return
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=size)
    axes.set_yticks(range(len(rows)), rows, fontsize=size)
    axes.tick_params(top=True, labeltop=True, length=2)


def _lines(axes: Axes, shape: tuple[int, int]) -> None:
    """Draws lines between the cells of a matrix, stronger ones after every ten cells."""
    for places, draw in ((range(1, shape[0]), axes.axhline), (range(1, shape[1]), axes.axvline)):
        for place in places:
            strong = place % 10 == 0
            draw(place - 0.5, color=PALETTE[5] if strong else GRID, linewidth=0.5 if strong else 0.3)
    axes.spines[:].set_visible(False)


def kernel_grid(kernels: np.ndarray, classes: tuple[str, ...]) -> Figure:
    """Eq. 6: the smoothing kernel of each class, [classes, side, side], each on a scale of its own."""
    columns = min(KERNEL_COLUMNS, max(1, len(classes)))
    rows = -(-len(classes) // columns)
    with rc_context(STYLE):
        figure = new_figure(0.95 * columns + 0.4, 1.1 * rows + 0.4)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, kernel, name in zip(panels, kernels, classes, strict=False):
            axes.imshow(kernel, cmap="Blues", vmin=0.0, vmax=max(float(kernel.max()), 1e-9), interpolation="nearest")
            axes.set_title(name, fontsize=7, fontweight="normal", loc="center")
        for axes in panels:
            axes.set_axis_off()
    return figure
