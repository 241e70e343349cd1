"""Tables 1 and 3 from results.json and the paper's values, and which of a study's rows stand in them.

Beside the rows that the study sets stand the paper's full model (“full”, its Final Model) and “ours”: the variant that
wins on validation images. Test images have no say in that choice, so its numbers on them can be trusted.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from segsg.report.cells import Cell, cell
from segsg.report.flat import is_rising
from segsg.report.table import Column, Table, TableRow
from segsg.study.names import (
    DETECTORS,
    METHODS,
    MODELS,
    PAPER_DETECTORS,
    TASKS,
    detector_name,
    method_name,
    model_name,
    rank,
)
from segsg.study.rows import BASELINE, GROUNDED, REFINEMENT, Row, lines

METRIC = "mR@50"
"""the metric of findings and choices"""
MEAN_RECALLS = ("mR@20", METRIC, "mR@100")
ZERO_SHOT = ("zsR@20", "zsR@100")
HEADS = ("Model", "Detector", "Method")
PAPERS = " / the paper's (matched: printed, its row inferred; recalled: from the literature, not verified)"
SEEDS = "; of several seeds the mean, with their standard deviation (±); differences are between runs of equal seed"
UNREFINED = " Masks of a seg-grounded row are as borrowed; the paper's are refined (its Final Model)."
IMP_IS_BIASED = (
    "IMP has the frequency bias here, as all our models have. Scene-Graph-Benchmark's IMP has none: numbers measured "
    "with that code are of another model."
)
PUBLISHED, FULL, OURS = "published", "full", "ours"
"""methods of a table's rows that are no methods of the study's rows"""
Changes = tuple[tuple[str, object], ...]
"""`Row.changes`"""
REFINED: Changes = ((REFINEMENT, "inference"),)
"""what makes the paper's Final Model (table 4) of its EG_Gaussian, which a row of the grid is"""
RECIPES = ((), REFINED)
"""the paper's own variants"""
Lines = dict[Row, list[dict]]
"""lines of the study with their measured seeds, as `segsg.study.rows.lines` gives them"""
Part = Callable[[dict], dict]
"""a row of results.json -> the part of it that holds the wanted `metrics` and `comparisons`"""


def table1(results: dict, paper: dict) -> Table:
    """Mean recall of every plain row, and what was published of its model."""
    chosen, published = recall_lines(results), paper["table1"]
    return Table(
        name="table1",
        title="Table 1: mean recall",
        profile=results["profile"],
        heads=HEADS,
        columns=task_columns(chosen, MEAN_RECALLS),
        rows=(*_published_rows(chosen, published), *recall_rows(chosen, MEAN_RECALLS, published)),
        caption=recall_caption("Mean recall in per cent, with graph constraint", chosen),
        why_empty="it evaluates no model with its plain settings",
        notes=(IMP_IS_BIASED,) if any(row.model == "imp" for row in chosen) else (),
    )


def table3(results: dict, paper: dict) -> Table:
    """Recall of triplets never seen in training, of every plain row."""
    chosen = measured_lines(recall_lines(results), ZERO_SHOT[0])
    return Table(
        name="table3",
        title="Table 3: zero-shot recall",
        profile=results["profile"],
        heads=HEADS,
        columns=task_columns(chosen, ZERO_SHOT),
        rows=recall_rows(chosen, ZERO_SHOT, paper["table3"]),
        caption=recall_caption("Recall in per cent of relations whose triplet never occurs in training", chosen),
        why_empty="it tests no triplet unseen in training",
    )


def recall_lines(results: dict) -> Lines:
    """Plain lines of the study, the full model and “ours”, in the order of the paper's tables."""
    chosen = {row: seeds for row, seeds in lines(results).items() if row.is_plain} | full(results) | ours(results)
    return {row: chosen[row] for row in sorted(chosen, key=order)}


def full(results: dict) -> Lines:
    """The paper's full model wherever it was trained, under the method “full”."""
    return _wherever(results, REFINED, FULL)


def ours(results: dict) -> Lines:
    """The best candidate wherever it was trained, under the method “ours”; nothing where a recipe of the paper won."""
    ranked = candidates(results)
    changes = ranked[0].row.changes if ranked else ()
    return {} if changes in RECIPES else _wherever(results, changes, OURS)


def _wherever(results: dict, changes: Changes, method: str) -> Lines:
    return {
        replace(row, method=method, changes=()): seeds
        for row, seeds in lines(results).items()
        if row.changes == changes and row.is_grounded and not row.detector.disjoint
    }


@dataclass(frozen=True)
class Candidate:
    """A variant and its mean recall on validation images, in per cent, the mean over its seeds."""

    row: Row
    value: float
    seeds: int


