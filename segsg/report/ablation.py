"""Table 4: the rungs from a baseline to the full model, and controls of equal capacity beside them."""

import json
from collections.abc import Sequence
from dataclasses import replace

from segsg.report.cells import Cell, cell
from segsg.report.choice import METRIC, RECIPES, candidates
from segsg.report.layout import Column, Row, Table
from segsg.report.tables import MEAN_RECALLS, ZERO_SHOT, Systems, caption, order
from segsg.study.names import PAPER_DETECTORS, TASKS, detector_name, model_name, rank
from segsg.study.rows import (
    BASELINE,
    GROUNDED,
    JOINT,
    MASKS,
    RECTANGLES,
    REFINEMENT,
    System,
    is_control,
    is_refined,
    seeds,
    settings,
)

RECALL, SAME_DETECTOR, PIXELS, SHARE = "", "minus Joint", "minus rectangles", "share of the gap"
MINUS = {SAME_DETECTOR: JOINT, PIXELS: RECTANGLES}
RUNGS = (
    "Base",
    "Joint",
    "Joint + OG",
    "Joint + OG + EG_avg",
    "Joint + OG + EG_union",
    "Joint + OG + EG_Gaussian",
    "Final Model",
)
"""rows of the paper's table 4"""
EDGES = {"none": RUNGS[2], "average": RUNGS[3], "union": RUNGS[4], "gaussian": RUNGS[5]}
RUNG_SETTINGS = {"nodes", "edges", REFINEMENT}
PAPER_PLACE = ("vctree", "ResNeXt-101-FPN", "sgcls")
WORDS = {
    (MASKS, "zero"): "no masks (zeros)",
    (MASKS, "shuffled"): "masks of other regions",
    (MASKS, "rectangles"): "box rectangles as masks",
    (MASKS, "oracle"): "true masks (oracle)",
    ("frame", "box"): "masks in the frame of each box",
    ("frame", "union"): "masks in the frame of the pair",
    ("nodes", False): "edges only",
    ("nodes", True): "in nodes too",
    ("kernels", "joint"): "kernel from both classes",
    ("kernels", "own"): "kernel from each class",
    (REFINEMENT, "none"): "not refined",
    (REFINEMENT, "inference"): "refined",
    (REFINEMENT, "training"): "refined in training too",
    ("sigmoid", True): "sigmoid after the product",
}
"""settings of rows that the paper's table lacks"""
LABELS = dict.fromkeys(WORDS.values(), "")
NOTES = (
    "EG_avg and EG_union are one function in the released code, so the 0.1 between them in the paper is what two runs "
    "of the same model differ by; here union is a soft or, 1 − (1 − a)(1 − b).",
    "Minus Joint: a row minus the same model without masks on the same detector, which has seen both sets and so finds "
    "other boxes than that of Base.",
    "Minus rectangles: a row minus the same network that sees each box as its mask, on the same images, so that "
    "capacity and layout cancel and pixels are left. "
    "Share of the gap: (row − rectangles) / (true masks − rectangles); a dash where true masks are not "
    "measurably better than rectangles, in any of the seeds. Rows whose frame, kernels or refinement no row with "
    "rectangles shares have neither.",
)


def table4(results: dict, paper: dict) -> Table:
    """Every place (model, detector, task) that has an ablation, rung by rung, then the rows that the paper lacks."""
    chosen = ablations(results)
    groups = {RECALL: (*MEAN_RECALLS, *ZERO_SHOT)} | dict.fromkeys((SAME_DETECTOR, PIXELS, SHARE), MEAN_RECALLS)
    columns = tuple((group, metric) for group, metrics in groups.items() for metric in metrics)
    rows = tuple(_row(results, one, mine, paper["table4"], columns) for one, mine in chosen.items())
    return Table(
        "table4",
        "Table 4: ablation",
        results["profile"],
        ("Model", "Detector", "Task", "Row"),
        _filled(columns, rows),
        rows,
        caption("Mean recall (mR) and zero-shot recall (zsR) in per cent, graph constraint", chosen),
        f"The study “{results['profile']}” has no row for this table: its grid names no ablation.",
        (*NOTES, *_uneven(chosen), *_choice(results)),
    )


def _uneven(chosen: Systems) -> tuple[str, ...]:
    """A warning where some rows have fewer seeds than their neighbours."""
    counts: dict[tuple, set[int]] = {}
    for one, rows in chosen.items():
        counts.setdefault(one.place, set()).add(len(rows))
    if all(len(found) == 1 for found in counts.values()):
        return ()
    return (
        "A row of fewer seeds than Base is compared with Base of those seeds alone, which may be higher or lower than "
        "the mean that stands here: read its difference, not its height.",
    )


