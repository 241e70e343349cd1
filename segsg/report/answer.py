"""The question of the first page answered in a few sentences, from a study's numbers alone."""

from segsg.report.cells import Difference
from segsg.report.evidence import Control, controls, same_detector, signed
from segsg.report.findings import METRIC, Slice, slices


def answer(results: dict) -> list[str]:
    """What was gained, whether seeds bear it out, and whether it is the shape; nothing without comparisons."""
    found = slices(results)
    if not found:
        return []
    return [*_gained(found[0]), *_detector(list(same_detector(results).values())), *_shape(controls(results))]


def _gained(cells: Slice) -> list[str]:
    count, (up, down) = len(cells.gains), cells.beyond
    several = [gain for gain in cells.gains if len(gain.by_seed) > 1]
    said = [
        f"Mean recall is higher with grounding in {cells.higher} of {count} comparisons; over all, the mean difference "
        f"is {signed(cells.mean)} points of {METRIC}. Clear of noise: {up} higher, {down} lower."
    ]
    if len(several) == count:
        return [*said, "Each comparison is a mean over several seeds of stage 2."]
    if several:
        higher, _ = _clear(several)
        said.append(f"Several seeds were trained for {len(several)} of the {count}; clearly higher of these: {higher}.")
    return [*said, "A comparison of one training each leaves open what another seed would change."]


def _detector(found: list[Difference]) -> list[str]:
    if not found:
        return []
    better, worse = _clear(found)
    return [
        "A grounded model stands on a detector that learned from the mask set too. "
        f"Whether it is that detector was asked in {_places(len(found))}, where the model without masks was trained on "
        f"it as well: with masks it is clearly better in {better}, clearly worse in {worse}."
    ]


def _places(count: int) -> str:
    return f"{count} {'place' if count == 1 else 'places'}"


def _shape(found: list[Control]) -> list[str]:
    if not found:
        return []
    better, worse = _clear([one.masks for one in found])
    true = [one.truth for one in found if one.truth is not None]
    said = [
        f"Whether it is the shape was asked in {_places(len(found))}, where the same network "
        f"was also shown its boxes as if they were masks: borrowed masks are clearly better in {better}, "
        f"clearly worse in {worse}."
    ]
    if true:
        said.append(f"True masks are clearly better than boxes in {_clear(true)[0]} of {len(true)}.")
    return said


def _clear(differences: list[Difference]) -> tuple[int, int]:
    """How many are clearly higher, and clearly lower."""
    return Slice("", "", tuple(differences)).beyond
