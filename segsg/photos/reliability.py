"""How often what is said with a probability is so, in numbers and as a diagram."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from matplotlib import rc_context
from matplotlib.figure import Figure

from segsg.figures.style import FAINT, PALETTE, STYLE, new_figure

BINS = 15
"""of equal width, as in Guo et al. 2017"""


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram: of each bin of probabilities that has any, how many, their mean, and the share so."""

    counts: list[int]
    said: list[float]
    found: list[float]

    @property
    def error(self) -> float:
        """Expected calibration error: the mean of |share so - mean probability| over everything; 0 of nothing."""
        gaps = np.abs(np.subtract(self.found, self.said))
        return float((gaps * self.counts).sum() / max(sum(self.counts), 1))


def reliability(said: Float[np.ndarray, "n"], so: Bool[np.ndarray, "n"], bins: int = BINS) -> Reliability:
    """Probabilities against what was found, in bins of equal width; an empty bin is left out."""
    place = np.minimum((said * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    used = counts > 0
    means = (np.bincount(place, weights=values, minlength=bins)[used] / counts[used] for values in (said, so))
    mean_said, share = (each.tolist() for each in means)
    return Reliability(counts[used].tolist(), mean_said, share)


def reliability_figure(diagrams: Mapping[str, Reliability]) -> Figure:
    """Reliability diagrams by what to call them: what is so against what is said, and below how often it is said.

    Bars are 95 % intervals of the share in a bin (Wilson 1927).
    """
    with rc_context(STYLE):
        figure = new_figure(5.2, 5.2)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--")
        for (name, one), colour in zip(diagrams.items(), reversed(PALETTE[: len(diagrams)]), strict=True):
            said, found, counts = (np.array(values) for values in (one.said, one.found, one.counts))
            low, high = wilson(found, counts)
            look = {"color": colour, "marker": "o", "markersize": 3, "linewidth": 1}
            upper.errorbar(said, found, [found - low, high - found], label=f"{name}: error {one.error:.4f}", **look)
            lower.plot(said, counts, **look)
        upper.set(ylabel="share annotated", xlim=(0, 1), ylim=(0, 1))
        upper.legend(loc="lower right")
        lower.set(xlabel="probability of a pair's surest predicate", ylabel="pairs", yscale="log")
        lower.yaxis.set_major_formatter("{x:,.0f}")
        return figure


def wilson(share: Float[np.ndarray, "n"], counts: Float[np.ndarray, "n"] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the 95 % interval of each share of so many (Wilson 1927), which hold it."""
    z = 1.96
    middle = (share + z**2 / (2 * counts)) / (1 + z**2 / counts)
    half = z / (1 + z**2 / counts) * np.sqrt(share * (1 - share) / counts + z**2 / (4 * counts**2))
    return np.clip(middle - half, 0, share), np.clip(middle + half, share, 1)
