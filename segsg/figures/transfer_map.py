"""The matrix of eq. 3 as one picture in which every name can be read, and in which neighbours are alike."""

import numpy as np
from jaxtyping import Float, Int
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure

from segsg.figures.style import FAINT, GRID, PALETTE, STYLE, new_figure

Matrix = Float[np.ndarray, "classes mask_classes"]
CELL = 0.17
"""inches; names of 8 points fit beside it"""
MOST = 80.0
"""inches along a side, for lists of any length; cells and names shrink beyond"""
NAMES = 1.6
"""inches for the names along a side"""
SMALLEST = 2.5
"""points; smaller names are left out"""
BARE = "#b03a48"


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
    for name in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        name.set_parse_math(False)


def _lines(axes: Axes, shape: tuple[int, int]) -> None:
    """Between cells, and stronger between every ten, for the eye to follow."""
    for places, draw in ((range(1, shape[0]), axes.axhline), (range(1, shape[1]), axes.axvline)):
        for place in places:
            strong = place % 10 == 0
            draw(place - 0.5, color=PALETTE[5] if strong else GRID, linewidth=0.5 if strong else 0.3)
    axes.spines[:].set_visible(False)
