"""Where grounding helps: differences of grounded lines to what they are compared with, by task, model and detector."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import mean

from segsg.report.cells import Difference, difference
from segsg.report.recall_tables import METRIC, Lines, recall_lines
from segsg.study.names import TASKS, detector_name, model_name
from segsg.study.rows import BASELINE, FREQUENCY, Row

GROUPS = ("head", "body", "tail")
"""predicates by how often they occur in training"""
AXES: dict[str, Callable[[Row], str]] = {
    "Task": lambda row: TASKS[row.task],
    "Model": lambda row: model_name(row.model),
    "Detector": lambda row: detector_name(row.detector.backbone),
}


@dataclass(frozen=True)
class Slice:
    """Seg-grounded minus baseline over the cells of one value of one axis, in points."""

    axis: str
    name: str
    gains: tuple[Difference, ...]

    @property
    def mean(self) -> float:
        """Mean gain."""
        return mean(gain.value for gain in self.gains)

    @property
    def higher(self) -> int:
        """How many cells gain at all."""
        return sum(gain.value > 0 for gain in self.gains)

    @property
    def clear(self) -> tuple[int, int]:
        """How many cells gain, and how many lose, what neither images nor seeds explain."""
        return clear(self.gains)


def clear(differences: Iterable[Difference]) -> tuple[int, int]:
    """How many differences are clearly above 0, and how many clearly below."""
    values = [one.value for one in differences if not one.is_noise]
    return sum(value > 0 for value in values), sum(value < 0 for value in values)


def over(reference: str, seeds: list[dict], metric: str = METRIC) -> Difference | None:
    """A line's difference to `reference` (baseline, joint or rectangles); None if it was not compared with it."""
    return difference([seed.get("comparisons", {}).get(reference, {}).get(metric) for seed in seeds])


def grounded_over(reference: str, results: dict) -> dict[Row, Difference]:
    """The difference to `reference` of each grounded line that is compared with it."""
    compared = {row: over(reference, seeds) for row, seeds in recall_lines(results).items() if row.is_grounded}
    return {row: gain for row, gain in compared.items() if gain is not None}


def gains(results: dict) -> dict[Row, Difference]:
    """The difference to the baseline of each grounded line, where both have learned something."""
    failed = unlearned(results).keys()
    return {row: gain for row, gain in grounded_over(BASELINE, results).items() if not {row, row.baseline} & failed}


def unlearned(results: dict) -> dict[Row, float]:
    """Lines that a table of frequencies beats, with their value in per cent: a failed training says nothing."""
    means = {row: mean_of(seeds, METRIC) for row, seeds in recall_lines(results).items()}
    floors = {(row.detector.backbone, row.task): value for row, value in means.items() if row.method == FREQUENCY}
    failed = {}
    for row, value in means.items():
        floor = floors.get((row.detector.backbone, row.task))
        if value is not None and floor is not None and value < floor:
            failed[row] = 100 * value
    return failed


def slices(results: dict) -> list[Slice]:
    """All cells, then the cells by task, model and detector; nothing without comparisons."""
    measured = gains(results)
    if not measured:
        return []
    made = [Slice("", "all cells", tuple(measured.values()))]
    for axis, name_of in AXES.items():
        names = dict.fromkeys(map(name_of, measured))
        made += [Slice(axis, n, tuple(gain for row, gain in measured.items() if name_of(row) == n)) for n in names]
    return made


def frequency_gains(results: dict) -> dict[str, float]:
    """Mean gain in the recall of frequent, middling and rare predicates, over all cells, in points."""
    chosen: Lines = recall_lines(results)
    measured: dict[str, list[float]] = {group: [] for group in GROUPS}
    for row in gains(results):
        for group, values in measured.items():
            metric = METRIC.replace("@", f"_{group}@")
            after, before = (mean_of(chosen.get(line, []), metric) for line in (row, row.baseline))
            if after is not None and before is not None:
                values.append(100 * (after - before))
    return {group: mean(values) for group, values in measured.items() if values}


def mean_of(seeds: list[dict], metric: str) -> float | None:
    """The mean of a metric over the seeds of a line; None unless all have it."""
    values = [(seed["metrics"].get(metric) or {}).get("value") for seed in seeds]
    return mean(values) if values and None not in values else None


def places(count: int) -> str:
    """So many places in words."""
    return f"{count} {'place' if count == 1 else 'places'}"
