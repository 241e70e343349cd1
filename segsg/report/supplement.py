"""Tables beside the paper's main ones: recall predicate by predicate, and results on some of the test images."""

from dataclasses import replace

from segsg.evaluation.protocol import PAPER
from segsg.report.cells import Cell
from segsg.report.flat import is_rising
from segsg.report.mask_tables import before_and_after, mean_of_known, place_name
from segsg.report.recall_tables import (
    HEADS,
    MEAN_RECALLS,
    ZERO_SHOT,
    Lines,
    Part,
    caption,
    measured_lines,
    order,
    recall_lines,
    recall_rows,
    task_columns,
    whole,
)
from segsg.report.table import Table, TableRow
from segsg.study.names import METHODS
from segsg.study.rows import BASELINE, GROUNDED, Row, lines

PREDICATE_RECALL = "R@50"


def compared_lines(results: dict) -> dict[Row, tuple[list[dict], list[dict]]]:
    """For each grounded line with a baseline, the seeds of the baseline and its own."""
    chosen = recall_lines(results)
    return {row: (chosen[row.baseline], chosen[row]) for row in chosen if row.is_grounded and row.baseline in chosen}


def predicates(results: dict) -> Table:
    """Recall of each predicate without and with grounding, most frequent in training first."""
    pairs = {place_name(row): pair for row, pair in compared_lines(results).items()}
    facts = next((seeds[0]["predicates"] for _, seeds in pairs.values()), {"names": []})
    names, blank = (METHODS[BASELINE], METHODS[GROUNDED]), [""] * len(facts["names"])
    labels = zip(facts["names"], facts.get("training", blank), facts.get("group", blank), strict=True)
    rows = []
    for i, (name, count, group) in enumerate(labels):
        recalls = {place: [_recall(seeds, i) for seeds in pair] for place, pair in pairs.items()}
        cells = {c: x for place, values in recalls.items() for c, x in before_and_after(place, names, *values).items()}
        rows.append(TableRow((name, str(count), group), cells))
    rows.sort(key=lambda row: -int(row.labels[1] or 0))
    columns = {column: None for place in pairs for column in before_and_after(place, names, None, None)}
    return Table(
        name="predicates",
        title="Recall of each predicate",
        profile=results["profile"],
        heads=("Predicate", "Training relations", "Group"),
        columns=tuple(columns),
        rows=tuple(rows),
        rising=frozenset(column for column in columns if is_rising(pairs[column[0]])),
        caption=f"{PREDICATE_RECALL} in per cent, over the images that hold the predicate, and the gain in points; a "
        "predicate that no test image holds has a dash. A rare predicate is in few images: its gain is mostly noise.",
        why_empty="no model was trained with and without grounding",
    )


def _recall(seeds: list[dict], i: int) -> float | None:
    return mean_of_known(seed["predicates"][PREDICATE_RECALL][i] for seed in seeds)


def no_overlap_mean(results: dict) -> Table:
    """The paper's A4: mean recall without photos that are in both data sets."""
    return _no_overlap(results, "no_overlap_mean", "Mean recall", MEAN_RECALLS)


def no_overlap_zero(results: dict) -> Table:
    """The paper's A5: zero-shot recall without photos that are in both data sets."""
    return _no_overlap(results, "no_overlap_zero", "Zero-shot recall", ZERO_SHOT)


def _no_overlap(results: dict, name: str, what: str, metrics: tuple[str, ...]) -> Table:
    return _by_photos(
        _sources(results),
        metrics,
        name=name,
        title=f"{what} without shared photos",
        profile=results["profile"],
        what=f"{what} in per cent, with and without test photos that the mask set holds",
        why_empty="its data sets share no photo",
    )


def paper_images(results: dict) -> Table:
    """Mean recall on the test images that the paper keeps, beside that on all: its protocol leaves out crowded ones."""
    plain = recall_lines(results)
    return _by_photos(
        {"all": (plain, whole), f"at most {PAPER.most_boxes} boxes": (plain, _part("paper_images"))},
        MEAN_RECALLS,
        name="paper_images",
        title="Mean recall under the paper's protocol",
        profile=results["profile"],
        what=f"Mean recall in per cent; the paper leaves out test photos with more than {PAPER.most_boxes} true boxes",
        why_empty=f"none of its test photos has more than {PAPER.most_boxes} boxes, so the paper's protocol keeps all",
    )


def _part(name: str) -> Part:
    return lambda row: row.get(name) or {}


def _by_photos(
    sources: dict[str, tuple[Lines, Part]],
    metrics: tuple[str, ...],
    *,
    name: str,
    title: str,
    profile: str,
    what: str,
    why_empty: str,
) -> Table:
    """A table of recalls that says in its last head on which photos; empty where the first source alone has rows."""
    measured = {label: measured_lines(chosen, metrics[0], part) for label, (chosen, part) in sources.items()}
    shown = [label for label, chosen in measured.items() if chosen]
    rows = [
        replace(row, labels=(*row.labels, label))
        for label in (shown if len(shown) > 1 else [])
        for row in recall_rows(measured[label], metrics, part=sources[label][1])
    ]
    everything = {row: seeds for label in shown for row, seeds in measured[label].items()}
    columns = task_columns(everything, metrics)
    return Table(
        name=name,
        title=title,
        profile=profile,
        heads=(*HEADS, "Photos"),
        columns=columns,
        rows=tuple(replace(row, cells={c: row.cells.get(c, Cell()) for c in columns}) for row in rows),
        caption=caption(what, everything, papers="") + " Differences are taken over the photos of the row.",
        why_empty=why_empty,
    )


def _sources(results: dict) -> dict[str, tuple[Lines, Part]]:
    """Which lines and which part of their seeds each kind of row of the tables shows."""
    plain = recall_lines(results)
    disjoint = {row: seeds for row, seeds in lines(results).items() if row.detector.disjoint and _is_plain_else(row)}
    return {
        "all": (plain, whole),
        "test photos of one set": (plain, _part("unshared")),
        "detector trained without them": ({row: disjoint[row] for row in sorted(disjoint, key=order)}, whole),
    }


def _is_plain_else(row: Row) -> bool:
    """Whether a row would be plain if its detector were not disjoint."""
    return replace(row, detector=replace(row.detector, disjoint=False)).is_plain