def candidates(results: dict) -> list[Candidate]:
    """Variants of the place (model, detector, task) that has most of them, best first; none where one is all there is.

    Of that place only those with the most seeds: the best of several single runs owes more to luck than a mean does.
    """
    places: dict[tuple, list[Candidate]] = {}
    for row, seeds in lines(results).items():
        values = [one["validation"]["metrics"][METRIC]["value"] for one in seeds if one.get("validation")]
        if values and row.is_candidate:
            places.setdefault(row.place, []).append(Candidate(row, 100 * mean(values), len(values)))
    most = max(places.values(), key=len, default=[])
    most = [one for one in most if one.seeds == max(other.seeds for other in most)]
    return sorted(most, key=lambda candidate: -candidate.value) if len(most) > 1 else []


def whole(row: dict) -> dict:
    """The part of a row of results.json that is about all test images: the row itself."""
    return row


def measured_lines(chosen: Lines, metric: str, part: Part = whole) -> Lines:
    """The lines of which at least one seed has a value of the metric."""

    def has(row: dict) -> bool:
        return (part(row).get("metrics", {}).get(metric) or {}).get("value") is not None

    return {row: seeds for row, seeds in chosen.items() if any(map(has, seeds))}


def order(row: Row) -> tuple:
    """Sorts by model as `names` lists them, then detector, method and task."""
    tasks = rank(TASKS, row.task)
    return rank(MODELS, row.model), rank(DETECTORS, row.detector.backbone), rank(METHODS, row.method), tasks


def place_labels(row: Row) -> tuple[str, str, str]:
    """Model, detector and task as tables print them."""
    return model_name(row.model), detector_name(row.detector.backbone), TASKS[row.task]


def task_columns(chosen: Iterable[Row], metrics: Sequence[str]) -> tuple[Column, ...]:
    """Columns of a table: all `metrics` for each task that occurs in `chosen`."""
    tasks = {row.task for row in chosen}
    return tuple((name, metric) for task, name in TASKS.items() if task in tasks for metric in metrics)


def caption(what: str, chosen: Lines, papers: str = PAPERS) -> str:
    """How to read a table of recalls."""
    seeds_too = SEEDS if any(len(seeds) > 1 for seeds in chosen.values()) else ""
    return (
        f"{what}: ours with its 95 % interval over images{papers}{seeds_too}. ≈: within noise of its baseline; "
        "a dash: no number."
    )


def recall_caption(what: str, chosen: Lines, papers: str = PAPERS) -> str:
    """How to read a table of recalls whose seg-grounded rows are plain ones: their masks are not refined."""
    return caption(what, chosen, papers) + (UNREFINED if any(row.is_grounded for row in chosen) else "")


def recall_rows(
    chosen: Lines, metrics: Sequence[str], published: Sequence[dict] = (), part: Part = whole
) -> tuple[TableRow, ...]:
    """Rows of a table: one for each model, detector and method, with a group of columns for each task."""
    grouped: dict[tuple[str, str, str], dict[str, list[dict]]] = {}
    for row, seeds in chosen.items():
        grouped.setdefault((row.model, row.detector.backbone, row.method), {})[row.task] = seeds
    columns = task_columns(chosen, metrics)
    return tuple(
        TableRow(
            (model_name(model), detector_name(backbone), method_name(method)),
            _cells(by_task, columns, _published(published, model, backbone, method), part),
            is_rising(by_task.values()),
        )
        for (model, backbone, method), by_task in grouped.items()
    )


def _cells(
    by_task: dict[str, list[dict]], columns: Sequence[Column], published: dict, part: Part
) -> dict[Column, Cell]:
    cells = {}
    for task, name in TASKS.items():
        metrics = [metric for group, metric in columns if group == name]
        parts = [part(row) for row in by_task.get(task, [])]
        for i, metric in enumerate(metrics):
            compared = [p.get("comparisons", {}).get(BASELINE, {}).get(metric) for p in parts]
            measured = [p.get("metrics", {}).get(metric) for p in parts]
            paper = published[task][i] if published else None
            cells[(name, metric)] = cell(measured, paper, published.get("status", ""), compared)
    return cells


def _published(published: Sequence[dict], model: str, backbone: str, method: str) -> dict:
    method = GROUNDED if method == FULL else method
    for row in published:
        if (row["model"], row["detector"], row["method"]) == (MODELS.get(model), PAPER_DETECTORS.get(backbone), method):
            return row
    return {}


def _published_rows(chosen: Lines, published: list[dict]) -> tuple[TableRow, ...]:
    """What others reported of the study's models, with the paper's detector."""
    models = dict.fromkeys(MODELS.get(row.model) for row in chosen)
    rows = [row for model in models for row in published if (row["model"], row["method"]) == (model, PUBLISHED)]
    columns = task_columns(chosen, MEAN_RECALLS)
    return tuple(TableRow((row["model"], row["detector"], PUBLISHED), _cells({}, columns, row, whole)) for row in rows)