def _choice(results: dict) -> tuple[str, ...]:
    """What the variants are worth on validation images, and which of them is the row “ours”."""
    ranked = candidates(results)
    if not ranked:
        return ()
    model, backbone, task = ranked[0].system.place
    listed = "; ".join(f"{label_of(results, c.system)} {c.value:.1f}" for c in ranked)
    named = (
        "The first is a recipe of the paper, so there is no other row “ours”."
        if ranked[0].system.changes in RECIPES
        else "The first is the row “ours” of tables 1 and 3, wherever it was trained."
    )
    return (
        f"{METRIC} on validation images, from which variants are chosen ({model_name(model)}, "
        f"{detector_name(backbone)}, {TASKS[task]}; best first): {listed}. {named}",
    )


def ablations(results: dict) -> Systems:
    """Systems of the places that have more than a baseline and a grounded row, each place rung by rung."""
    everything = {
        one: rows for one, rows in seeds(results).items() if one.method in (BASELINE, GROUNDED) and not one.disjoint
    }
    places = {one.place for one in everything if not one.plain}
    chosen = [one for one in everything if one.place in places]

    def place_then_rung(one: System) -> tuple:
        label = label_of(results, one)
        rung = RUNGS.index(label) if label in RUNGS else len(RUNGS) + is_control(results, one)
        models, detectors, _, tasks = order(one)
        return models, detectors, tasks, rung, rank(LABELS, label)

    return {one: everything[one] for one in sorted(chosen, key=place_then_rung)}


def label_of(results: dict, one: System) -> str:
    """The paper's name of a rung, or what a row changes."""
    if one.method == BASELINE:
        return RUNGS[1] if one.joint else RUNGS[0]
    values = settings(results, one)
    changed = {name: json.loads(value) for name, value in one.changes}
    on_ladder = changed.keys() <= RUNG_SETTINGS and values.get("nodes", True)
    if on_ladder and values.get(REFINEMENT) == "inference" and values.get("edges") == "gaussian":
        return RUNGS[6]
    if on_ladder and not is_refined(results, one):
        return EDGES.get(values.get("edges"), "grounded")
    return ", ".join(WORDS.get((name, _hashable(value)), f"{name}: {value}") for name, value in changed.items())


def _hashable(value):
    return value if isinstance(value, str | int | float | bool) else json.dumps(value)


def _row(results: dict, one: System, rows: list[dict], paper: list[dict], columns: Sequence[Column]) -> Row:
    label = label_of(results, one)
    labels = (model_name(one.model), detector_name(one.backbone), TASKS[one.task], label)
    published = _published(paper, one, label)
    return Row(labels, {column: _cell(column, rows, published) for column in columns})


def _published(paper: list[dict], one: System, label: str) -> dict:
    if (one.model, PAPER_DETECTORS.get(one.backbone), one.task) != PAPER_PLACE:
        return {}
    return next((row for row in paper if row["row"] == label), {})


def _cell(column: Column, rows: list[dict], published: dict) -> Cell:
    group, metric = column
    if group == SHARE:
        shares = [row.get("share", {}).get(metric) for row in rows]
        known = [share for share in shares if share is not None and share["value"] is not None]
        return cell(known if len(known) == len(shares) else [])  # a mean over the seeds with a gap would flatter
    if group in MINUS:
        compared = [row.get("comparisons", {}).get(MINUS[group], {}).get(metric) for row in rows]
        found = cell([None if c is None else c | {"value": c["difference"]} for c in compared], differences=compared)
        return replace(found, is_difference=True)
    values = dict(zip(MEAN_RECALLS, published.get("mr", ()), strict=False))
    values |= dict(zip(ZERO_SHOT, published.get("zsr", ()), strict=False))
    compared = [row.get("comparisons", {}).get(BASELINE, {}).get(metric) for row in rows]
    measured = [row["metrics"].get(metric) for row in rows]
    return cell(measured, values.get(metric), published.get("status", ""), compared)


def _filled(columns: Sequence[Column], rows: Sequence[Row]) -> tuple[Column, ...]:
    """Columns of the groups that have a number at all."""
    groups = {column[0] for row in rows for column in columns if row.cells[column].value is not None}
    return tuple(column for column in columns if column[0] in groups)


def place_names(table: Table) -> list[tuple[str, ...]]:
    """The (model, detector, task) of a table's rows, each once."""
    return list(dict.fromkeys(row.labels[:3] for row in table.rows))
