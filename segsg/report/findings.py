"""What a study found: where grounding helps, why as far as it can tell, and the answer in short.

Every sentence is one that the numbers of results.json bear out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import mean

from segsg.report.ablation import RUNGS, label_of
from segsg.report.recall_tables import METRIC, Lines, place_labels, recall_lines
from segsg.report.table import Difference, difference, interval, signed
from segsg.study.names import METHODS, TASKS, detector_name, model_name
from segsg.study.rows import BASELINE, FREQUENCY, JOINT, ORACLE, RECTANGLES, Row, lines

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


@dataclass(frozen=True)
class Control:
    """A grounded line against the same network that sees rectangles: its borrowed masks, and true masks if any."""

    row: Row
    masks: Difference
    truth: Difference | None


def controls(results: dict) -> list[Control]:
    """The grounded lines that are compared with rectangles."""
    everything = lines(results)
    compared = grounded_over(RECTANGLES, results).items()
    truths = {row: everything.get(row.control(ORACLE, everything), []) for row, _ in compared}
    return [Control(row, masks, over(RECTANGLES, truths[row])) for row, masks in compared]


def evidence(results: dict) -> list[str]:
    """Sentences on why: the detector, rectangles, true masks, masks' quality, edges, refinement, failed training."""
    parts = (_detector, _pixels, _quality, _edges, _refinement, _unlearned)
    return [sentence for part in parts for sentence in part(results)]


def _place(row: Row) -> str:
    return ", ".join(place_labels(row))


def _detector(results: dict) -> list[str]:
    """Grounded rows stand on a detector that has seen more than the baseline's."""
    return [f"{_place(row)}: {_beyond_detector(gain)}" for row, gain in grounded_over(JOINT, results).items()]


def _beyond_detector(gain: Difference) -> str:
    value, bounds = _numbers(gain)
    numbers = f"on one and the same detector masks give {value} points of {METRIC} {bounds}"
    if gain.is_noise:
        return f"{numbers}, within noise: what is gained over the baseline may be the joint detector's."
    meaning = "a gain is not the detector's alone" if gain.value > 0 else "the detector gains more without them"
    return f"{numbers}: {meaning}{_caveat(gain)}."


def _pixels(results: dict) -> list[str]:
    return [f"{_place(one.row)}: {_verdict(one.masks)}{_ceiling(one.truth)}" for one in controls(results)]


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


def _numbers(gain: Difference) -> tuple[str, str]:
    return signed(gain.value), interval(gain.low, gain.high)


def _caveat(gain: Difference) -> str:
    return "" if len(gain.by_seed) > 1 else ", as far as one training of each can tell"


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
            rungs.setdefault((_place(row), len(seeds)), {})[label_of(row)] = 100 * value
    return [
        f"{place}: masks in nodes alone reach {values[RUNGS[2]]:.1f} {METRIC}, in nodes and edges "
        f"{values[RUNGS[5]]:.1f} ({signed(values[RUNGS[5]] - values[RUNGS[2]])})."
        for (place, _), values in rungs.items()
        if RUNGS[2] in values and RUNGS[5] in values
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
    failed = [f"{_place(row)}, {METHODS[row.method]} ({value:.1f})" for row, value in unlearned(results).items()]
    listed = "; ".join(failed)
    return [f"Below the frequency table, so not learned, and no evidence either way: {listed}."] if failed else []


def answer(results: dict) -> list[str]:
    """The first page's question in short: what was gained, whether seeds bear it out, whether it is the shape."""
    cells = slices(results)
    if not cells:
        return []
    detector = list(grounded_over(JOINT, results).values())
    return [*_gained(cells[0]), *_detector_asked(detector), *_shape_asked(controls(results))]


def _gained(cells: Slice) -> list[str]:
    count, (up, down) = len(cells.gains), cells.clear
    several = [gain for gain in cells.gains if len(gain.by_seed) > 1]
    sentences = [
        f"Mean recall is higher with grounding in {cells.higher} of {count} comparisons; over all, the mean difference "
        f"is {signed(cells.mean)} points of {METRIC}. Clear of noise: {up} higher, {down} lower."
    ]
    if len(several) == count:
        return [*sentences, "Each comparison is a mean over several seeds of stage 2."]
    if several:
        higher, _ = clear(several)
        sentences.append(
            f"Several seeds were trained for {len(several)} of the {count}; clearly higher of these: {higher}."
        )
    return [*sentences, "A comparison of one training each leaves open what another seed would change."]


def _detector_asked(differences: list[Difference]) -> list[str]:
    if not differences:
        return []
    better, worse = clear(differences)
    return [
        "A grounded model stands on a detector that learned from the mask set too. Whether it is that detector was "
        f"asked in {places(len(differences))}, where the model without masks was trained on it as well: with masks "
        f"it is clearly better in {better}, clearly worse in {worse}."
    ]


def places(count: int) -> str:
    """So many places in words."""
    return f"{count} {'place' if count == 1 else 'places'}"


def _shape_asked(asked: list[Control]) -> list[str]:
    if not asked:
        return []
    better, worse = clear(one.masks for one in asked)
    truths = [one.truth for one in asked if one.truth is not None]
    sentences = [
        f"Whether it is the shape was asked in {places(len(asked))}, where the same network was also shown its boxes "
        f"as if they were masks: borrowed masks are clearly better in {better}, clearly worse in {worse}."
    ]
    if truths:
        sentences.append(f"True masks are clearly better than boxes in {clear(truths)[0]} of {len(truths)}.")
    return sentences
