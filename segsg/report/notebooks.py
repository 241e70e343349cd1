"""Executed notebooks of a study as pages of its report: `python -m segsg.report.notebooks OUT FOLDER ...`.

Text, code, tables and pictures stay; progress bars go. Of notebooks that ran for many rows the first is shown. A page
is at most `MOST_BYTES` long, asks the network for nothing, and carries a cell of parameters once, with the values that
it ran with.
"""

import argparse
import base64
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segsg.files import DataError, whole_folder, write_text
from segsg.report.pages import render

MOST_BYTES = 1_000_000
"""of a page's outputs"""
MOST_LINES = 200
"""of one text"""
QUALITY = 82
"""of a picture that is stored as JPEG because it is smaller then"""
DEFAULTS, VALUES = "parameters", "injected-parameters"
"""tags of the cell of parameters as written, and of the one that papermill puts below it"""
TABLES = "50_table"
PAGE_OF = {
    "10_data": "index",
    "12_yardsticks": "index",
    "20_detector": "curves",
    "22_detection": "table2",
    "24_refiner": "refinement",
    "25_look": "index",
    "27_transfer": "transfer",
    "30_rows": "curves",
    "60_gallery": "gallery",
    "61_pairs": "pairs",
    "62_kernels": "kernels",
    "63_refinement": "refinement",
    "explore": "gallery",
}
"""notebook -> page of the report that links to it"""
TABLE_PAGES = {"transfer_quality": "transfer"}
"""tables that are on a page of another name; all the others without a page are on the supplement"""


@dataclass(frozen=True)
class Link:
    """A rendered notebook, for a page of the report: the page's name, the notebook's title, and its address there."""

    page: str
    title: str
    href: str


def write(out: Path, executed: Iterable[Path]) -> list[Link]:
    """Renders the notebooks of all folders `executed` into the folder `out`, which is replaced as a whole.

    Of two notebooks of one name the later folder's counts. ValueError for a file that is no notebook.
    """
    with whole_folder(out) as part:
        for name, path in chosen(executed).items():
            write_text(part / f"{name}.html", page(path))
    return links(out)


def chosen(executed: Iterable[Path]) -> dict[str, Path]:
    """{name: path} of what is shown: every table's notebook, and the first of each other kind, in reading order."""
    paths = {path.stem: path for folder in executed for path in folder.glob("*.ipynb") if "." not in path.stem}
    shown: dict[str, Path] = {}
    for stem, path in sorted(paths.items()):
        kind = stem.partition("-")[0]
        if kind == TABLES or kind not in {name.partition("-")[0] for name in shown}:
            shown[stem] = path
    return shown


def links(folder: Path) -> list[Link]:
    """A link to each notebook in the folder of a report's pages where `write` left them, in reading order."""
    return [
        Link(_page_of(path.stem), _title(path.read_text(encoding="utf-8")), f"{folder.name}/{path.name}")
        for path in sorted(folder.glob("*.html"))
    ]


def _page_of(stem: str) -> str:
    kind, _, key = stem.partition("-")
    if kind == TABLES:
        return key if key.startswith("table") else TABLE_PAGES.get(key, "supplement")
    return PAGE_OF.get(kind, "index")


def _title(html: str) -> str:
    return html.partition("<title>")[2].partition(" · ")[0]


def page(path: Path) -> str:
    """The page of one executed notebook. DataError if it is none."""
    from nbconvert import HTMLExporter
    from nbformat import from_dict
    from pygments.formatters import HtmlFormatter

    cells = shortened(once(_cells(path)))
    notebook = from_dict({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    body, _ = HTMLExporter(template_name="basic", exclude_anchor_links=True).from_notebook_node(notebook)
    key = path.stem.partition("-")[2]
    heading = next((line for cell in cells for line in cell["source"].splitlines() if line.startswith("# ")), path.stem)
    styles = {scheme: HtmlFormatter(style=name).get_style_defs(".highlight") for scheme, name in SCHEMES.items()}
    return render(
        "notebook",
        {
            "title": heading.removeprefix("# ") + (f" ({key})" if key else ""),
            "name": path.stem,
            "body": body,
            "styles": styles,
        },
    )


SCHEMES = {"light": "default", "dark": "github-dark"}
"""Pygments' style of code"""


def _cells(path: Path) -> list[dict]:
    """Cells with their sources as text, with ids, and without what was printed to stderr."""
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
    """Outputs small enough for a page: pictures as JPEG, the first lines of texts, and without the largest of all."""
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
    if "image/png" in data and len(smaller := _jpeg(data["image/png"])) < len(data["image/png"]):
        del data["image/png"]
        data["image/jpeg"] = smaller
    if output["output_type"] == "stream":
        lines = "".join(output["text"]).splitlines(keepends=True)
        more = len(lines) - MOST_LINES
        output["text"] = "".join(lines[:MOST_LINES]) + (f"({more} more lines)\n" if more > 0 else "")


def _jpeg(png: str) -> str:
    """A picture in base64 as JPEG on white, in base64."""
    from PIL import Image

    stream = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(png))) as picture:
        layers = picture.convert("RGBA")
        paper = Image.new("RGBA", layers.size, "white")
        Image.alpha_composite(paper, layers).convert("RGB").save(stream, "JPEG", quality=QUALITY, optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the folder `notebooks` beside the pages of a report")
    parser.add_argument("executed", type=Path, nargs="+", help="folders of executed notebooks, the report's own last")
    options = parser.parse_args()
    write(options.out, options.executed)
