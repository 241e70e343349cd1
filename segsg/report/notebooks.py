"""Executed notebooks of a study as pages of its report.

Text, code, tables and pictures stay; progress bars go. Of notebooks that ran for many rows one is shown. The outputs of
a page take at most `MOST_BYTES`, and their pictures are at most `MOST_WIDTH` wide. A page asks the network for nothing,
and carries a cell of parameters once, with the values that it ran with. The stage of the report calls `write`; DVC
knows nothing of executed notebooks, so a study that ran on another machine has a report without them.
"""

import base64
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segsg.files import DataError, whole_folder, write_text
from segsg.report.pages import render

MOST_BYTES = 300_000
"""of a page's outputs"""
MOST_WIDTH = 1000
"""of a picture, in pixels"""
MOST_LINES = 200
"""of one text"""
QUALITY = 82
"""of a picture that is stored as JPEG because it is smaller then"""
COLOURS = 128
"""of a chart; one of few colours is smaller and clearer as PNG"""
PICTURES, PLAIN = {"image/png", "image/jpeg"}, "text/plain"
DEFAULTS, VALUES = "parameters", "injected-parameters"
"""tags of the cell of parameters as written, and of the one that papermill puts below it"""
TABLES = "50_table"
MASKS, SHARED = "-joint", "-disjoint"
"""in the key of a row: its detector has masks; that detector saw none of the photos that both sets hold"""
ROWS = ("10_data", "20_detector", "25_look", "30_rows")
"""from data to the numbers of a row"""
BEHIND = {
    "table2": ("10_data", "20_detector", "24_refiner", "22_detection"),
    "transfer": ("10_data", "27_transfer"),
    "gallery": ("60_gallery",),
    "pairs": ("61_pairs",),
    "kernels": ("62_kernels",),
    "refinement": ("24_refiner", "63_refinement"),
    "curves": ("20_detector", "30_rows"),
} | dict.fromkeys(("table1", "table3", "table4", "table5", "supplement"), ROWS)
"""page of the report -> kinds of notebooks behind it, beside its own tables; the first page links to every notebook"""
FIRST = "index"
FOR_A_SCREEN = ("explore",)
"""notebooks that are nothing without a kernel"""


@dataclass(frozen=True)
class Link:
    """A rendered notebook, for the pages of the report: the notebook's title, and its address there."""

    title: str
    href: str


def write(out: Path, executed: Iterable[Path]) -> dict[str, Link]:
    """Renders the notebooks of all folders `executed` into the folder `out`, which is replaced as a whole.

    Returns a link to each by its name, in reading order. Of two notebooks of one name the later folder's counts.
    ValueError for a file that is no notebook.
    """
    links = {}
    with whole_folder(out) as part:
        for name, path in chosen(executed).items():
            cells = _cells(path)
            links[name] = Link(_title(name, cells), f"{out.name}/{name}.html")
            write_text(part / f"{name}.html", page(name, cells))
    return links


def chosen(executed: Iterable[Path]) -> dict[str, Path]:
    """{name: path} of what is shown: every table's notebook, and one of each other kind, in reading order.

    The one is that of the shortest key of a detector with masks, if there is any.
    """
    paths = {path.stem: path for folder in executed for path in folder.glob("*.ipynb") if "." not in path.stem}
    shown: dict[str, str] = {}
    for stem in sorted(paths, key=lambda stem: (MASKS not in stem, SHARED in stem, len(stem), stem)):
        kind = _kind(stem)
        if kind not in FOR_A_SCREEN:
            shown.setdefault(stem if kind == TABLES else kind, stem)
    return {stem: paths[stem] for stem in sorted(shown.values())}


def behind(links: Mapping[str, Link], page: str, tables: Iterable[str]) -> list[Link]:
    """Links to the notebooks behind a page of the report that shows these tables, in reading order."""
    own = {f"{TABLES}-{table}" for table in tables}
    kinds = BEHIND.get(page, ())
    return [link for name, link in links.items() if page == FIRST or name in own or _kind(name) in kinds]


def _kind(name: str) -> str:
    return name.partition("-")[0]


def _title(name: str, cells: list[dict]) -> str:
    """The first heading, with the key of the row or table that the notebook ran for."""
    lines = (line for cell in cells for line in cell["source"].splitlines())
    heading = next((line.removeprefix("# ") for line in lines if line.startswith("# ")), name)
    key = name.partition("-")[2]
    return heading + (f" ({key})" if key else "")


