"""The report as pages that open anywhere, offline: `python -m segsg.report.html reports/REPORT executed/PROFILE ...`.

Style, images and scripts are inside each page; no page asks the network for anything, and each can be read without
its scripts.
"""

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from segsg.figures.album import Entry, read_album
from segsg.figures.style import data_uri
from segsg.files import read_json, write_text
from segsg.report import charts, elements, findings, notebooks, protocols, table, verdict, why
from segsg.report.pages import render
from segsg.report.panels import Chart
from segsg.report.registry import TABLES
from segsg.report.table import Table
from segsg.study.names import DETECTORS

PAPER_VALUES = Path("data/facts/paper_values.yaml")
PAGES = {
    "index": "Overview",
    "reading": "How to read",
    "table1": "Table 1",
    "table2": "Table 2",
    "table3": "Table 3",
    "table4": "Table 4",
    "table5": "Table 5",
    "supplement": "Supplement",
    "pairs": "Pairs",
    "gallery": "Gallery",
    "transfer": "Transfer",
    "kernels": "Kernels",
    "refinement": "Refinement",
    "curves": "Curves",
    "passport": "Passport",
}
NUMBERED = ("table1", "table2", "table3", "table4", "table5")
"""tables with a page each; the last is not in the paper"""
ON_PAGE = {
    "supplement": ("predicates", "class_gains", "no_overlap_mean", "no_overlap_zero", "paper_images"),
    "transfer": ("transfer_quality",),
} | {name: (name,) for name in NUMBERED}
"""tables by the page that shows them"""
NOTEBOOKS = "notebooks"
"""the folder beside the pages for those of executed notebooks"""
ALBUMS = ("gallery", "pairs", "kernels", "refinement")
"""folders of figures"""
SHARED = {"table": NUMBERED}
SHARED |= {"album": ("pairs", "gallery", "kernels", "refinement", "curves")}
"""templates that several pages share; the others have one of their own name"""
SWITCHED = ("table1", "table3")
"""tables that can show other measures"""
STUDIES = {
    "quick": "every table in a coffee break",
    "mini": "one training of each row, hours in all",
    "mini-seeds": "three trainings where something is claimed",
}
"""committed reports -> what each can tell, from least to most"""
ROWS = ("detectors", "groups")
"""sections of params.yaml that are tables"""
STAGES = {
    "data": "data: drawn or read, and counted",
    "detector": "detectors",
    "detection": "precision of the detectors",
    "look": "what the frozen detectors say about every image",
    "transfer": "borrowed masks against true ones",
    "yardsticks": "how hard the drawn world is",
    "rows": "scene graph models and their evaluation",
}
"""in the order of the study; the rest are tables and figures"""
OTHERS = "tables and figures"


@dataclass(frozen=True)
class Image:
    """A figure on a page; `uri` holds its bytes."""

    title: str
    caption: str
    words: str
    uri: str


def write(report: Path, paper: dict, executed: Iterable[Path] = ()) -> None:
    """Write report/html/*.html from results.json, passport.json and figures/ in the folder `report`.

    Notebooks in the folders `executed` become pages too, in html/notebooks.
    """
    results = read_json(report / "results.json")
    tables = {name: make(results, paper) for name, make in TABLES.items()}
    drawn = {name: chart(shown) for name, shown in tables.items() if shown.is_measured}
    found = [(one, small(one)) for one in verdict.verdict(answerable(results))]
    albums = {folder: read_album(report / "figures" / folder) for folder in ALBUMS}
    facts = study_facts(results) | passport_facts(read_passport(report / "passport.json"))
    ran = notebooks.write(report / "html" / NOTEBOOKS, executed)
    templates = {page: template for template, pages in SHARED.items() for page in pages}
    for page in PAGES:
        more = {"page": page, "tables": [tables[name] for name in ON_PAGE.get(page, ())], "charts": drawn}
        more |= {"figures": figures(report, albums, page), "switch": {}}
        more |= {"notebooks": notebooks.behind(ran, page, ON_PAGE.get(page, ()))}
        if page in SWITCHED and tables[page].rows:
            more["switch"] = {page: switch(results, paper, tables[page])}
        if page == "index":
            more |= {"example": figures(report, albums, "gallery")[:1], "findings": found}
        write_text(report / "html" / f"{page}.html", render(templates.get(page, page), facts | more))


def chart(shown: Table) -> str:
    """The chart of a table as an element of a page."""
    return elements.element(charts.drawn(shown), shown.name, lambda panel: charts.words(shown, panel))


def small(one: verdict.Finding) -> str:
    """The chart of a finding as an element of a page."""
    words = f"{one.heading}: {one.number} {one.bounds} {one.unit}"
    return elements.element(Chart((one.panel,), one.key), f"finding-{one.name}", lambda _: words)


