"""Templates filled in: the text of a page from facts, and the cells of tables as pages show them."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from segsg.report.table import Cell, Table

TEMPLATES = Path(__file__).parent / "templates"
JSON_OPTIONS = {"ensure_ascii": False, "sort_keys": True, "separators": (",", ":")}
Parts = dict[str, str | float | bool | None]


def environment(*folders: Path, **options) -> Environment:
    """Templates of `folders`, an earlier folder first. What is filled in is escaped, and a missing fact is an error."""
    return Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )


def render(page: str, facts: dict) -> str:
    """The text of a page. Everything that is filled in is escaped, also within scripts (`tojson`)."""
    templates = environment(TEMPLATES)
    templates.filters |= {"parts": parts, "key_column": key_column}
    templates.policies["json.dumps_kwargs"] = JSON_OPTIONS
    return templates.get_template(f"{page}.html").render(facts)


def parts(cell: Cell) -> Parts:
    """Texts and values of a cell of a table, as a page shows them.

    `number` and `rest` (its interval), `difference`, `noise`, `paper`, `seeds` (how many, and their spread), and the
    value to sort by, `order`. Texts are empty and `order` is None where there is nothing to say.
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


def filled_parts(cell: Cell) -> Parts:
    """The `parts` of a cell that are not empty: half the size where a page holds many cells."""
    return {name: part for name, part in parts(cell).items() if part or (name == "order" and part is not None)}


def key_column(table: Table) -> int:
    """Which label names a row, for readers who hear tables or see a part of them.

    The first that is another in every row; the last if there is none.
    """
    columns = zip(*(row.labels for row in table.rows), strict=True)
    unique = [i for i, labels in enumerate(columns) if len(set(labels)) == len(labels)]
    return unique[0] if unique and len(table.rows) > 1 else len(table.heads) - 1
