"""Pictures for whoever explores a model: masks side by side, and which pairs it relates."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.figure import Figure

from segsg.figures.style import FAINT, GRID, INK, STYLE, new_figure

NAMED_EDGES = 20
"""more regions than this, and predicates in the cells can't be read"""
SHARE_NAMED = 0.05
"""share of the largest score; the predicates of smaller scores are not written"""
COLUMNS = 6
PANEL = 1.7
"""inches"""


def png(figure: Figure) -> bytes:
    """A picture for a notebook to show."""
    stream = io.BytesIO()
    with rc_context(STYLE):
        figure.savefig(stream, format="png")
    return stream.getvalue()


def strip(panels: Mapping[str, np.ndarray], missing: str) -> Figure:
    """Panels in rows under their names: `[h, w, 3]` as a photo, `[h, w]` as probabilities, white 0, dark 1.

    All have the shape of the first: masks fill the frame of their photo. `missing` stands above where there is no mask.
    """
    lacks = not any(panel.ndim == 2 for panel in panels.values())
    figure = _grid(panels, next(iter(panels.values())).shape)
    if lacks:
        figure.suptitle(missing, x=0.01, ha="left", fontsize=9, color=FAINT)
    return figure


def contact_sheet(photos: Mapping[str, np.ndarray]) -> Figure:
    """Photos under their names, each in a square."""
    return _grid(photos, (1, 1))


def _grid(panels: Mapping[str, np.ndarray], shape: Sequence[int]) -> Figure:
    columns, aspect = min(COLUMNS, len(panels)), min(3.0, shape[0] / shape[1])
    rows = -(-len(panels) // columns)
    with rc_context(STYLE):
        figure = new_figure(max(4.0, PANEL * columns), rows * (PANEL * aspect + 0.4))
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, (name, panel) in zip(grid, panels.items(), strict=False):
            axes.imshow(panel, cmap="Blues", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
            axes.set_box_aspect(aspect)
            axes.set_title(name, fontsize=7, fontweight="normal", loc="center", parse_math=False)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(visible=True, color=GRID)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
    return figure


def edge_matrix(
    scores: Float[np.ndarray, "regions regions"], words: Sequence[Sequence[str]], names: Sequence[str]
) -> Figure:
    """Score of the surest relation of each subject (row) with each object (column); NaN stays blank."""
    regions = len(names)
    with rc_context(STYLE):
        figure = new_figure(max(5.0, 2.0 + 0.62 * regions), max(3.2, 1.6 + 0.42 * regions))
        axes = figure.subplots()
        image = axes.imshow(
            scores, cmap="Blues", vmin=0, vmax=max(0.01, float(np.nanmax(scores, initial=0.0))), aspect="auto"
        )
        axes.set_xticks(range(regions), names, rotation=40, ha="right", fontsize=8)
        axes.set_yticks(range(regions), names, fontsize=8)
        axes.set(xlabel="object", ylabel="subject")
        axes.spines[:].set_visible(False)
        if regions <= NAMED_EDGES:
            _write(axes, scores, words, image.norm.vmax)
        figure.colorbar(image, ax=axes, label="score", shrink=0.8)
    return figure


def _write(axes, scores: np.ndarray, words: Sequence[Sequence[str]], largest: float) -> None:
    for row, column in np.argwhere(scores > SHARE_NAMED * largest).tolist():
        colour = "white" if scores[row, column] > 0.55 * largest else INK
        axes.text(column, row, words[row][column], ha="center", va="center", fontsize=6, color=colour, parse_math=False)