def page(name: str, cells: list[dict]) -> str:
    """The page of an executed notebook of this name, of its cells."""
    from nbconvert import HTMLExporter
    from nbformat import from_dict
    from pygments.formatters import HtmlFormatter

    shown = shortened(once(cells))
    notebook = from_dict({"cells": shown, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    body, _ = HTMLExporter(template_name="basic", exclude_anchor_links=True).from_notebook_node(notebook)
    styles = {scheme: HtmlFormatter(style=style).get_style_defs(".highlight") for scheme, style in SCHEMES.items()}
    return render("notebook", {"title": _title(name, cells), "name": name, "body": body, "styles": styles})


SCHEMES = {"light": "default", "dark": "github-dark"}
"""Pygments' style of code"""


def _cells(path: Path) -> list[dict]:
    """Cells with their sources as text, with ids, and without what was printed to stderr. DataError without any."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [_plain(cell, place) for place, cell in enumerate(cells)]
    except (ValueError, KeyError, TypeError) as error:
        way_out = "run its stage again: `dvc repro --force`"
        raise DataError(path, "file", f"is no executed notebook ({error})", way_out) from error


def _plain(cell: dict, place: int) -> dict:
    tags = list(cell["metadata"].get("tags", ()))
    plain = {"id": f"cell-{place}", "cell_type": cell["cell_type"], "metadata": {"tags": tags}}
    plain["source"] = "".join(cell["source"])
    if cell["cell_type"] != "code":
        return plain
    outputs = [output for output in cell["outputs"] if output.get("name") != "stderr"]
    return plain | {"execution_count": None, "outputs": outputs}


def once(cells: list[dict]) -> list[dict]:
    """Without the parameters as written, where those that the notebook ran with follow."""
    given = any(VALUES in cell["metadata"]["tags"] for cell in cells)
    return [cell for cell in cells if not (given and DEFAULTS in cell["metadata"]["tags"])]


def shortened(cells: list[dict]) -> list[dict]:
    """Outputs small enough for a page: small pictures, the first lines of texts, and without the largest of all."""
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    for output in outputs:
        _shorten(output)
    largest = sorted(outputs, key=_size, reverse=True)
    left = sum(map(_size, outputs))
    for output in largest:
        if left <= MOST_BYTES:
            break
        left -= _size(output)
        size, kept = _size(output) // 1000, {"output_type": "stream", "name": "stdout"}
        output.clear()
        output.update(kept | {"text": f"(an output of {size} kB, which only the notebook itself has)\n"})
    return cells


def _size(output: dict) -> int:
    return len(json.dumps(output))


def _shorten(output: dict[str, Any]) -> None:
    data = output.get("data", {})
    data |= {kind: "".join(text) for kind, text in data.items() if isinstance(text, list)}
    data.pop("application/vnd.jupyter.widget-view+json", None)
    if set(data) - {PLAIN}:
        data.pop(PLAIN, None)  # a page shows the richest form alone
    for kind in sorted(PICTURES & data.keys()):
        data |= _small(kind, data.pop(kind))
    if output["output_type"] == "stream":
        lines = "".join(output["text"]).splitlines(keepends=True)
        more = len(lines) - MOST_LINES
        output["text"] = "".join(lines[:MOST_LINES]) + (f"({more} more lines)\n" if more > 0 else "")


def _small(kind: str, encoded: str) -> dict[str, str]:
    """{kind: picture in base64}: the smallest of itself, a JPEG and a PNG of few colours; no wider than `MOST_WIDTH`.

    The latter two are on white.
    """
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
        layers = picture.convert("RGBA")
    forms = {kind: encoded} if layers.width <= MOST_WIDTH else {}
    if not forms:
        layers = layers.resize((MOST_WIDTH, max(1, round(layers.height * MOST_WIDTH / layers.width))))
    flat = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers).convert("RGB")
    drawn = flat.quantize(COLOURS, dither=Image.Dither.NONE)
    found = [*forms.items(), ("image/jpeg", _saved(flat, "JPEG", quality=QUALITY)), ("image/png", _saved(drawn, "PNG"))]
    return dict([min(found, key=lambda form: len(form[1]))])


def _saved(picture, form: str, **options) -> str:
    stream = io.BytesIO()
    picture.save(stream, form, optimize=True, **options)
    return base64.b64encode(stream.getvalue()).decode()
