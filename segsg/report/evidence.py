"""Why grounding helps or does not, as far as a study can tell: sentences that its numbers bear out, and no others."""

from dataclasses import dataclass
from statistics import mean

from segsg.report.ablation import label_of
from segsg.report.cells import Difference, difference, interval
from segsg.report.findings import METRIC, mean_of, unlearned
from segsg.report.tables import plain_systems
from segsg.study.names import TASKS, detector_name, method_name, model_name
from segsg.study.rows import GROUNDED, JOINT, ORACLE, RECTANGLES, System, control_of, seeds


def evidence(results: dict) -> list[str]:
    """Sentences on why: the detector, rectangles, true masks, masks' quality, edges, refinement, failed training."""
    parts = (_detector, _pixels, _quality, _edges, _refinement, _unlearned)
    return [sentence for part in parts for sentence in part(results)]


def _place(one: System) -> str:
    return f"{model_name(one.model)}, {detector_name(one.backbone)}, {TASKS[one.task]}"


@dataclass(frozen=True)
class Control:
    """A grounded system against the same network that sees rectangles: its borrowed masks, and true masks if any."""

    system: System
    masks: Difference
    truth: Difference | None


def controls(results: dict) -> list[Control]:
    """The systems that a study has such a network for."""
    everything, found = seeds(results), []
    for one, rows in plain_systems(results).items():
        masks = _over(RECTANGLES, rows)
        if masks is not None and one.method == GROUNDED:
            true = control_of(results, one, ORACLE, everything)
            found.append(Control(one, masks, _over(RECTANGLES, everything.get(true, []))))
    return found


def same_detector(results: dict) -> dict[System, Difference]:
    """Each grounded system minus the same model without masks on the same detector, where a study has that too."""
    found = {one: _over(JOINT, rows) for one, rows in plain_systems(results).items() if one.method == GROUNDED}
    return {one: gain for one, gain in found.items() if gain is not None}


def _over(whom: str, rows: list[dict]) -> Difference | None:
    return difference([row.get("comparisons", {}).get(whom, {}).get(METRIC) for row in rows])


def _detector(results: dict) -> list[str]:
    """Grounded rows stand on a detector that has seen more than the baseline's."""
    return [f"{_place(one)}: {_beyond_detector(gain)}" for one, gain in same_detector(results).items()]


def _beyond_detector(gain: Difference) -> str:
    value, bounds = _numbers(gain)
    numbers = f"on one and the same detector masks give {value} points of {METRIC} {bounds}"
    if gain.is_noise:
        return f"{numbers}, within noise: what is gained over the baseline may be the joint detector's."
    meaning = "a gain is not the detector's alone" if gain.value > 0 else "the detector gains more without them"
    return f"{numbers}: {meaning}{_caveat(gain)}."


def _pixels(results: dict) -> list[str]:
    return [f"{_place(one.system)}: {_verdict(one.masks)}{_ceiling(one.truth)}" for one in controls(results)]


def _verdict(against: Difference) -> str:
    value, bounds = _numbers(against)
    numbers = f"{value} points of {METRIC} {bounds}"
    if against.is_noise:
        meaning = "within noise: what is gained over the baseline may be detector, capacity and layout"
    else:
        meaning = "shape helps beyond boxes" if against.value > 0 else "the borrowed masks do harm"
        meaning += _caveat(against)
    return f"masks instead of rectangles in the same network give {numbers}, {meaning}."


def _ceiling(best: Difference | None) -> str:
    if best is None:
        return ""
    numbers = " ".join(_numbers(best))
    if best.is_noise:
        return f" True masks give {numbers}: there is little to gain from shape here."
    if best.value < 0:
        return f" Even true masks give {numbers}: shape does not help here{_caveat(best)}."
    return f" True masks give {numbers}: the signal is in the pixels, and better masks would bring it{_caveat(best)}."


def _numbers(found: Difference) -> tuple[str, str]:
    return signed(found.value), interval(found.low, found.high).replace("-", "−")


def _caveat(found: Difference) -> str:
    return "" if len(found.by_seed) > 1 else ", as far as one training of each can tell"


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
    rungs: dict[tuple, dict[str, float]] = {}  # of a place and a number of seeds: single runs and means do not mix
    for one, rows in seeds(results).items():
        value = mean_of(rows, METRIC)
        if one.method == GROUNDED and not one.disjoint and value is not None:
            rungs.setdefault((*one.place, len(rows)), {})[label_of(results, one)] = 100 * value
    said = []
    for (model, backbone, task, _), values in rungs.items():
        nodes, both = values.get("Joint + OG"), values.get("Joint + OG + EG_Gaussian")
        if nodes is not None and both is not None:
            where = f"{model_name(model)}, {detector_name(backbone)}, {TASKS[task]}"
            said.append(
                f"{where}: masks in nodes alone reach {nodes:.1f} {METRIC}, in nodes and edges {both:.1f} "
                f"({signed(both - nodes)})."
            )
    return said


def signed(points: float) -> str:
    """ "+1.2" or "−0.3"."""
    return f"{points:+.1f}".replace("-", "−")


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
    failed = [f"{_place(one)}, {method_name(one.method)} ({value:.1f})" for one, value in unlearned(results).items()]
    listed = "; ".join(failed)
    return [f"Below the frequency table, so not learned, and no evidence either way: {listed}."] if failed else []
