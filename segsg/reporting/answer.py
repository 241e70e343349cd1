"""The question of the first page answered in a few sentences, from a study's numbers alone."""

from segsg.reporting.evidence import Control, controls
from segsg.reporting.findings import METRIC, Slice, slices


def answer(results: dict) -> list[str]:
    """What was gained, whether seeds bear it out, and whether it is the shape; nothing without comparisons."""
    found = slices(results)
    return [*_gained(found[0]), *_shape(controls(results))] if found else []


def _gained(cells: Slice) -> list[str]:
    up, down = cells.beyond
    points = f"{cells.mean:+.1f}".replace("-", "−")
    several = [gain for gain in cells.gains if len(gain.by_seed) > 1]
    clear = sum(not gain.is_noise and gain.value > 0 for gain in several)
    return [
        f"Seg-grounded models recall more relations than their baselines in {cells.higher} of {len(cells.gains)} "
        f"comparisons, by {points} points of {METRIC} in the mean; {up} gains and {down} losses are clear of the noise "
        "that the choice of test images brings.",
        f"Of those with several seeds ({len(several)}), gains are clear of both images and seeds in {clear}."
        if several
        else "Each is of one training: how much another seed would change is not in these numbers.",
    ]


def _shape(found: list[Control]) -> list[str]:
    if not found:
        return []
    better = sum(not one.masks.is_noise and one.masks.value > 0 for one in found)
    worse = sum(not one.masks.is_noise and one.masks.value < 0 for one in found)
    true = [one.truth for one in found if one.truth is not None]
    clear = sum(not gain.is_noise and gain.value > 0 for gain in true)
    said = [
        f"Whether it is the shape was asked in {len(found)} {'place' if len(found) == 1 else 'places'}, where the same "
        f"network was also shown its boxes as if they were masks: borrowed masks are clearly better in {better}, "
        f"clearly worse in {worse}."
    ]
    if true:
        said.append(f"True masks are clearly better than boxes in {clear} of {len(true)}.")
    return said
