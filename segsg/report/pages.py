"""Templates filled in: the text of a page from facts, and the cells of tables as pages show them."""

import base64
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from segsg.report.cells import Cell
from segsg.report.table import Table
from segsg.report.views import views

TEMPLATES = Path(__file__).parent / "templates"
ICON = "data:image/svg+xml;base64," + base64.b64encode((TEMPLATES / "icon.svg").read_bytes()).decode()
"""what a browser shows beside the title of every page"""
JSON_OPTIONS = {"ensure_ascii": False, "sort_keys": True, "separators": (",", ":")}
Parts = dict[str, str | float | bool | None]


def environment(*folders: Path, **options) -> Environment:
    """Templates of `folders`, an earlier folder first. What is filled in is escaped, and a missing fact is an error.

    `icon` is known to all.
    """
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )
    made.globals["icon"] = ICON
    return made


def render(page: str, facts: dict) -> str:
    """The text of a page. Everything that is filled in is escaped, also within scripts (`tojson`)."""
    templates = environment(TEMPLATES)
    templates.filters |= {"parts": parts, "views": views, "told": told}
    templates.policies["json.dumps_kwargs"] = JSON_OPTIONS
    return anchored(templates.get_template(f"{page}.html").render(facts))


def anchored(text: str) -> str:
    """The page with an id at each heading that has none, made of its words, and with each a link to itself."""
    taken = set(re.findall(r' id="([^"]+)"', text))

    def heading(match: re.Match) -> str:
        level, attributes, words = match.groups()
        found = re.search(r'id="([^"]+)"', attributes)
        name = found[1] if found else _free(re.sub(r"<[^>]+>|&[^;]+;", "", words), taken)
        attributes = attributes if found else f'{attributes} id="{name}"'
        return f'<{level}{attributes}><a class="anchor" href="#{name}">{words}</a></{level}>'

    return re.sub(r"<(h[1-4])([^>]*)>(.*?)</\1>", heading, text, flags=re.DOTALL)


def _free(words: str, taken: set[str]) -> str:
    """An id made of the words, with a number behind it if it is taken; then it is taken."""
    wanted = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "part"
    free = next(one for one in (wanted, *(f"{wanted}-{i}" for i in range(2, len(taken) + 3))) if one not in taken)
    taken.add(free)
    return free


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


def told(table: Table) -> list[tuple[str, str]]:
    """The name of each row in two parts: labels that the row above has too, and from the first other label on."""
    found: list[tuple[str, str]] = []
    above: list[str] = []
    for row in table.rows:
        labels = [label for label in row.marked if label]
        same = next((i for i, (a, b) in enumerate(zip(labels, above, strict=False)) if a != b), len(labels) - 1)
        same = same if above else 0
        found.append((" · ".join([*labels[:same], ""]) if same else "", " · ".join(labels[same:])))
        above = labels
    return found
