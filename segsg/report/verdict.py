"""The first page's three findings: do grounded models score higher, does the detector explain it, do masks.

Every heading and sentence follows from the numbers of results.json, whichever way they point.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

import pandas as pd

from segsg.figures.style import FAINT, PALETTE
from segsg.report import frames, panels
from segsg.report.ablation import SHARE, measured_cell
from segsg.report.cells import Difference, interval, signed
from segsg.report.findings import clear, gains, grounded_over, over, places
from segsg.report.panels import Mark, Panel
from segsg.report.recall_tables import METRIC, ZERO_SHOT
from segsg.report.worth import MEASURES, SOURCES, sources_by_place
from segsg.study.names import TASKS
from segsg.study.rows import CONTACT, JOINT, ORACLE, RECTANGLES, REFINED, TRANSFERRED, Row, lines

WORDS = {REFINED: "Borrowed masks refined by pixels, in the contact frame,", TRANSFERRED: "Borrowed masks"}
"""what finding iii says of the masks that it judges"""
OVER_BASELINE, SAME_DETECTOR = "over the baseline", "on the same detector"
KEY = (Mark(FAINT, OVER_BASELINE), Mark(PALETTE[0], SAME_DETECTOR))
Gains = dict[Row, Difference]


@dataclass(frozen=True)
class Finding:
    """A heading, `number` (points, with its interval in `bounds`) under it, a sentence, and a small chart.

    `unit` says what the number is, and `link` is the page with all of it.
    """

    name: str
    heading: str
    number: str
    bounds: str
    unit: str
    sentence: str
    panel: Panel
    key: tuple[Mark, ...]
    link: str


def together(differences: Sequence[Difference]) -> Difference:
    """The mean of some differences on the same images, at least one.

    Its interval runs from the mean of their lower ends to the mean of their upper ends: as wide as if all erred alike,
    which is the widest that it can be.
    """
    value, low, high = (mean(getattr(one, name) for one in differences) for name in ("value", "low", "high"))
    return Difference(value, low, high, ())


def verdict(results: dict) -> list[Finding]:
    """The findings that a study has numbers for."""
    found = (_higher(results), _explained(results), _shape(results))
    return [finding for finding in found if finding is not None]


def answer(results: dict) -> list[str]:
    """The findings as text: heading, number, sentence."""
    return [f"{one.heading}: {one.number} {one.bounds} {one.unit}. {one.sentence}" for one in verdict(results)]


def _higher(results: dict) -> Finding | None:
    measured = gains(results)
    if not measured:
        return None
    whole = together(list(measured.values()))
    words = (
        "Grounded models score higher",
        "Grounded models score lower",
        "Grounded models score no measurably higher",
    )
    heading = _heading(words, measured)
    counts = _counted(measured.values())
    sentence = f"Seg-grounded minus baseline, the mean of {_comparisons(measured)}: {counts}.{_once(measured)}"
    return _finding("higher", heading, whole, sentence, _by_task({"": measured}), link="table1.html")


def _explained(results: dict) -> Finding | None:
    same = grounded_over(JOINT, results)
    if not same:
        return None
    over_baseline = {row: gain for row, gain in gains(results).items() if row in same}
    whole = together(list(same.values()))
    gained = together(list(over_baseline.values())) if over_baseline else None
    heading = _left_by_detector(whole, gained)
    before = "" if gained is None else f" Over the baseline on its own detector they gain {signed(gained.value)} there."
    sentence = (
        "The same model without masks was trained on the detector of the grounded ones, which saw both data sets: "
        f"{_counted(same.values())} of {_comparisons(same)} with it.{before}"
    )
    series = {OVER_BASELINE: over_baseline, SAME_DETECTOR: same}
    return _finding("detector", heading, whole, sentence, _by_task(series), key=KEY, link="#why")


def _left_by_detector(whole: Difference, gained: Difference | None) -> str:
    """What is left of a gain over the baseline once both models stand on the same detector."""
    says = frames.says(whole)
    if says == frames.LOSS:
        return "On one and the same detector, masks cost"
    if gained is None or frames.says(gained) != frames.GAIN:
        return f"On one and the same detector, masks bring {'something' if says == frames.GAIN else 'nothing clear'}"
    if says == frames.GAIN:
        return "The joint detector does not explain all of the gain"
    if whole.value > gained.value / 2:
        return "The joint detector may or may not explain the gain"
    return f"The joint detector explains {'most of ' if whole.value > 0 else ''}the gain"


def _shape(results: dict) -> Finding | None:
    for source, edges in ((REFINED, CONTACT), (TRANSFERRED, "gaussian")):
        asked = {
            sources[source][0]: sources
            for (_, seen), sources in sources_by_place(lines(results)).items()
            if seen == edges and sources.keys() >= {source, RECTANGLES}
        }
        by_measure = {metric: _against_rectangles(asked, source, metric) for metric in MEASURES}
        if by_measure[METRIC]:
            return _said(source, asked, by_measure)
    return None


def _against_rectangles(asked: dict, source: str, metric: str) -> Gains:
    found = {row: over(RECTANGLES, sources[source][1], metric) for row, sources in asked.items() if source in sources}
    return {row: gain for row, gain in found.items() if gain is not None}


def _said(source: str, asked: dict, by_measure: dict[str, Gains]) -> Finding:
    whole = together(list(by_measure[METRIC].values()))
    truth = {metric: _against_rectangles(asked, ORACLE, metric) for metric in MEASURES}
    words = tuple(f"Masks bring {what} than rectangles" for what in ("more", "less", "no measurably more"))
    heading = _heading(words, by_measure[METRIC])
    counts = _counted(by_measure[METRIC].values())
    parts = [f"{WORDS[source]} against each box as its mask in an equal network: {counts}."]
    if unseen := by_measure[ZERO_SHOT[-1]]:
        parts.append(f"On triplets never seen in training: {_of(unseen)} points of {ZERO_SHOT[-1]}.")
    if true := truth[METRIC]:
        best = together(list(true.values()))
        would = {frames.GAIN: "would bring", frames.LOSS: "do harm:", frames.NOISE: "change little:"}[frames.says(best)]
        parts.append(f"True masks {would} {_of(true)}.{_closed(source, asked)}")
    rows = [(metric, name, gain) for metric in MEASURES
            for name, gain in ((source, by_measure[metric]), (ORACLE, truth[metric])) if gain]  # fmt: skip
    shown = [(f"{metric}: {SOURCES[name]}", name, gain) for metric, name, gain in rows]
    key = (Mark(PALETTE[0], SOURCES[source]), Mark(PALETTE[2], SOURCES[ORACLE]))
    panel = _forest(shown, {source: PALETTE[0], ORACLE: PALETTE[2]}, "points beyond rectangles")
    return _finding("shape", heading, whole, " ".join(parts), panel, key=key, link="table5.html")


def _closed(source: str, asked: dict) -> str:
    cells = [measured_cell((SHARE, METRIC), sources[source][1], {}) for sources in asked.values()]
    shares = [cell.value for cell in cells if cell.value is not None]
    if not shares:
        return ""
    share = f"{mean(shares):.0f} %" if mean(shares) > 0 else "Nothing"
    return f" {share} of that gap is closed, where there is one ({places(len(shares))})."


def _finding(
    name: str, heading: str, whole: Difference, sentence: str, panel: Panel, *, link: str, key: tuple[Mark, ...] = ()
) -> Finding:
    number, bounds = signed(whole.value), interval(whole.low, whole.high)
    return Finding(name, heading, number, bounds, f"points of {METRIC}", sentence, panel, key, link)


def _by_task(series: dict[str, Gains]) -> Panel:
    """A row for each task and series: the mean difference, its interval, and the single comparisons."""
    rows = []
    for task, name in TASKS.items():
        for kind, measured in series.items():
            chosen = {row: gain for row, gain in measured.items() if row.task == task}
            if chosen:
                rows.append((name, kind, chosen))
    colours = {"": PALETTE[0], OVER_BASELINE: FAINT, SAME_DETECTOR: PALETTE[0]}
    return _forest(rows, colours, f"points of {METRIC}")


def _forest(rows: list[tuple[str, str, Gains]], colours: dict[str, str], scale: str) -> Panel:
    """Rows (name, kind, differences) as dots with intervals, each kind in its colour; rows of one name stand close."""
    labels = list(dict.fromkeys(name for name, _, _ in rows))
    kinds = list(dict.fromkeys(kind for _, kind, _ in rows))
    several = len(labels) < len(rows)
    frame = pd.DataFrame(
        [
            {
                "y": labels.index(name) + (0.3 * (kinds.index(kind) - (len(kinds) - 1) / 2) if several else 0.0),
                "kind": kind,
                "value": (whole := together(list(gain.values()))).value,
                "low": whole.low,
                "high": whole.high,
                "singles": tuple(one.value for one in gain.values()),
            }
            for name, kind, gain in rows
        ]
    )

    def draw(axes) -> None:
        for kind, shown in frame.groupby("kind", sort=False):
            panels.points(axes, shown, colours[kind])
        for line in frame.itertuples():
            panels.at_right(axes, line.y, signed(line.value), colours[line.kind])
        panels.zero(axes)
        panels.names(axes, range(len(labels)), labels)
        axes.set_xlabel(scale)

    return Panel("", panels.height(len(labels), 0.46) - 0.2, draw)


def _heading(words: tuple[str, str, str], measured: Gains) -> str:
    """One of three headings (more, less, neither); where only single comparisons are clear, in how many."""
    more, less, neither = words
    says, (up, down) = frames.says(together(list(measured.values()))), clear(measured.values())
    if says != frames.NOISE:
        return more if says == frames.GAIN else less
    if up == down:
        return neither
    return f"{more if up > down else less} in {max(up, down)} of {_comparisons(measured)}"


def _comparisons(measured: Gains) -> str:
    return f"{len(measured)} {'comparison' if len(measured) == 1 else 'comparisons'}"


def _counted(differences) -> str:
    """ "clearly higher in 5, clearly lower in 0"."""
    up, down = clear(differences)
    return f"clearly higher in {up}, clearly lower in {down}"


def _of(measured: Gains) -> str:
    whole = together(list(measured.values()))
    return f"{signed(whole.value)} {interval(whole.low, whole.high)}"


def _once(measured: Gains) -> str:
    single = sum(len(gain.by_seed) < 2 for gain in measured.values())
    if not single:
        return ""
    what = "Each is" if single == len(measured) else f"{single} of them are"
    return f" {what} of one training each: another seed could change it."
