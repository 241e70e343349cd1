"""A cell of a table taken apart, for pages: what is bold in it, what is small, and what it is sorted by."""

from segsg.reporting.cells import Cell

Parts = dict[str, str | float | bool | None]


def parts(cell: Cell) -> Parts:
    """`number` and `rest` (interval, spread) of ours, `difference`, `noise`, `paper`, `seeds`, and the `order` value.

    Texts are empty and `order` is None where there is nothing to say.
    """
    number, bracket, rest = cell.ours.partition(" [")
    return {
        "number": number,
        "rest": f"[{rest}" if bracket else "",
        "difference": "" if cell.compared is None else cell.compared.text,
        "noise": bool(cell.noise),
        "paper": "" if cell.paper is None else cell.theirs,
        "seeds": f"{cell.seeds} seeds" if cell.seeds > 1 else "",
        "order": None if cell.value is None else round(cell.value, 4),
    }


def said(cell: Cell) -> Parts:
    """The parts that say something: half the size where a page holds many."""
    return {name: part for name, part in parts(cell).items() if part not in ("", None, False)}
