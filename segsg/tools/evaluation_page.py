"""The page of `segsg evaluate`, from the content of its results.json."""

import math
from collections.abc import Iterable
from typing import Any

from segsg.study.names import TASKS

TITLES = {"default": "Default", "paper": "Paper", "scene-graph-benchmark": "Scene-Graph-Benchmark"}
GROUPS = ("head", "body", "tail")


def page(results: dict) -> str:
    """The page from the content of results.json: one file, offline, all protocols side by side."""
    from segsg.report.pages import render

    protocols = results["protocols"]
    first = next(iter(protocols.values()))
    columns, depths = first["predicates"], first["rules"]["depths"]
    frequency = columns.get("training", columns["rows"])
    depth = depths[len(depths) // 2]
    facts = {
        "results": results,
        "task": TASKS[results["task"]],
        "titles": {name: TITLES.get(name, name) for name in protocols},
        "rules": {name: rule_lines(measured["rules"], results["task"]) for name, measured in protocols.items()},
        "tables": {k: _sections(first["metrics"], k) for k in (depth, *(other for other in depths if other != depth))},
        "cell_text": cell_text,
        "spreads": {name: _spread(results, name) for name in (f"R@{depth}", f"mR@{depth}")},
        "columns": columns,
        "order": sorted(range(len(frequency)), key=lambda i: (-frequency[i], i)),
        "depth": depth,
        "by_training": "training" in columns,
        "groups": [group for group in GROUPS if f"mR_{group}@{depth}" in first["metrics"]],
    }
    return render("evaluation", facts)


def rule_lines(rules: dict[str, Any], task: str) -> list[str]:
    """A protocol in words."""
    empty = "are left out" if rules["skip_empty"] else "count 0"
    absent = "count 0" if rules["absent"] == "zero" else "are left out of means"
    frame = "pixels counted inclusively (+1)" if rules["pixel"] else "continuous coordinates"
    lines = [
        f"boxes match from IoU {rules['iou']:g}, {frame}",
        f"images without a predicted pair {empty}",
        f"predicates without a true relation {absent}",
    ]
    if rules["overlapping_pairs"] and task == "sgdet":
        lines.append("only pairs of overlapping boxes compete")
    if rules["most_boxes"] is not None:
        lines.append(f"images with more than {rules['most_boxes']} true boxes are left out")
    return lines


def cell_text(cell: dict[str, float]) -> tuple[str, str]:
    """Value and interval in per cent; a dash where nothing is measured."""
    if math.isnan(cell["value"]):
        return "–", ""
    return f"{100 * cell['value']:.2f}", f"{100 * cell['low']:.2f} – {100 * cell['high']:.2f}"


def _spread(results: dict, metric: str) -> float | None:
    """Largest minus smallest value of a metric over the protocols, in points; None where one has none."""
    values = [measured["metrics"][metric]["value"] for measured in results["protocols"].values()]
    return None if any(map(math.isnan, values)) else 100 * (max(values) - min(values))


def _sections(metrics: Iterable[str], depth: int) -> list[tuple[str, list[str]]]:
    """Rows of the table for one K: metrics with graph constraint, then those without."""
    names = [name for name in metrics if name.endswith(f"@{depth}")]
    return [
        ("One predicate for each pair", [name for name in names if not name.startswith("ng")]),
        ("All predicates of all pairs compete", [name for name in names if name.startswith("ng")]),
    ]
