"""The report as pages that open anywhere, offline: `python -m segsg.reporting.html reports/PROFILE`.

Style and images are inside each page; no page asks the network for anything.
"""

import argparse
import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from segsg.reporting import tables
from segsg.reporting.album import Entry, read_album
from segsg.reporting.names import DETECTORS, TASKS
from segsg.reporting.pages import render

PAPER_VALUES = Path("data/facts/paper_values.yaml")
TYPES = {".png": "image/png", ".jpg": "image/jpeg"}
PAGES = {
    "index": "Overview",
    "table1": "Table 1",
    "gallery": "Gallery",
    "transfer": "Mask transfer",
    "curves": "Learning curves",
}


@dataclass(frozen=True)
class Image:
    """A figure on a page; `uri` holds its bytes."""

    title: str
    caption: str
    uri: str


def write(report: Path, paper: dict) -> None:
    """Write report/html/*.html from results.json, tables/ and figures/ in the folder `report`."""
    results = json.loads((report / "results.json").read_text(encoding="utf-8"))
    table = tables.table1(results, paper)
    facts = {
        "profile": results["profile"],
        "pages": PAGES,
        "table": table,
        "tasks": TASKS,
        "caption": tables.CAPTION,
        "gain": tables.gain(table),
        "chart": Image("Table 1 as a picture", "", data_uri(report / "tables" / "table1.png")),
        "detectors": detector_lines(results),
        "experiments": len(results["experiments"]),
        "images": max((row.get("images", 0) for row in results["experiments"].values()), default=0),
    }
    figures = read_album(report / "figures")
    for page in PAGES:
        shown = [_image(report / "figures", entry) for entry in figures if entry.page == page]
        _write(report / "html" / f"{page}.html", render(page, facts | {"page": page, "figures": shown}))


def detector_lines(results: dict) -> list[dict]:
    """One line per detector: name, training sets, and its average precisions in per cent by name."""
    return [
        {
            "name": DETECTORS.get(row["backbone"], row["backbone"]),
            "joint": row["joint"],
            "precisions": {name: 100 * part["AP"] for name, part in row["metrics"].items() if part["AP"] is not None},
        }
        for row in results["detectors"].values()
    ]


def data_uri(path: Path) -> str:
    return f"data:{TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _image(folder: Path, entry: Entry) -> Image:
    return Image(entry.title, entry.caption, data_uri(folder / entry.file))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    write(parser.parse_args().report, yaml.safe_load(PAPER_VALUES.read_text(encoding="utf-8")))
