"""Why, as far as a study can tell: what masks bring on one detector, beyond rectangles, and what true masks would."""

from statistics import mean

from segsg.report.ablation import RUNGS, label_of
from segsg.report.cells import Cell, signed
from segsg.report.findings import mean_of, over, places, unlearned
from segsg.report.flat import is_rising
from segsg.report.recall_tables import METRIC, place_labels
from segsg.report.table import Column, Table, TableRow
from segsg.report.worth import FRAMES, SOURCES, sources_by_place
from segsg.study.names import METHODS
from segsg.study.rows import JOINT, ORACLE, RECTANGLES, REFINED, TRANSFERRED, lines

SAME_DETECTOR: Column = ("masks minus", "no masks, same detector")
BEYOND_BOXES: Column = ("masks minus", "rectangles")
CEILING: Column = ("true masks minus", "rectangles")
COLUMNS = (SAME_DETECTOR, BEYOND_BOXES, CEILING)


def why(results: dict) -> Table:
    """A row for each place and way of seeing borrowed masks that was compared with one of its controls."""
    rows = []
    for (_, edges), sources in sources_by_place(lines(results)).items():
        truth = sources.get(ORACLE, (None, []))[1]
        for source in (TRANSFERRED, REFINED):
            if source not in sources:
                continue
            row, seeds = sources[source]
            cells = {
                SAME_DETECTOR: _compared(JOINT, seeds),
                BEYOND_BOXES: _compared(RECTANGLES, seeds),
                CEILING: _compared(RECTANGLES, truth),
            }
            if any(cells[column].value is not None for column in (SAME_DETECTOR, BEYOND_BOXES)):
                labels = (*place_labels(row), f"{SOURCES[source]}, {FRAMES[edges]}")
                rows.append(TableRow(labels, cells, is_rising([seeds])))
    return Table(
        name="why-table",
        title="What masks bring, place by place",
        profile=results["profile"],
        heads=("Model", "Detector", "Task", "Masks"),
        columns=COLUMNS,
        rows=tuple(rows),
        caption=f"Differences in points of {METRIC} on the same images, with 95 % intervals. ≈: within noise; a dash: "
        "not compared. What a model gains over its baseline but not in the first column is the work of the detector; "
        "what it does not gain in the second is room to learn in and where things are, not their shape.",
        why_empty="it trains no control",
    )


def _compared(reference: str, seeds: list[dict]) -> Cell:
    to = over(reference, seeds)
    return Cell() if to is None else Cell(to.value, by_seed=to.by_seed, difference=to, is_difference=True)


def evidence(results: dict) -> list[str]:
    """Sentences on what the table does not say: masks' quality, edges, refinement, failed training."""
    parts = (_quality, _edges, _refinement, _unlearned)
    return [sentence for part in parts for sentence in part(results)]


def _quality(results: dict) -> list[str]:
    measured = results.get("transfer_quality") or {}
    mode = (results.get("grounding") or {}).get("transfer")
    if mode not in measured or RECTANGLES not in measured:
        return []
    borrowed, boxes = (mean(v for v in measured[name].values() if v is not None) for name in (mode, RECTANGLES))
    return [
        f"Borrowed masks overlap true ones by {100 * borrowed:.1f} % (intersection over union, mean over classes); "
        f"rectangles do by {100 * boxes:.1f} %. What true masks would add beyond the rows above is lost there."
    ]


def _edges(results: dict) -> list[str]:
    rungs: dict[tuple, dict[str, float]] = {}  # by place and number of seeds: single runs and means do not mix
    for row, seeds in lines(results).items():
        value = mean_of(seeds, METRIC)
        if row.is_grounded and not row.detector.disjoint and value is not None:
            rungs.setdefault((row.place, len(seeds)), {})[label_of(row)] = 100 * value
    changes = [
        values[RUNGS[5]] - values[RUNGS[2]] for values in rungs.values() if values.keys() >= {RUNGS[2], RUNGS[5]}
    ]
    if not changes:
        return []
    return [
        f"Masks in nodes and edges differ from masks in nodes alone by {signed(mean(changes))} points of {METRIC}, the "
        f"mean of {places(len(changes))}."
    ]


def _refinement(results: dict) -> list[str]:
    changes = [
        row["masks"]["AP"] - row["unrefined_masks"]["AP"]
        for row in results["experiments"].values()
        if row.get("masks") and row.get("unrefined_masks") and row["masks"].get("AP") is not None
    ]
    if not changes:
        return []
    higher = sum(change > 0 for change in changes)
    return [
        f"Refinement changes the average precision of masks by {signed(100 * mean(changes))} points in the mean of "
        f"{len(changes)} rows; {higher} of them are higher."
    ]


def _unlearned(results: dict) -> list[str]:
    """Rows whose training has failed."""
    failed = [
        f"{', '.join(place_labels(row))}, {METHODS[row.method]} ({value:.1f})"
        for row, value in unlearned(results).items()
    ]
    listed = "; ".join(failed)
    return [f"Below the frequency table, so not learned, and no evidence either way: {listed}."] if failed else []
