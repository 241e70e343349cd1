"""Table 4: the rungs from a baseline to the full model, and controls of equal capacity beside them."""

from collections.abc import Sequence
from dataclasses import replace

from segsg.report.cells import Cell, cell
from segsg.report.flat import is_rising
from segsg.report.recall_tables import (
    MEAN_RECALLS,
    METRIC,
    RECIPES,
    ZERO_SHOT,
    Lines,
    candidates,
    caption,
    order,
    place_labels,
)
from segsg.report.table import Column, Table, TableRow
from segsg.study.names import PAPER_DETECTORS, rank
from segsg.study.rows import BASELINE, CONTACT, GROUNDED, JOINT, MASKS, RECTANGLES, REFINEMENT, Row, lines

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
EDGES |= {CONTACT: f"{RUNGS[5]} + contact frame"}
"""names of rows that are not refined, by what pairs see; the last is not in the paper"""
RUNG_SETTINGS = {"nodes", "edges", REFINEMENT}
PAPER_PLACE = ("vctree", "ResNeXt-101-FPN", "sgcls")
WORDS = {
    (MASKS, "zero"): "no masks (zeros)",
    (MASKS, "shuffled"): "masks of other regions",
    (MASKS, "rectangles"): "box rectangles as masks",
    (MASKS, "oracle"): "true masks (oracle)",
    (MASKS, "coarse"): "true masks in 7 × 7 cells",
    (MASKS, "refined"): "masks that follow pixels",
    ("frame", "box"): "masks in the frame of each box",
    ("frame", "union"): "masks in the frame of the pair",
    ("nodes", False): "edges only",
    ("nodes", True): "in nodes too",
    ("kernels", "joint"): "kernel from both classes",
    ("kernels", "own"): "kernel from each class",
    ("edges", CONTACT): "contact frame",
    (REFINEMENT, "none"): "not refined",
    (REFINEMENT, "inference"): "refined",
    (REFINEMENT, "training"): "refined in training too",
    ("sigmoid", True): "sigmoid after the product",
}
"""settings of rows that the paper's table lacks"""
LABELS = dict.fromkeys([EDGES[CONTACT], *WORDS.values()], "")
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
UNEVEN = (
    "A row of fewer seeds than Base is compared with Base of those seeds alone, which may be higher or lower than "
    "the mean that stands here: read its difference, not its height."
)


def table4(results: dict, paper: dict) -> Table:
    """Table 4: for each place that has an ablation the rungs of the paper, then the rows that the paper lacks."""
    chosen = ablations(results)
    groups = {RECALL: (*MEAN_RECALLS, *ZERO_SHOT)} | dict.fromkeys((SAME_DETECTOR, PIXELS, SHARE), MEAN_RECALLS)
    columns = tuple((group, metric) for group, metrics in groups.items() for metric in metrics)
    rows = tuple(_table_row(row, seeds, paper["table4"], columns) for row, seeds in chosen.items())
    return Table(
        name="table4",
        title="Table 4: ablation",
        profile=results["profile"],
        heads=("Model", "Detector", "Task", "Row"),
        columns=_filled(columns, rows),
        rows=rows,
        caption=caption("Mean recall (mR) and zero-shot recall (zsR) in per cent, graph constraint", chosen),
        why_empty="its grid names no ablation",
        notes=(*NOTES, *([UNEVEN] if _is_uneven(chosen) else []), *_choice(results)),
    )


def _is_uneven(chosen: Lines) -> bool:
    """Whether some lines have fewer seeds than others of their place."""
    counts: dict[tuple, set[int]] = {}
    for row, seeds in chosen.items():
        counts.setdefault(row.place, set()).add(len(seeds))
    return any(len(numbers) > 1 for numbers in counts.values())


def _choice(results: dict) -> tuple[str, ...]:
    """What the variants are worth on validation images, and which of them is the row “ours”."""
    ranked = candidates(results)
    if not ranked:
        return ()
    listed = "; ".join(f"{label_of(candidate.row)} {candidate.value:.1f}" for candidate in ranked)
    named = (
        "The first is a recipe of the paper, so there is no other row “ours”."
        if ranked[0].row.changes in RECIPES
        else "The first is the row “ours” of tables 1 and 3, wherever it was trained."
    )
    place = ", ".join(place_labels(ranked[0].row))
    return (f"{METRIC} on validation images, from which variants are chosen ({place}; best first): {listed}. {named}",)


def ablations(results: dict) -> Lines:
    """Lines of the places that have more than a baseline and a grounded row, each place rung by rung."""
    everything = {
        row: seeds
        for row, seeds in lines(results).items()
        if row.method in (BASELINE, GROUNDED) and not row.detector.disjoint
    }
    places = {row.place for row in everything if not row.is_plain}
    chosen = [row for row in everything if row.place in places]

    def place_then_rung(row: Row) -> tuple:
        label = label_of(row)
        rung = RUNGS.index(label) if label in RUNGS else len(RUNGS) + row.is_control
        models, detectors, _, tasks = order(row)
        return models, detectors, tasks, rung, rank(LABELS, label)

    return {row: everything[row] for row in sorted(chosen, key=place_then_rung)}


def label_of(row: Row) -> str:
    """The paper's name of a rung, or what a row changes."""
    if row.grounding is None:
        return RUNGS[1] if row.detector.joint else RUNGS[0]
    changes = dict(row.changes)
    if changes.keys() <= RUNG_SETTINGS and row.grounding.nodes:
        if row.grounding.refinement == "inference" and row.grounding.edges == "gaussian":
            return RUNGS[6]
        if not row.is_refined:
            return EDGES[row.grounding.edges]
    return ", ".join(WORDS.get((name, value), f"{name}: {value}") for name, value in changes.items())


def _table_row(row: Row, seeds: list[dict], paper: list[dict], columns: Sequence[Column]) -> TableRow:
    label = label_of(row)
    is_papers = (row.model, PAPER_DETECTORS.get(row.detector.backbone), row.task) == PAPER_PLACE
    published = next((line for line in paper if is_papers and line["row"] == label), {})
    cells = {column: measured_cell(column, seeds, published) for column in columns}
    return TableRow((*place_labels(row), label), cells, is_rising([seeds]))


def measured_cell(column: Column, seeds: list[dict], published: dict) -> Cell:
    """What the seeds of a line say in a column: a metric (group ""), its difference to another row, or its share."""
    group, metric = column
    if group == SHARE:
        shares = [seed.get("share", {}).get(metric) for seed in seeds]
        known = [share for share in shares if share is not None and share["value"] is not None]
        return cell(known if len(known) == len(shares) else [])  # a mean over the seeds with a gap would flatter
    compared = [seed.get("comparisons", {}).get(MINUS.get(group, BASELINE), {}).get(metric) for seed in seeds]
    if group in MINUS:
        values = [None if one is None else one | {"value": one["difference"]} for one in compared]
        return replace(cell(values, differences=compared), is_difference=True)
    papers = dict(zip(MEAN_RECALLS, published.get("mr", ()), strict=False))
    papers |= dict(zip(ZERO_SHOT, published.get("zsr", ()), strict=False))
    measured = [seed["metrics"].get(metric) for seed in seeds]
    return cell(measured, papers.get(metric), published.get("status", ""), compared)


def _filled(columns: Sequence[Column], rows: Sequence[TableRow]) -> tuple[Column, ...]:
    """Columns of the groups that have a number at all."""
    groups = {column[0] for row in rows for column in columns if row.cells[column].value is not None}
    return tuple(column for column in columns if column[0] in groups)
