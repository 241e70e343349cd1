"""Tables as pandas frames, one line per cell, from which charts are drawn."""

import pandas as pd

from segsg.report.cells import Cell, Difference
from segsg.report.table import Column, Table

GAIN, LOSS, NOISE, ALONE = "gain", "loss", "noise", "alone"
"""what a comparison says: clearly above 0, clearly below, neither; ALONE is a number that is compared with nothing"""


def numbers(table: Table) -> pd.DataFrame:
    """A line for each cell with a number of ours or the paper's, in per cent and points.

    Columns: the table's heads, `row` (its place in the table), `group`, `metric`, `value`, `low`, `high`, `by_seed`,
    `difference`, `difference_low`, `difference_high`, `difference_by_seed`, `says`, `paper`, `is_rising`.
    """
    lines = [
        dict(zip(table.heads, row.labels, strict=True))
        | {"row": place, "group": group, "metric": metric}
        | _facts(row.cells[(group, metric)])
        | {"is_rising": row.is_rising or (group, metric) in table.rising}
        for place, row in enumerate(table.rows)
        for group, metric in table.columns
    ]
    names = [*table.heads, "row", "group", "metric", *_facts(Cell()), "is_rising"]
    frame = pd.DataFrame(lines, columns=names)
    numeric = ["value", "low", "high", "difference", "difference_low", "difference_high", "paper"]
    frame[numeric] = frame[numeric].astype(float)  # a column of None alone would not be one of numbers
    return frame[frame[["value", "paper"]].notna().any(axis=1)]


def _facts(cell: Cell) -> dict:
    to = cell.difference
    return {
        "value": cell.value,
        "low": cell.low,
        "high": cell.high,
        "by_seed": cell.by_seed,
        "difference": None if to is None else to.value,
        "difference_low": None if to is None else to.low,
        "difference_high": None if to is None else to.high,
        "difference_by_seed": () if to is None else to.by_seed,
        "says": says(to),
        "paper": cell.paper,
    }


def says(difference: Difference | None) -> str:
    """What a comparison says; ALONE where there is none."""
    if difference is None:
        return ALONE
    if difference.is_noise:
        return NOISE
    return GAIN if difference.value > 0 else LOSS


def of_columns(frame: pd.DataFrame, columns: list[Column]) -> pd.DataFrame:
    """The lines of these columns of the table alone."""
    return frame[[column in columns for column in zip(frame["group"], frame["metric"], strict=True)]]
