"""The page of `segsg evaluate`: one file, offline, the same predictions under every protocol side by side."""

import math
from typing import Any

from segsg.report.pages import render
from segsg.study.names import TASKS

PROTOCOLS = {"default": "Default", "paper": "Paper", "scene-graph-benchmark": "Scene-Graph-Benchmark"}
FREE = "ng"
GROUPS = ("head", "body", "tail")


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
    if _blank(cell["value"]):
        return "–", ""
    return f"{100 * cell['value']:.2f}", f"{100 * cell['low']:.2f} – {100 * cell['high']:.2f}"


def _blank(value: float | None) -> bool:
    return value is None or math.isnan(value)


def spread(results: dict, metric: str) -> float | None:
    """Largest minus smallest value of a metric over the protocols, in points; None where one has none."""
    values = [found["metrics"][metric]["value"] for found in results["protocols"].values()]
    return None if any(map(_blank, values)) else 100 * (max(values) - min(values))


def bars(results: dict, depth: int) -> list[dict]:
    """Predicates, most frequent first (in training if known), with their recall under the first protocol."""
    columns = next(iter(results["protocols"].values()))["predicates"]
    frequency = columns.get("training", columns["rows"])
    order = sorted(range(len(frequency)), key=lambda i: (-frequency[i], i))
    return [
        {
            "name": results["names"][i],
            "frequency": frequency[i],
            "rows": columns["rows"][i],
            "group": columns["group"][i] if "group" in columns else "",
            "recall": columns[f"R@{depth}"][i],
            "free": columns[f"ngR@{depth}"][i],
        }
        for i in order
    ]


def sections(results: dict, depth: int) -> list[tuple[str, list[str]]]:
    """Rows of the table for one K: metrics with graph constraint, then those without."""
    names = next(iter(results["protocols"].values()))["metrics"]
    names = [name for name in names if name.endswith(f"@{depth}")]
    return [
        ("One predicate for each pair", [name for name in names if not name.startswith(FREE)]),
        ("All predicates of all pairs compete", [name for name in names if name.startswith(FREE)]),
    ]


def render_evaluation(results: dict) -> str:
    """The page, from the content of results.json."""
    protocols = results["protocols"]
    first = next(iter(protocols.values()))
    depths = first["rules"]["depths"]
    depth = depths[len(depths) // 2]
    facts = {
        "results": results,
        "task": TASKS[results["task"]],
        "titles": {name: PROTOCOLS.get(name, name) for name in protocols},
        "rules": {name: rule_lines(found["rules"], results["task"]) for name, found in protocols.items()},
        "tables": {k: sections(results, k) for k in (depth, *(other for other in depths if other != depth))},
        "cell_text": cell_text,
        "spreads": {name: spread(results, name) for name in (f"R@{depth}", f"mR@{depth}")},
        "bars": bars(results, depth),
        "depth": depth,
        "by_training": "training" in first["predicates"],
        "groups": [group for group in GROUPS if f"mR_{group}@{depth}" in first["metrics"]],
    }
    return render("evaluation", facts)
