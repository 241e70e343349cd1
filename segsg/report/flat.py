"""Whether the trainings of a line were long enough, by what their last quarter brought on validation images."""

from collections.abc import Iterable, Sequence
from statistics import mean

MEASURE = "mR@50"
LEAST = 0.005
"""half a point as a fraction: a line that gains as much in the last quarter of its steps is still rising"""
MARK = "*"
FOOTNOTE = (
    f"{MARK} still rising: the last quarter of its training gained at least half a point in {MEASURE} on validation "
    "images. A row of several trainings is marked if one of them is."
)


def is_flat(seeds: Sequence[dict]) -> bool:
    """Whether a line gains less than half a point in mR@50 in the last quarter of its steps, in the mean over seeds.

    `seeds` are its rows of results.json. A line without training is flat; one that was not measured is taken for flat.
    """
    measured = [(seed.get("validation") or {}).get("gain", {}).get(MEASURE) for seed in seeds]
    gains = [gain["difference"] for gain in measured if gain is not None and gain["difference"] is not None]
    return not gains or mean(gains) < LEAST


def is_rising(lines: Iterable[Sequence[dict]]) -> bool:
    """Whether one of the lines, each with its seeds, is not flat."""
    return not all(map(is_flat, lines))
