"""One number of a table, with what says how far to trust it: its interval, its seeds, what it is compared with."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

EMPTY = "–"


@dataclass(frozen=True)
class Difference:
    """One row of the study minus another, on the same images, in points (per cent).

    `low` and `high` are the ends of its 95 % interval, and `p` its p-value, from resampled images, and from resampled
    seeds where there are several. `by_seed` are the differences of single seeds.
    """

    value: float
    low: float
    high: float
    by_seed: tuple[float, ...]
    p: float | None = None

    @property
    def is_noise(self) -> bool:
        """Whether images and seeds could explain it: an interval that holds 0."""
        return self.low <= 0 <= self.high

    @property
    def text(self) -> str:
        """ "+1.2 [0.4–2.0]" or "≈ +0.1 [−0.7, 0.9]", which is within noise."""
        return f"{'≈ ' if self.is_noise else ''}{signed(self.value)} {interval(self.low, self.high)}"


def signed(points: float) -> str:
    """ "+1.2" or "−0.3"."""
    return f"{points:+.1f}".replace("-", "−")


def interval(low: float, high: float) -> str:
    """ "[0.4–2.0]", with a comma where a dash would meet a minus."""
    return f"[{low:.1f}{'–' if low >= 0 else ', '}{high:.1f}]".replace("-", "−")


@dataclass(frozen=True)
class Cell:
    """One number in per cent, with its interval over images and seeds, and the paper's where it has one.

    With several seeds `value` is the mean of `by_seed`. `status` says how sure the paper's number is: printed, matched
    (printed, its row inferred) or recalled (from the literature, not verified).
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    by_seed: tuple[float, ...] = ()
    paper: float | None = None
    status: str = ""
    difference: Difference | None = None
    is_difference: bool = False
    """the number is itself a difference, and `difference` says all of it"""

    @property
    def seeds(self) -> int:
        """How many seeds the number is the mean of."""
        return len(self.by_seed)

    @property
    def spread(self) -> float | None:
        """Standard deviation over seeds; None for fewer than two."""
        return stdev(self.by_seed) if self.seeds > 1 else None

    @property
    def ours(self) -> str:
        """ "12.3 [11.8–12.9] ±0.4", the last over seeds; a dash for what this study did not measure."""
        if self.value is None:
            return EMPTY
        if self.is_difference and self.difference is not None:
            return self.difference.text
        bounds = "" if self.low is None or self.high is None else f" {interval(self.low, self.high)}"
        spread = "" if self.spread is None else f" ±{self.spread:.1f}"
        return f"{self.value:.1f}{bounds}{spread}".replace("-", "−")

    @property
    def theirs(self) -> str:
        """ "14.1", "14.1 (matched)", or a dash."""
        if self.paper is None:
            return EMPTY
        return f"{self.paper:.1f}" + ("" if self.status == "printed" else f" ({self.status})")

    @property
    def noise(self) -> str:
        """ "≈" where the number cannot be told from the one that it is compared with."""
        return "≈" if self.compared is not None and self.compared.is_noise else ""

    @property
    def compared(self) -> Difference | None:
        """How the number compares with another; None for one that is a difference itself."""
        return None if self.is_difference else self.difference


def cell(
    measured: Sequence[dict | None],
    paper: float | None = None,
    status: str = "",
    differences: Sequence[dict | None] = (),
) -> Cell:
    """From fractions {"value", "low", "high"} and {"difference", "low", "high", "p"}, one of each for a seed."""
    known = [m for m in measured if m is not None and m["value"] is not None]
    if not known:
        return Cell(paper=paper, status=status)
    values, pooled = tuple(100 * m["value"] for m in known), _pooled(known)
    low, high = (_percent(pooled.get(bound)) for bound in ("low", "high"))
    return Cell(mean(values), low, high, values, paper, status, difference(differences))


def difference(measured: Sequence[dict | None]) -> Difference | None:
    """The mean difference over seeds, in points, from one comparison for each seed; None where nothing was compared."""
    known = [m for m in measured if m is not None and m["difference"] is not None and m["low"] is not None]
    pooled = _pooled(known)
    if not pooled:
        return None
    values = tuple(100 * m["difference"] for m in known)
    return Difference(mean(values), 100 * pooled["low"], 100 * pooled["high"], values, pooled.get("p"))


def _pooled(seeds: Sequence[dict]) -> dict:
    """What all seeds say together: a single seed itself; nothing where only some seeds have a number."""
    if len(seeds) == 1:
        return seeds[0]
    return seeds[0].get("pooled", {}) if seeds else {}


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction
