"""What training leaves behind, as matplotlib `Figure` objects without matplotlib's global state."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from segsg.figures.style import FAINT, GRID, PALETTE, STYLE, new_figure
from segsg.study.names import TASKS

MAX_CURVES = len(PALETTE)
KERNEL_COLUMNS = 10


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


def transfer_heatmap(matrix: np.ndarray, classes: tuple[str, ...], mask_classes: tuple[str, ...]) -> Figure:
    """Eq. 3: how much of each mask class (column) the mask of a scene-graph class (row) takes. Bounded in size."""
    rows, columns = len(classes), len(mask_classes)
    limit = max(float(np.abs(matrix).max(initial=0.0)), 1e-6)
    signed = bool((np.asarray(matrix) < 0).any())
    with rc_context(STYLE):
        figure = new_figure(min(14.0, 2.5 + 0.22 * columns), min(20.0, 1.8 + 0.18 * rows))
        axes = figure.subplots()
        colours = {"cmap": "RdBu_r", "vmin": -limit} if signed else {"cmap": "Blues", "vmin": 0.0}
        image = axes.imshow(matrix, aspect="auto", vmax=limit, interpolation="nearest", **colours)
        size = 8 if max(rows, columns) <= 60 else 5
        axes.set_xticks(range(columns), mask_classes, rotation=90, fontsize=size)
        axes.set_yticks(range(rows), classes, fontsize=size)
        axes.set(xlabel="class of the mask set", ylabel="class of the scene graph set")
        axes.spines[:].set_visible(False)
        figure.colorbar(image, ax=axes, label="weight", shrink=0.6)
    return figure


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
