"""Learning curves, the transfer matrix and kernels, as `Figure` objects without matplotlib's global state."""

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from segsg.figures.style import FAINT, GRID, LOSS, PALETTE, STYLE, new_figure
from segsg.study.names import TASKS

MAX_CURVES = len(PALETTE)
WHISKER = 1.5
"""how far from the quartiles, in distances between them, a value is one of its own"""
KERNEL_COLUMNS = 8
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
    """A panel for each task, in it the smoothed loss of every run (its history.csv) in the colour of its kind.

    Runs that end far from the others of their panel are named, by their folder.
    """
    kinds = list(dict.fromkeys(kind for panel in panels.values() for kind in panel))
    with rc_context(STYLE):
        figure = new_figure(11.0, 4.2)
        axes_in_a_row = figure.subplots(1, max(1, len(panels)), squeeze=False)[0]
        for axes, (task, panel) in zip(axes_in_a_row, panels.items(), strict=False):
            ends: dict[str, tuple[str, int, float]] = {}
            for kind, paths in panel.items():
                for place, path in enumerate(paths):
                    curve, colour = _smooth(pd.read_csv(path)), PALETTE[kinds.index(kind) % len(PALETTE)]
                    label = f"{kind} ({len(paths)})" if place == 0 else None
                    axes.plot(curve.index, curve, color=colour, label=label, linewidth=0.8, alpha=0.7)
                    ends[path.parent.name] = (colour, curve.index[-1], curve.iloc[-1])
            axes.set(title=TASKS.get(task, task), xlabel="step", ylabel="loss (running mean)")
            axes.grid(color=GRID)
            axes.legend(loc="upper right", fontsize=8)
            for name in far([value for _, _, value in ends.values()], list(ends)):
                colour, step, value = ends[name]
                axes.text(step, value, name, color=colour, fontsize=6.5, ha="right", va="bottom")
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


def far(values: list[float], names: list[str]) -> list[str]:
    """Names of values that lie beyond the quartiles by more than their distance, the usual rule of a box plot."""
    if not values:
        return []
    low, high = np.quantile(values, (0.25, 0.75))
    reach = WHISKER * (high - low)
    return [name for name, value in zip(names, values, strict=True) if not low - reach <= value <= high + reach]


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


def kernel_grid(kernels: Float[np.ndarray, "classes side side"], classes: tuple[str, ...]) -> Figure:
    """Eq. 6: the smoothing kernel of each class as the ellipse of its Gaussian, the widest first.

    Ellipses have the same scale: squares are cells of the mask, half axes one standard deviation. The dashed one is
    the mean over classes. A kernel without weight has no ellipse.
    """
    spreads = [covariance(kernel) for kernel in kernels]
    order = sorted(range(len(classes)), key=lambda i: -np.trace(spreads[i]))
    columns = min(KERNEL_COLUMNS, max(1, len(classes)))
    rows = -(-len(classes) // columns)
    common = np.mean(spreads, axis=0) if spreads else np.zeros((2, 2))
    with rc_context(STYLE):
        figure = new_figure(1.25 * columns + 0.4, 1.5 * rows + 0.4)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, i in zip(panels, order, strict=False):
            half = kernels.shape[-1] / 2
            for place in np.arange(-half, half + 1):
                axes.axhline(place, color=GRID, linewidth=0.5)
                axes.axvline(place, color=GRID, linewidth=0.5)
            axes.add_patch(ellipse(common, fill=False, edgecolor=FAINT, linestyle="--", linewidth=0.9))
            axes.add_patch(ellipse(spreads[i], facecolor=PALETTE[0], alpha=0.35, edgecolor=PALETTE[0]))
            across, down = np.sqrt(np.diag(spreads[i]))
            axes.set_title(f"{classes[i]}\n{across:.1f} × {down:.1f}", fontsize=7, fontweight="normal", loc="center")
            axes.set(xlim=(-half, half), ylim=(half, -half), aspect="equal")
        for axes in panels:
            axes.set_axis_off()
    return figure


def covariance(kernel: Float[np.ndarray, "side side"]) -> Float[np.ndarray, "2 2"]:
    """Covariance of a kernel's weights about its middle cell, in cells: (x, y); zero without weight."""
    offsets = np.arange(kernel.shape[-1]) - (kernel.shape[-1] - 1) / 2
    y, x = np.meshgrid(offsets, offsets, indexing="ij")
    weights = np.clip(kernel, 0.0, None).astype(float)
    if not weights.sum():
        return np.zeros((2, 2))
    places = np.stack([x.ravel(), y.ravel()])
    return (places * (weights.ravel() / weights.sum())) @ places.T


def ellipse(matrix: Float[np.ndarray, "2 2"], **look) -> Ellipse:
    """The ellipse of one standard deviation of a Gaussian about 0."""
    values, vectors = np.linalg.eigh(matrix)
    short, long = 2 * np.sqrt(np.clip(values, 0.0, None))
    return Ellipse((0, 0), long, short, angle=float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))), **look)
