"""Table 5: what masks bring, by networks of equal size that see rectangles, borrowed, refined or true masks."""

from segsg.report.ablation import PIXELS, SHARE, measured_cell
from segsg.report.findings import clear, over, places
from segsg.report.flat import marked
from segsg.report.recall_tables import METRIC, ZERO_SHOT, Lines, order, place_labels
from segsg.report.table import Cell, Column, Table, TableRow, cell, signed
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
AIM = 0.5
"""share of the gap between rectangles and true masks that borrowed masks should close"""
Sources = dict[str, tuple[Row, list[dict]]]
"""what stands in for the masks -> the line that sees it, with its measured seeds"""


def table5(results: dict) -> Table:
    """A row for each place and way of seeing masks in which rectangles and something else were trained."""
    everything = lines(results)
    groups = _groups(everything)
    chosen = {key: sources for key, sources in groups.items() if RECTANGLES in sources and len(sources) > 1}
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


def _groups(everything: Lines) -> dict[tuple, Sources]:
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
    labels = (*place_labels(_first(sources)), marked(FRAMES[key[1]], by_name.values()))
    return TableRow(labels, _cells(columns, by_name))


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


def verdict(results: dict) -> list[str]:
    """Sentences for the first page: do pixel-refined masks in the contact frame beat rectangles, and close the gap?

    A sentence for each measure, which names the places where they do not; nothing if no place has such a row.
    """
    everything = lines(results)
    asked = [
        sources[REFINED]
        for (_, edges), sources in _groups(everything).items()
        if edges == CONTACT and sources.keys() >= {REFINED, RECTANGLES}
    ]
    return [sentence for metric in MEASURES for sentence in _said(metric, asked)]


def _said(metric: str, asked: list[tuple[Row, list[dict]]]) -> list[str]:
    compared = {row: gain for row, seeds in asked if (gain := over(RECTANGLES, seeds, metric)) is not None}
    if not compared:
        return []
    better, worse = clear(compared.values())
    gain = signed(sum(one.value for one in compared.values()) / len(compared))
    shares = [cell.value for _, seeds in asked if (cell := measured_cell((SHARE, metric), seeds, {})).value is not None]
    sentence = (
        f"Against rectangles, borrowed masks that were refined by pixels and seen in the contact frame change {metric} "
        f"by {gain} points, the mean over {places(len(compared))}; clearly better in {better}, clearly worse in {worse}"
    )
    if shares:
        closed = sum(share >= 100 * AIM for share in shares)
        sentence += (
            f". They close {sum(shares) / len(shares):.0f} % of the gap to true masks, and half of it in {closed}"
        )
    short = [", ".join(place_labels(row)) for row, one in compared.items() if one.is_noise or one.value < 0]
    return [f"{sentence}.", *([f"Not clearly better in {metric}: {'; '.join(short)}."] if short else [])]
