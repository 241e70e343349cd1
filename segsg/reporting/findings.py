"""Where grounding helps and where it does not, in the report's own words, and what is known of why.

Every sentence is made from results.json; none is kept that its numbers do not bear out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean

from segsg.reporting.ablation import label_of
from segsg.reporting.cells import Difference, difference, interval
from segsg.reporting.names import TASKS, detector_name, model_name
from segsg.reporting.rows import BASELINE, GROUNDED, ORACLE, RECTANGLES, System, control_of, seeds
from segsg.reporting.tables import plain_systems

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
    """Of each seg-grounded system with a baseline."""
    found = {
        one: difference([row.get("comparisons", {}).get(BASELINE, {}).get(metric) for row in rows])
        for one, rows in plain_systems(results).items()
        if one.method == GROUNDED
    }
    return {one: gain for one, gain in found.items() if gain is not None}


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
        base = System(one.model, one.backbone, False, BASELINE, one.task)
        for group, values in found.items():
            metric = METRIC.replace("@", f"_{group}@")
            pair = [_mean_of(chosen.get(system, []), metric) for system in (one, base)]
            if None not in pair:
                values.append(100 * (pair[0] - pair[1]))
    return {group: mean(values) for group, values in found.items() if values}


def _mean_of(rows: list[dict], metric: str) -> float | None:
    values = [(row["metrics"].get(metric) or {}).get("value") for row in rows]
    return mean(values) if values and None not in values else None


def evidence(results: dict) -> list[str]:
    """Sentences on why: pixels against rectangles, true masks, masks' quality, edges, refinement."""
    return [*_pixels(results), *_quality(results), *_edges(results), *_refinement(results)]


def _place(one: System) -> str:
    return f"{model_name(one.model)}, {detector_name(one.backbone)}, {TASKS[one.task]}"


def _pixels(results: dict) -> list[str]:
    everything, said = seeds(results), []
    for one, rows in plain_systems(results).items():
        against = difference([row.get("comparisons", {}).get(RECTANGLES, {}).get(METRIC) for row in rows])
        if against is None or one.method != GROUNDED:
            continue
        true = control_of(results, one, ORACLE, everything)
        best = difference([r.get("comparisons", {}).get(RECTANGLES, {}).get(METRIC) for r in everything.get(true, [])])
        said.append(f"{_place(one)}: {_verdict(against)}{_ceiling(best)}")
    return said


def _verdict(against: Difference) -> str:
    numbers = f"{against.value:+.1f} points of {METRIC} {interval(against.low, against.high)}".replace("-", "−")
    if against.is_noise:
        meaning = "within noise: what the row gains over its baseline may be capacity and layout, not shape"
    else:
        meaning = "shape helps beyond boxes" if against.value > 0 else "the borrowed masks do harm"
    return f"masks instead of rectangles in the same network give {numbers}, {meaning}."


def _ceiling(best: Difference | None) -> str:
    if best is None:
        return ""
    numbers = f"{best.value:+.1f} {interval(best.low, best.high)}".replace("-", "−")
    if best.is_noise:
        return f" True masks give {numbers}: there is little to gain from shape here."
    return f" True masks give {numbers}: the signal is in the pixels, and better masks would bring it."


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
    rungs: dict[tuple, dict[str, float]] = {}
    for one, rows in seeds(results).items():
        value = _mean_of(rows, METRIC)
        if one.method == GROUNDED and not one.disjoint and value is not None:
            rungs.setdefault(one.place, {})[label_of(results, one)] = 100 * value
    said = []
    for (model, backbone, task), values in rungs.items():
        nodes, both = values.get("Joint + OG"), values.get("Joint + OG + EG_Gaussian")
        if nodes is not None and both is not None:
            where = f"{model_name(model)}, {detector_name(backbone)}, {TASKS[task]}"
            said.append(
                f"{where}: masks in nodes alone reach {nodes:.1f} {METRIC}, in nodes and edges {both:.1f} "
                f"({both - nodes:+.1f}).".replace("-", "−")
            )
    return said


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
        f"Refinement changes the average precision of masks by {100 * mean(changes):+.1f} points in the mean of "
        f"{len(changes)} rows; {higher} of them are higher.".replace("-", "−")
    ]
