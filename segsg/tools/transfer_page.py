"""The page of `segsg transfer`: which masks a list of names would borrow, one file, offline."""

from dataclasses import dataclass

from segsg.report.pages import render

SHOWN = 5
REASONS = {
    "no mask": "Borrow no mask at all. Spell them otherwise (several words apart by spaces), name another word for "
    "them (--alias WORD=OTHER), or the mask class that shows the same thing (--name-pairs).",
    "weak": "No mask class reaches the threshold, so they take the nearest alone, however far. Name the mask class "
    "that shows the same thing (--name-pairs), if there is one.",
    "flat": "Borrow from many mask classes at once, so that their mask is hardly more than an average; dot and cosine "
    "do so for nearly every name. Name the mask class that shows the same thing (--name-pairs), if there is one.",
    "repeated": "Are in the list more than once.",
}
"""kind of concern -> what it means and the way out"""


@dataclass(frozen=True)
class Line:
    """One name with its partners, largest weight first."""

    name: str
    how: str
    partners: tuple[tuple[str, float], ...]

    @property
    def shown(self) -> tuple[tuple[str, float], ...]:
        return self.partners[:SHOWN]

    @property
    def rest(self) -> str:
        """What the partners that are not shown add up to; empty for none."""
        left = self.partners[SHOWN:]
        return f"{len(left)} more {sum(abs(weight) for _, weight in left):.2f}" if left else ""

    @property
    def text(self) -> str:
        """Partners in one line of plain text."""
        if self.how == "copied":
            return self.partners[0][0]
        return ", ".join(
            [*(f"{name} {weight:.2f}" for name, weight in self.shown), *([self.rest] if self.rest else [])]
        )


def render_transfer(facts: dict) -> str:
    """The page from `lines` (list of Line), `concerns` ({kind: [(name, detail), ...]}), `picture` (a data URI) and
    `source`, `mask_source`, `vectors`, `mode`, `threshold`, `mask_classes` (a number)."""
    counts = {how: sum(line.how == how for line in facts["lines"]) for how in ("copied", "combined", "no mask")}
    return render("own_labels", facts | {"counts": counts, "reasons": REASONS})
