"""Tables taken apart for pages: what is bold in a cell, what is small, what it is sorted by, what names a row."""

from segsg.report.cells import Cell
from segsg.report.layout import Table

Parts = dict[str, str | float | bool | None]


def parts(cell: Cell) -> Parts:
    """`number` and `rest` (its interval), `difference`, `noise`, `paper`, `seeds` (how many, spread), `order` value.

    Texts are empty and `order` is None where there is nothing to say.
    """
    ours, plus, spread = cell.ours.partition(" ±")
    number, bracket, rest = ours.partition(" [")
    return {
        "number": number,
        "rest": f"[{rest}" if bracket else "",
        "difference": "" if cell.compared is None else cell.compared.text,
        "noise": bool(cell.noise),
        "paper": "" if cell.paper is None else cell.theirs,
        "seeds": f"{cell.seeds} seeds{plus}{spread}" if cell.seeds > 1 else "",
        "order": None if cell.value is None else round(cell.value, 4),
    }


def said(cell: Cell) -> Parts:
    """The parts that say something: half the size where a page holds many."""
    return {name: part for name, part in parts(cell).items() if part or (name == "order" and part is not None)}


def key_column(table: Table) -> int:
    """Which label names a row, for readers who hear tables or see only a part: the first that tells all rows apart.

    The last if none does alone.
    """
    columns = zip(*(row.labels for row in table.rows), strict=True)
    unique = [i for i, labels in enumerate(columns) if len(set(labels)) == len(labels)]
    return unique[0] if unique and len(table.rows) > 1 else len(table.heads) - 1
