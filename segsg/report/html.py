"""The report as pages that open anywhere, offline: `python -m segsg.report.html reports/PROFILE`.

Style, images and scripts are inside each page; no page asks the network for anything, and each can be read without
its scripts.
"""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from segsg.figures.album import Entry, read_album
from segsg.figures.style import data_uri
from segsg.report import (
    ablation,
    answer,
    evidence,
    findings,
    layout,
    mask_tables,
    panels,
    protocols,
    supplement,
    tables,
)
from segsg.report.layout import Table
from segsg.report.pages import render
from segsg.report.passport_page import passport_facts, read_passport
from segsg.study.names import DETECTORS

PAPER_VALUES = Path("data/facts/paper_values.yaml")
PAGES = {
    "index": "Overview",
    "reading": "How to read",
    "table1": "Table 1",
    "table2": "Table 2",
    "table3": "Table 3",
    "table4": "Table 4",
    "supplement": "Supplement",
    "pairs": "Pairs",
    "gallery": "Gallery",
    "transfer": "Transfer",
    "kernels": "Kernels",
    "refinement": "Refinement",
    "curves": "Curves",
    "passport": "Passport",
}
ALBUMS = ("gallery", "pairs", "kernels", "refinement")
"""folders of figures"""
SWITCHED = ("table1", "table3")
"""tables that can show other measures"""


@dataclass(frozen=True)
class Image:
    """A figure on a page; `uri` holds its bytes."""

    title: str
    caption: str
    words: str
    uri: str


def write(report: Path, paper: dict) -> None:
    """Write report/html/*.html from results.json, tables/ and figures/ in the folder `report`."""
    results = json.loads((report / "results.json").read_text(encoding="utf-8"))
    shown = page_tables(results, paper)
    facts = {
        "profile": results["profile"],
        "banner": "" if results["profile"] == layout.COMPARABLE else layout.warning(results["profile"]),
        "pages": PAGES,
        "detectors": detector_lines(results),
        "world": results.get("world") or {},
        "slices": findings.slices(results),
        "rarity": findings.frequency_gains(results),
        "answer": answer.answer(results),
        "evidence": evidence.evidence(results),
        "experiments": len(results["experiments"]),
        "images": max((row.get("images", 0) for row in results["experiments"].values()), default=0),
    }
    facts |= passport_facts(read_passport(report / "passport.json"))
    albums = {folder: read_album(report / "figures" / folder) for folder in ALBUMS}
    for page in PAGES:
        more = {"page": page, "tables": shown.get(page, []), "switch": switches(results, paper, shown, page)}
        more |= plots(shown, page) | {"figures": figures(report, albums, page)}
        more["example"] = figures(report, albums, "gallery")[:1] if page == "index" else []
        _write(report / "html" / f"{page}.html", render(page, facts | more))


def page_tables(results: dict, paper: dict) -> dict[str, list[Table]]:
    """The tables of each page that has some."""
    return {
        "table1": [tables.table1(results, paper)],
        "table2": [mask_tables.table2(results, paper)],
        "table3": [tables.table3(results, paper)],
        "table4": [ablation.table4(results, paper)],
        "supplement": [
            supplement.predicates(results),
            mask_tables.class_gains(results),
            supplement.no_overlap_mean(results),
            supplement.no_overlap_zero(results),
        ],
        "transfer": [mask_tables.transfer_quality(results)],
    }


def plots(shown: dict[str, list[Table]], page: str) -> dict:
    """The pictures of a page that are made of its elements; the first page has the longest ladder."""
    recalls = shown[page if page in SWITCHED else "table1"][0]
    ladders = panels.ladder_panels(shown["table4"][0])
    longest = sorted(ladders, key=lambda panel: -len(panel.marks + panel.aside))
    return {
        "panels": panels.recall_panels(recalls),
        "several_seeds": any(cell.seeds > 1 for row in recalls.rows for cell in row.cells.values()),
        "ladders": longest[:1] if page == "index" else ladders,
        "bars_of": panels.predicate_panels(shown["supplement"][0]),
    }


def switches(results: dict, paper: dict, shown: dict[str, list[Table]], page: str) -> dict[str, dict]:
    """By name of the table: its own measure, the measures to choose from, and their cells for the script."""
    if page not in SWITCHED or not shown[page][0].rows:
        return {}
    found = protocols.protocols(results, paper, shown[page][0])
    facts = {"own": protocols.own_measure(shown[page][0]), "measures": protocols.switch_measures(found)}
    return {page: facts | {"data": protocols.switch_data(found)}}


def figures(report: Path, albums: dict[str, list[Entry]], page: str) -> list[Image]:
    """Figures for a page, whatever album they are in."""
    return [
        Image(entry.title, entry.caption, entry.words, file_uri(report / "figures" / folder / entry.file))
        for folder, entries in albums.items()
        for entry in entries
        if entry.page == page
    ]


def detector_lines(results: dict) -> list[dict]:
    """One line per detector: name, training sets, and its average precisions in per cent by name."""
    return [
        {
            "name": DETECTORS.get(row["backbone"], row["backbone"]),
            "joint": row["joint"],
            "disjoint": row.get("disjoint", False),
            "precisions": {name: 100 * part["AP"] for name, part in row["metrics"].items() if part["AP"] is not None},
        }
        for row in results["detectors"].values()
    ]


def file_uri(path: Path) -> str:
    """A picture's file as an address that a page can hold."""
    return data_uri(path.read_bytes(), "png" if path.suffix == ".png" else "jpeg")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    write(parser.parse_args().report, yaml.safe_load(PAPER_VALUES.read_text(encoding="utf-8")))