def study_facts(results: dict) -> dict:
    """Values that the templates of all pages use: profile, banner, list of pages and more."""
    return {
        "profile": results["profile"],
        "banner": "" if results["profile"] == table.COMPARABLE else table.warning(results["profile"]),
        "pages": PAGES,
        "detectors": detector_lines(results),
        "world": results.get("world") or {},
        "slices": findings.slices(answerable(results)),
        "rarity": findings.frequency_gains(answerable(results)),
        "only_shows": results["profile"] in table.UNTRAINED,
        "why": why.why(answerable(results)),
        "evidence": why.evidence(answerable(results)),
        "experiments": len(results["experiments"]),
        "images": max((row.get("images", 0) for row in results["experiments"].values()), default=0),
    }


def answer(results: dict) -> list[str]:
    """What the study found, in a few sentences, the most important first; nothing without comparisons or training."""
    return verdict.answer(answerable(results))


def answerable(results: dict) -> dict:
    """The results, without rows where they are of a study that only shows how everything works."""
    return results | {"experiments": {}} if results["profile"] in table.UNTRAINED else results


def switch(results: dict, paper: dict, shown: Table) -> dict:
    """The table's own measure, the measures to choose from, and their cells for the script."""
    variants = protocols.protocols(results, paper, shown)
    facts = {"own": protocols.own_measure(shown), "measures": protocols.switch_measures(variants)}
    return facts | {"data": protocols.switch_data(variants)}


def figures(report: Path, albums: dict[str, list[Entry]], page: str) -> list[Image]:
    """Figures for a page, whatever album they are in."""
    return [
        Image(entry.title, entry.caption, entry.words, file_uri(report / "figures" / folder / entry.file))
        for folder, entries in albums.items()
        for entry in entries
        if entry.page == page
    ]


def file_uri(path: Path) -> str:
    """A picture's file as an address that a page can hold."""
    return data_uri(path.read_bytes(), "png" if path.suffix == ".png" else "jpeg")


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


def read_passport(path: Path) -> dict:
    """ValueError if its stage has not written it."""
    if not path.is_file():
        raise ValueError(f"{path}: missing; the stage `passport` writes it: `dvc repro`")
    return read_json(path)


def passport_facts(passport: dict) -> dict:
    """What the pages show of passport.json: data, parameters by section, seeds, versions, commit, machine, minutes."""
    parameters = passport["parameters"]
    return {
        "name": parameters["report"],
        "studies": {name: text for name, text in STUDIES.items() if name != parameters["report"]},
        "commit": passport["commit"],
        "machine": passport["machine"],
        "versions": passport["versions"],
        "files": passport["files"],
        "minutes": minutes(passport["stages"]),
        "stages": passport["stages"],
        "seeds": seeds(parameters),
        "settings": {name: flat(section) for name, section in parameters.items() if name not in ROWS},
        "rows": rows(parameters),
    }


def rows(parameters: dict) -> dict[str, dict[str, dict]]:
    """{"detectors", "experiments": {key: row}} of all of params.yaml."""
    detectors, groups = (parameters.get(name) or {} for name in ROWS)
    every = {key: row for group in groups.values() for key, row in group["rows"].items()}
    return {"detectors": detectors, "experiments": every}


def minutes(stages: list[dict]) -> list[dict]:
    """{"name", "runs", "minutes", "longest"} for each kind of stage that ran, in the order of the study."""
    kinds: dict[str, list[float]] = {words: [] for words in (*STAGES.values(), OTHERS)}
    for stage in stages:
        kinds[STAGES.get(stage["stage"], OTHERS)].append(stage["seconds"] / 60)
    return [
        {"name": name, "runs": len(runs), "minutes": sum(runs), "longest": max(runs)}
        for name, runs in kinds.items()
        if runs
    ]


def seeds(parameters: dict) -> dict[str, list[int]]:
    """All seeds of a study: {what they decide: seeds}."""
    decided = {"the study: the drawn world, and resampling of images": [parameters["seed"]]}
    for name, listed in rows(parameters).items():
        decided[name] = sorted({row["seed"] for row in listed.values() if "seed" in row})
    return decided


def flat(section, prefix: str = "") -> dict[str, str]:
    """Names with dots, and values as params.yaml writes them."""
    if not isinstance(section, dict):
        return {prefix or "value": yaml_text(section)}
    values: dict[str, str] = {}
    for name, value in section.items():
        values |= flat(value, f"{prefix}.{name}" if prefix else str(name)) if value != {} else {}
    return values


def yaml_text(value) -> str:
    """A number, a truth value, a list or a name, as one writes it in YAML."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("executed", type=Path, nargs="*", help="folders of executed notebooks, the report's own last")
    options = parser.parse_args()
    write(options.report, yaml.safe_load(PAPER_VALUES.read_text(encoding="utf-8")), options.executed)
