"""Tables 1 and 3 from results.json and the paper's values: computed, never typed."""

from collections.abc import Callable, Iterable, Sequence

from segsg.report.cells import Cell, cell
from segsg.report.choice import FULL, full, ours
from segsg.report.layout import Column, Row, Table
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
from segsg.study.rows import BASELINE, GROUNDED, System, seeds

MEAN_RECALLS = ("mR@20", "mR@50", "mR@100")
ZERO_SHOT = ("zsR@20", "zsR@100")
HEADS = ("Model", "Detector", "Method")
PAPERS = " / the paper's (matched: printed, its row inferred; recalled: from the literature, not verified)"
SEEDS = "; of several seeds the mean, with their standard deviation (±); differences are between runs of equal seed"
UNREFINED = " Masks of a seg-grounded row are as borrowed; the paper's are refined (its Final Model)."
PUBLISHED = "published"
Systems = dict[System, list[dict]]
"""systems with the rows of results.json that are their seeds"""
Line = tuple[str, str, str]
"""(model, backbone, method)"""
Part = Callable[[dict], dict]
"""a row of results.json -> the part of it that holds the wanted `metrics` and `comparisons`"""


def table1(results: dict, paper: dict) -> Table:
    """Mean recall of every plain system, and what was published of its model."""
    chosen = plain_systems(results)
    published = paper["table1"]
    return Table(
        "table1",
        "Table 1: mean recall",
        results["profile"],
        HEADS,
        task_columns(chosen, MEAN_RECALLS),
        (*_published_rows(chosen, published), *recall_rows(chosen, MEAN_RECALLS, published)),
        recall_caption("Mean recall in per cent, with graph constraint", chosen),
        f"The study “{results['profile']}” has no row for this table: it evaluates no model with its plain settings.",
    )


def table3(results: dict, paper: dict) -> Table:
    """Recall of triplets never seen in training, of every plain system."""
    chosen = measured_systems(plain_systems(results), ZERO_SHOT[0])
    return Table(
        "table3",
        "Table 3: zero-shot recall",
        results["profile"],
        HEADS,
        task_columns(chosen, ZERO_SHOT),
        recall_rows(chosen, ZERO_SHOT, paper["table3"]),
        recall_caption("Recall in per cent of relations whose triplet never occurs in training", chosen),
        f"The study “{results['profile']}” has no row for this table: it tests no triplet unseen in training.",
    )


def plain_systems(results: dict) -> Systems:
    """Systems of tables 1 and 3 in the order of the paper's tables, those with refined masks and “ours” among them."""
    chosen = {one: rows for one, rows in seeds(results).items() if one.plain} | full(results) | ours(results)
    return {one: chosen[one] for one in sorted(chosen, key=order)}


def whole(row: dict) -> dict:
    """All test images."""
    return row


def measured_systems(chosen: Systems, metric: str, part: Part = whole) -> Systems:
    """Those of which a seed has a value of the metric."""

    def has(row: dict) -> bool:
        return (part(row).get("metrics", {}).get(metric) or {}).get("value") is not None

    return {one: rows for one, rows in chosen.items() if any(map(has, rows))}


def order(one: System) -> tuple:
    """Models as `names` lists them, within them detectors, then methods, then tasks."""
    tasks = rank(TASKS, one.task)
    return rank(MODELS, one.model), rank(DETECTORS, one.backbone), rank(METHODS, one.method), tasks


def task_columns(chosen: Iterable[System], metrics: Sequence[str]) -> tuple[Column, ...]:
    """Every metric under every task that a system has."""
    tasks = {one.task for one in chosen}
    return tuple((name, metric) for task, name in TASKS.items() if task in tasks for metric in metrics)


def caption(what: str, chosen: Systems, papers: str = PAPERS) -> str:
    """How to read the table."""
    seeds_too = SEEDS if any(len(rows) > 1 for rows in chosen.values()) else ""
    return (
        f"{what}: ours with its 95 % interval over images{papers}{seeds_too}. ≈: within noise of its baseline; "
        "a dash: no number."
    )


def recall_caption(what: str, chosen: Systems, papers: str = PAPERS) -> str:
    """That of a table whose seg-grounded rows are plain ones."""
    return caption(what, chosen, papers) + (UNREFINED if any(one.method == GROUNDED for one in chosen) else "")


def recall_rows(
    chosen: Systems, metrics: Sequence[str], published: Sequence[dict] = (), part: Part = whole
) -> tuple[Row, ...]:
    """A line for each model, detector and method, its tasks beside each other."""
    lines: dict[Line, dict[str, list[dict]]] = {}
    for one, rows in chosen.items():
        lines.setdefault((one.model, one.backbone, one.method), {})[one.task] = rows
    columns = task_columns(chosen, metrics)
    return tuple(
        Row(_labels(line), _cells(by_task, columns, _published(published, line), part))
        for line, by_task in lines.items()
    )


def _labels(line: Line) -> tuple[str, str, str]:
    model, backbone, method = line
    return model_name(model), detector_name(backbone), method_name(method)


def _cells(
    by_task: dict[str, list[dict]], columns: Sequence[Column], published: dict, part: Part
) -> dict[Column, Cell]:
    cells = {}
    for task, name in TASKS.items():
        mine = [column for column in columns if column[0] == name]
        parts = [part(row) for row in by_task.get(task, [])]
        for place, (_, metric) in enumerate(mine):
            compared = [p.get("comparisons", {}).get(BASELINE, {}).get(metric) for p in parts]
            paper = published[task][place] if published else None
            found = [p.get("metrics", {}).get(metric) for p in parts]
            cells[(name, metric)] = cell(found, paper, published.get("status", ""), compared)
    return cells


def _published(published: Sequence[dict], line: Line) -> dict:
    model, backbone, method = line
    method = GROUNDED if method == FULL else method
    for row in published:
        if (row["model"], row["detector"], row["method"]) == (MODELS.get(model), PAPER_DETECTORS.get(backbone), method):
            return row
    return {}


def _published_rows(chosen: Systems, published: list[dict]) -> tuple[Row, ...]:
    """What others reported of the study's models, with the paper's detector."""
    models = dict.fromkeys(MODELS.get(one.model) for one in chosen)
    rows = [row for model in models for row in published if (row["model"], row["method"]) == (model, PUBLISHED)]
    columns = task_columns(chosen, MEAN_RECALLS)
    return tuple(Row((row["model"], row["detector"], PUBLISHED), _cells({}, columns, row, whole)) for row in rows)
