"""The supplement's tables: recall predicate by predicate, and results without the images that both sets share."""

from dataclasses import replace
from statistics import mean

from segsg.report.cells import Cell, cell
from segsg.report.layout import Column, Row, Table
from segsg.report.tables import (
    HEADS,
    MEAN_RECALLS,
    ZERO_SHOT,
    Part,
    Systems,
    caption,
    measured_systems,
    order,
    plain_systems,
    recall_rows,
    task_columns,
    whole,
)
from segsg.study.names import METHODS, TASKS, detector_name, model_name
from segsg.study.rows import BASELINE, GROUNDED, System, baseline_of, seeds

PREDICATE_RECALL = "R@50"


def compared_systems(results: dict) -> dict[System, tuple[list[dict], list[dict]]]:
    """Of each grounded system, the rows of its baseline and its own."""
    chosen = plain_systems(results)
    pairs = {one: baseline_of(one) for one in chosen if one.method == GROUNDED}
    return {one: (chosen[base], chosen[one]) for one, base in pairs.items() if base in chosen}


def predicates(results: dict) -> Table:
    """Recall of each predicate without and with grounding, most frequent in training first."""
    pairs = compared_systems(results)
    columns = tuple(column for one in pairs for column in _columns(one))
    facts = next((rows[0]["predicates"] for _, rows in pairs.values()), {"names": []})
    rows = [
        Row((name, str(count), group), {c: x for one, pair in pairs.items() for c, x in _cells(one, pair, i).items()})
        for i, (name, count, group) in enumerate(zip(facts["names"], *_frequency(facts), strict=True))
    ]
    rows.sort(key=lambda row: -int(row.labels[1] or 0))
    return Table(
        "predicates",
        "Recall of each predicate",
        results["profile"],
        ("Predicate", "Training relations", "Group"),
        columns,
        tuple(rows),
        f"{PREDICATE_RECALL} in per cent, over the images that hold the predicate, and the gain in points; a predicate "
        "that no test image holds has a dash. A rare predicate is in few images: its gain is mostly noise.",
        f"The study “{results['profile']}” has no row for this table: no model was trained with and without grounding.",
    )


def _frequency(facts: dict) -> tuple[list, list]:
    blank = [""] * len(facts["names"])
    return facts.get("training", blank), facts.get("group", blank)


def _columns(one: System) -> list[Column]:
    place = " · ".join((model_name(one.model), detector_name(one.backbone), TASKS[one.task]))
    return [(place, name) for name in (METHODS[BASELINE], METHODS[GROUNDED], "gain")]


def _cells(one: System, pair: tuple[list[dict], list[dict]], i: int) -> dict[Column, Cell]:
    before, after = (_recall(rows, i) for rows in pair)
    values = (before, after, None if before is None or after is None else after - before)
    return {column: cell([{"value": value}]) for column, value in zip(_columns(one), values, strict=True)}


def _recall(rows: list[dict], i: int) -> float | None:
    known = [row["predicates"][PREDICATE_RECALL][i] for row in rows]
    known = [value for value in known if value is not None]
    return mean(known) if known else None


def no_overlap_mean(results: dict) -> Table:
    """The paper's A4: mean recall without photos that are in both data sets."""
    return _no_overlap(results, "no_overlap_mean", "Mean recall", MEAN_RECALLS)


def no_overlap_zero(results: dict) -> Table:
    """The paper's A5: zero-shot recall without photos that are in both data sets."""
    return _no_overlap(results, "no_overlap_zero", "Zero-shot recall", ZERO_SHOT)


def _no_overlap(results: dict, name: str, what: str, metrics: tuple[str, ...]) -> Table:
    sources = _sources(results)
    apart = {label: measured_systems(systems, metrics[0], part) for label, (systems, part) in sources.items()}
    shown = [label for label, systems in apart.items() if systems]
    rows = [
        Row((*row.labels, label), row.cells)
        for label in (shown if len(shown) > 1 else [])
        for row in recall_rows(apart[label], metrics, part=sources[label][1])
    ]
    everything = {one: rows for label in shown for one, rows in apart[label].items()}
    columns = task_columns(everything, metrics)
    return Table(
        name,
        f"{what} without shared photos",
        results["profile"],
        (*HEADS, "Photos"),
        columns,
        tuple(Row(row.labels, {c: row.cells.get(c, Cell()) for c in columns}) for row in rows),
        caption(f"{what} in per cent, with and without test photos that the mask set holds", everything, papers="")
        + " Differences are taken over the photos of the row.",
        f"The study “{results['profile']}” has no row for this table: its data sets share no photo.",
    )


def _sources(results: dict) -> dict[str, tuple[Systems, Part]]:
    """Which systems and which part of their rows each kind of row of the tables shows."""
    plain = plain_systems(results)
    apart = {one: rows for one, rows in seeds(results).items() if one.disjoint and replace(one, disjoint=False).plain}
    return {
        "all": (plain, whole),
        "test photos of one set": (plain, lambda row: row.get("unshared") or {}),
        "detector trained without them": ({one: apart[one] for one in sorted(apart, key=order)}, whole),
    }
