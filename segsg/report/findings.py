"""Where grounding helps and where it does not: gains over baselines, by task, model, detector and predicate."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean

from segsg.report.cells import Difference, difference
from segsg.report.tables import plain_systems
from segsg.study.names import TASKS, detector_name, model_name
from segsg.study.rows import BASELINE, FREQUENCY, GROUNDED, System, baseline_of

METRIC = "mR@50"
GROUPS = ("head", "body", "tail")
"""predicates by how often they occur in training"""
AXES: dict[str, Callable[[System], str]] = {
    "Task": lambda one: TASKS[one.task],
    "Model": lambda one: model_name(one.model),
    "Detector": lambda one: detector_name(one.backbone),
}


@dataclass(frozen=True)
class Slice:
    """Seg-grounded minus baseline over the cells of one value of one axis, in points."""

    axis: str
    name: str
    gains: tuple[Difference, ...]

    @property
    def mean(self) -> float:
        return mean(gain.value for gain in self.gains)

    @property
    def higher(self) -> int:
        return sum(gain.value > 0 for gain in self.gains)

    @property
    def beyond(self) -> tuple[int, int]:
        """Cells whose gain, and whose loss, neither images nor seeds explain."""
        clear = [gain.value for gain in self.gains if not gain.is_noise]
        return sum(value > 0 for value in clear), sum(value < 0 for value in clear)


def gains(results: dict, metric: str = METRIC) -> dict[System, Difference]:
    """Of each seg-grounded system with a baseline, if both have learned something."""
    failed = unlearned(results)
    found = {
        one: difference([row.get("comparisons", {}).get(BASELINE, {}).get(metric) for row in rows])
        for one, rows in plain_systems(results).items()
        if one.method == GROUNDED and not {one, baseline_of(one)} & failed.keys()
    }
    return {one: gain for one, gain in found.items() if gain is not None}


def unlearned(results: dict) -> dict[System, float]:
    """What a table of frequencies beats, and its value in per cent: training failed, and differences mean nothing."""
    chosen = {one: mean_of(rows, METRIC) for one, rows in plain_systems(results).items()}
    floor = {(one.backbone, one.task): value for one, value in chosen.items() if one.method == FREQUENCY}
    return {
        one: 100 * value
        for one, value in chosen.items()
        if None not in (value, least := floor.get((one.backbone, one.task))) and value < least
    }


def slices(results: dict) -> list[Slice]:
    """All cells, then the cells by task, model and detector, and by how frequent predicates are."""
    found = gains(results)
    if not found:
        return []
    made = [Slice("", "all cells", tuple(found.values()))]
    for axis, name_of in AXES.items():
        names = dict.fromkeys(map(name_of, found))
        made += [Slice(axis, n, tuple(gain for one, gain in found.items() if name_of(one) == n)) for n in names]
    return made


def frequency_gains(results: dict) -> dict[str, float]:
    """Mean gain in the recall of frequent, middling and rare predicates, over all cells, in points."""
    chosen = plain_systems(results)
    found: dict[str, list[float]] = {group: [] for group in GROUPS}
    for one in gains(results):
        for group, values in found.items():
            metric = METRIC.replace("@", f"_{group}@")
            pair = [mean_of(chosen.get(system, []), metric) for system in (one, baseline_of(one))]
            if None not in pair:
                values.append(100 * (pair[0] - pair[1]))
    return {group: mean(values) for group, values in found.items() if values}


def mean_of(rows: list[dict], metric: str) -> float | None:
    """The mean of a metric over the seeds of a system; None unless all have it."""
    values = [(row["metrics"].get(metric) or {}).get("value") for row in rows]
    return mean(values) if values and None not in values else None
