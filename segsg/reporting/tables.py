"""Table 1 from results.json and the paper's values: computed, never typed."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import mean

from segsg.reporting.names import DETECTORS, METHODS, MODELS, PAPER_DETECTORS, TASKS

METRICS = ("mR@20", "mR@50", "mR@100")
COMPARABLE = "paper"
"""the one profile whose numbers may stand beside the paper's"""
EMPTY = "–"
CSV_COLUMNS = ("profile", "model", "detector", "method", "task", "metric")
CSV_COLUMNS += ("value", "low", "high", "seeds", "paper", "paper_status")


@dataclass(frozen=True)
class Cell:
    """One number of a table in per cent, with its interval, and the paper's where it has one.

    With several seeds `value` is their mean, and the interval spans all of theirs. `status` says how sure the paper's
    number is: printed, matched (printed, its row inferred) or recalled (from the literature, not verified).
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: int = 0
    paper: float | None = None
    status: str = ""

    @property
    def ours(self) -> str:
        """ "12.3 [11.8–12.9]", or a dash for a row that this study did not run."""
        return EMPTY if self.value is None else f"{self.value:.1f} [{self.low:.1f}–{self.high:.1f}]"

    @property
    def theirs(self) -> str:
        """ "14.1", "14.1 (matched)", or a dash."""
        if self.paper is None:
            return EMPTY
        return f"{self.paper:.1f}" + ("" if self.status == "printed" else f" ({self.status})")


@dataclass(frozen=True)
class Row:
    """One line of a table; `cells` by (task, metric)."""

    model: str
    detector: str
    method: str
    cells: dict[tuple[str, str], Cell]


@dataclass(frozen=True)
class Table:
    profile: str
    rows: tuple[Row, ...]
    tasks: tuple[str, ...]
    metrics: tuple[str, ...] = METRICS

    @property
    def banner(self) -> str:
        """What a reader must know before comparing two columns; empty where they may be compared."""
        if self.profile == COMPARABLE:
            return ""
        return (
            f"{self.profile} world: not comparable with the paper's numbers, which are printed beside for orientation"
        )

    @property
    def columns(self) -> list[tuple[str, str]]:
        return [(task, metric) for task in self.tasks for metric in self.metrics]


def table1(results: dict, paper: dict) -> Table:
    """Mean recall of every plain row of the study: (model, detector, method) by (task, metric).

    Rows that change the section `grounding` are ablations and not part of this table. A metric that an experiment
    lacks is an empty cell.
    """
    plain = [row for row in results["experiments"].values() if not row.get("grounding")]
    backbones = {key: row["backbone"] for key, row in results["detectors"].items()}
    lines = dict.fromkeys((row["model"], backbones[row["detector"]], row["method"]) for row in plain)
    tasks = tuple(task for task in TASKS if any(row["task"] == task for row in plain))
    rows = []
    for model, backbone, method in lines:
        mine = [r for r in plain if (r["model"], backbones[r["detector"]], r["method"]) == (model, backbone, method)]
        published = _published(paper, model, backbone, method)
        cells = {
            (task, metric): _cell([r["metrics"].get(metric) for r in mine if r["task"] == task], published, task, i)
            for task in tasks
            for i, metric in enumerate(METRICS)
        }
        rows.append(
            Row(MODELS.get(model, model), DETECTORS.get(backbone, backbone), METHODS.get(method, method), cells)
        )
    return Table(results["profile"], tuple(rows), tasks)


def _published(paper: dict, model: str, backbone: str, method: str) -> dict:
    for row in paper["table1"]:
        if (row["model"], row["detector"], row["method"]) == (MODELS.get(model), PAPER_DETECTORS.get(backbone), method):
            return row
    return {}


def _cell(measured: list[dict | None], published: dict, task: str, position: int) -> Cell:
    found = [m for m in measured if m is not None and m["value"] is not None]
    paper = published[task][position] if published else None
    status = published["status"] if published else ""
    if not found:
        return Cell(paper=paper, status=status)
    value, low, high = mean(m["value"] for m in found), min(m["low"] for m in found), max(m["high"] for m in found)
    return Cell(100 * value, 100 * low, 100 * high, len(found), paper, status)


def to_csv(table: Table) -> str:
    """One line per cell, for machines: per cent with two digits, empty where there is no number."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in table.rows:
        for (task, metric), cell in row.cells.items():
            numbers = [_digits(number) for number in (cell.value, cell.low, cell.high)]
            line = [table.profile, row.model, row.detector, row.method, TASKS[task], metric, *numbers]
            writer.writerow([*line, cell.seeds, _digits(cell.paper), cell.status])
    return stream.getvalue()


def _digits(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}"


def to_markdown(table: Table) -> str:
    """For readers on a forge: our number with its interval, and the paper's after a slash."""
    head = ["Model", "Detector", "Method", *(f"{TASKS[task]} {metric}" for task, metric in table.columns)]
    body = [
        [row.model, row.detector, row.method, *(f"{row.cells[c].ours} / {row.cells[c].theirs}" for c in table.columns)]
        for row in table.rows
    ]
    lines = [_line(head), _line(["---"] * len(head)), *map(_line, body)]
    banner = [f"**{table.banner}.**", ""] if table.banner else []
    return "\n".join([*banner, CAPTION, "", *lines]) + "\n"


CAPTION = (
    "Mean recall in per cent, with graph constraint: ours with its 95 % interval over images / the paper's. "
    "(matched): printed, its row inferred; (recalled): from the literature, not verified; a dash: no number."
)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


@dataclass(frozen=True)
class Gain:
    """Seg-grounded minus baseline over the cells that have both, in points of mean recall."""

    cells: int
    mean: float
    higher: int
    separate: int
    """cells whose intervals do not even overlap"""


def gain(table: Table) -> Gain | None:
    """None if no baseline has its seg-grounded counterpart."""
    by_line = {(row.model, row.detector, row.method): row.cells for row in table.rows}
    pairs = [
        (cells[column], by_line[(model, detector, METHODS["seg-grounded"])][column])
        for (model, detector, method), cells in by_line.items()
        if method == METHODS["baseline"] and (model, detector, METHODS["seg-grounded"]) in by_line
        for column in table.columns
    ]
    pairs = [(b, g) for b, g in pairs if b.value is not None and g.value is not None]
    if not pairs:
        return None
    higher, separate = sum(g.value > b.value for b, g in pairs), sum(g.low > b.high or g.high < b.low for b, g in pairs)
    return Gain(len(pairs), mean(g.value - b.value for b, g in pairs), higher, separate)
