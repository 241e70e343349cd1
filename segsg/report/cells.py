"""One number of a table with everything that says how far to trust it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from scipy.stats import t as student

EMPTY = "–"
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """A system minus the one that it is compared with, on the same images, in points (per cent).

    `low` and `high` bound it by resampling images; `by_seed` are the differences seed by seed; `p` is that of one
    seed, or None.
    """

    value: float
    low: float
    high: float
    by_seed: tuple[float, ...]
    p: float | None = None

    @property
    def is_noise(self) -> bool:
        """Whether images or seeds could explain it: an interval of either kind that holds 0."""
        return self.low <= 0 <= self.high or _seeds_hold_zero(self.by_seed)

    @property
    def text(self) -> str:
        """ "+1.2 [0.4–2.0]" or "≈ +0.1 [−0.7, 0.9]", which is within noise."""
        return f"{'≈ ' if self.is_noise else ''}{self.value:+.1f} {interval(self.low, self.high)}".replace("-", "−")


def interval(low: float, high: float) -> str:
    """ "[0.4–2.0]", with a comma where a dash would meet a minus."""
    return f"[{low:.1f}–{high:.1f}]" if low >= 0 else f"[{low:.1f}, {high:.1f}]"


def _seeds_hold_zero(differences: tuple[float, ...]) -> bool:
    """Student's interval of the mean of a few seeds; one seed says nothing about seeds."""
    if len(differences) < 2:
        return False
    width = student.ppf((1 + CONFIDENCE) / 2, len(differences) - 1) * stdev(differences) / len(differences) ** 0.5
    return bool(abs(mean(differences)) <= width)


@dataclass(frozen=True)
class Cell:
    """One number in per cent, with its interval over images, and the paper's where it has one.

    With several seeds `value` is the mean of `by_seed`, and `low` and `high` are the means of their bounds: a little
    wide, since seeds average out. `status` says how sure the paper's number is: printed, matched (printed, its row
    inferred) or recalled (from the literature, not verified).
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
        """ "≈" where the system cannot be told from the one that it is compared with."""
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
    found = [m for m in measured if m is not None and m["value"] is not None]
    if not found:
        return Cell(paper=paper, status=status)
    values = tuple(100 * m["value"] for m in found)
    low, high = (_percent([m.get(bound) for m in found]) for bound in ("low", "high"))
    return Cell(mean(values), low, high, values, paper, status, difference(differences))


def difference(measured: Sequence[dict | None]) -> Difference | None:
    """None where nothing was compared."""
    found = [m for m in measured if m is not None and m["difference"] is not None and m["low"] is not None]
    if not found:
        return None
    values = tuple(100 * m["difference"] for m in found)
    low, high = (100 * mean(m[bound] for m in found) for bound in ("low", "high"))
    return Difference(mean(values), low, high, values, found[0].get("p") if len(found) == 1 else None)


def _percent(fractions: list[float | None]) -> float | None:
    known = [100 * fraction for fraction in fractions if fraction is not None]
    return mean(known) if len(known) == len(fractions) else None
