"""Which variant of the method wins on validation images: the row “ours”, beside the paper's recipe, never in its place.

Test images have no say in the choice, so the row's numbers on them can be trusted as those of any other row.
"""

from dataclasses import dataclass, replace
from statistics import mean

from segsg.study.rows import GROUNDED, ORACLE, REFINEMENT, Changes, System, is_control, seeds, settings

METRIC = "mR@50"
FULL, OURS = "full", "ours"
REFINED: Changes = ((REFINEMENT, '"inference"'),)
"""what makes the paper's full model (Final Model of its table 4) of a grid row, which is its EG_Gaussian"""
RECIPES = ((), REFINED)
"""the paper's own variants"""


@dataclass(frozen=True)
class Candidate:
    """A variant and its mean recall on validation images, in per cent, the mean over its seeds."""

    system: System
    value: float
    seeds: int


def candidates(results: dict) -> list[Candidate]:
    """Variants of the place (model, detector, task) that has most of them, best first; none where one is all there is.

    Of that place only those with the most seeds: the best of several single runs owes more to luck than a mean does.
    Controls are no candidates, nor is what knows more than a user could: true masks, or which classes are drawn alike.
    """
    places: dict[tuple, list[Candidate]] = {}
    for one, rows in seeds(results).items():
        values = [row["validation"]["metrics"][METRIC]["value"] for row in rows if row.get("validation")]
        if values and _could_be_used(results, one):
            places.setdefault(one.place, []).append(Candidate(one, 100 * mean(values), len(values)))
    most = max(places.values(), key=len, default=[])
    most = [one for one in most if one.seeds == max(other.seeds for other in most)]
    return sorted(most, key=lambda candidate: -candidate.value) if len(most) > 1 else []


def _could_be_used(results: dict, one: System) -> bool:
    if one.method != GROUNDED or one.disjoint or is_control(results, one):
        return False
    return settings(results, one).get("transfer") != ORACLE


def ours(results: dict) -> dict[System, list[dict]]:
    """The winner wherever it was trained, under the method “ours”; nothing where one of the paper's recipes has won."""
    ranked = candidates(results)
    changes = ranked[0].system.changes if ranked else ()
    return {} if changes in RECIPES else _wherever(results, changes, OURS)


def full(results: dict) -> dict[System, list[dict]]:
    """The paper's full model wherever it was trained beside the grid's rows, under the method “full”."""
    return _wherever(results, REFINED, FULL)


def _wherever(results: dict, changes: Changes, method: str) -> dict[System, list[dict]]:
    alike = {one: rows for one, rows in seeds(results).items() if one.changes == changes and one.method == GROUNDED}
    return {replace(one, method=method, changes=()): rows for one, rows in alike.items() if not one.disjoint}
