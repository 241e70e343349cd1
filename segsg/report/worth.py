"""Table 5: what masks bring, by networks of equal size that see rectangles, borrowed, refined or true masks."""

from segsg.report.ablation import PIXELS, SHARE, measured_cell
from segsg.report.cells import Cell, cell
from segsg.report.flat import is_rising
from segsg.report.recall_tables import METRIC, ZERO_SHOT, Lines, order, place_labels
from segsg.report.table import Column, Table, TableRow
from segsg.study.names import rank
from segsg.study.rows import COARSE, CONTACT, GROUNDED, MASKS, ORACLE, RECTANGLES, REFINED, TRANSFERRED, Row, lines

SOURCES = {
    RECTANGLES: "rectangles",
    TRANSFERRED: "borrowed",
    REFINED: "borrowed, pixel-refined",
    COARSE: "true masks in 7 × 7 cells",
    ORACLE: "true masks",
}
"""what stands in for the masks -> the name of its column"""
NONE = "no masks"
FRAMES = {"gaussian": "eq. 6", CONTACT: "eq. 6 and contact frame"}
"""how pairs see masks -> the name of its rows"""
MEASURES = (METRIC, ZERO_SHOT[-1])
"""masks matter most where a triplet was never seen"""
MINUS, GAP = "minus rectangles", "share of the gap"
Sources = dict[str, tuple[Row, list[dict]]]
"""what stands in for the masks -> the line that sees it, with its measured seeds"""


def table5(results: dict) -> Table:
    """A row for each place and way of seeing masks in which rectangles and something else were trained."""
    everything = lines(results)
    found = sources_by_place(everything)
    chosen = {key: sources for key, sources in found.items() if RECTANGLES in sources and len(sources) > 1}
    keys = sorted(chosen, key=lambda key: (*order(_first(chosen[key])), rank(FRAMES, key[1])))
    columns = _columns(chosen)
    rows = tuple(_row(columns, key, chosen[key], everything) for key in keys)
    return Table(
        name="table5",
        title="Table 5: what masks bring",
        profile=results["profile"],
        heads=("Model", "Detector", "Task", "Pairs see masks by"),
        columns=columns,
        rows=rows,
        caption="Mean recall and zero-shot recall in per cent, graph constraint, with 95 % intervals over images and "
        "seeds; of several seeds the mean, with their standard deviation (±). All rows stand on the joint detector, "
        "and the networks of one line are equal but for “no masks”. ≈: within noise of rectangles; a dash: no number.",
        why_empty="its grid names no row that sees rectangles",
        notes=(
            "Minus rectangles: the same network with each box as its mask, on the same images, so that capacity and "
            "geometry cancel. Share of the gap: (masks − rectangles) / (true masks − rectangles).",
        ),
    )


def sources_by_place(everything: Lines) -> dict[tuple, Sources]:
    """Lines that differ in the source of their masks alone, by place and by how pairs see masks."""
    groups: dict[tuple, Sources] = {}
    for row, seeds in everything.items():
        if row.method != GROUNDED or row.detector.disjoint or not dict(row.changes).keys() <= {MASKS, "edges"}:
            continue
        if row.grounding.edges in FRAMES and row.grounding.masks in SOURCES:
            groups.setdefault((row.place, row.grounding.edges), {})[row.grounding.masks] = (row, seeds)
    return groups


def _first(sources: Sources) -> Row:
    return next(iter(sources.values()))[0]


def _row(columns: tuple[Column, ...], key: tuple, sources: Sources, everything: Lines) -> TableRow:
    by_name = {SOURCES[source]: seeds for source, (_, seeds) in sources.items()}
    by_name[NONE] = everything.get(_first(sources).joint.line, [])
    labels = (*place_labels(_first(sources)), FRAMES[key[1]])
    return TableRow(labels, _cells(columns, by_name), is_rising(by_name.values()))


def _columns(chosen: dict[tuple, Sources]) -> tuple[Column, ...]:
    """For each measure its levels, then what is more than rectangles, then shares; sources that occur alone."""
    found = [name for source, name in SOURCES.items() if any(source in sources for sources in chosen.values())]
    compared = [name for name in found if name != SOURCES[RECTANGLES]]
    shares = [name for name in compared if name != SOURCES[ORACLE]] if SOURCES[ORACLE] in found else []
    groups = {"": [NONE, *found], MINUS: compared, GAP: shares}
    return tuple(
        (f"{metric} {group}".strip(), name) for metric in MEASURES for group, names in groups.items() for name in names
    )


def _cells(columns: tuple[Column, ...], by_name: dict[str, list[dict]]) -> dict[Column, Cell]:
    cells = {}
    for group, name in columns:
        metric, _, kind = group.partition(" ")
        seeds = by_name.get(name, [])
        if kind:
            cells[(group, name)] = measured_cell(({MINUS: PIXELS, GAP: SHARE}[kind], metric), seeds, {})
        else:
            cells[(group, name)] = cell([seed["metrics"].get(metric) for seed in seeds])
    return cells
