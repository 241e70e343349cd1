"""How much a number owes to the choice of test images: images drawn again, with replacement, many times over."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float

from segsg.evaluation.metrics import Tables, tables
from segsg.evaluation.ranks import Ranks

CELLS = 2**21
"""weights held at once: 16 MiB of them"""


def image_weights(images: int, resamples: int, seed: int) -> Iterator[Float[np.ndarray, "draws images"]]:
    """How often each image is drawn in each of `resamples` draws, a bounded block of draws at a time."""
    random = np.random.default_rng(seed)
    block = max(1, CELLS // max(images, 1))
    for start in range(0, resamples, block):
        draws = min(block, resamples - start)
        picks = random.integers(images, size=(draws, images)) + np.arange(draws)[:, None] * images
        yield np.bincount(picks.ravel(), minlength=draws * images).reshape(draws, images).astype(np.float64)


def _restricted(table: Tables, counted: Bool[np.ndarray, "images"]) -> Tables:
    sums = {name: values[counted] for name, values in table.sums.items()}
    return Tables(sums, table.present, table.groups, table.protocol)


def draws(systems: list[Tables], resamples: int, seed: int) -> list[dict[str, Float[np.ndarray, "draws"]]]:
    """Every metric of every system in every draw; a draw takes the same images of all systems.

    Only images that count in at least one system are drawn: the others carry nothing.
    Raises ValueError where there is none.
    """
    counted = np.any([table.sums["images"][:, 0] > 0 for table in systems], axis=0)
    if not counted.any() or resamples < 1:
        raise ValueError(
            f"bootstrap: {counted.sum()} images with a true relation count under {systems[0].protocol} and "
            f"{resamples} resamples are asked for; it needs at least one of each"
        )
    systems = [_restricted(table, counted) for table in systems]
    blocks = [[table.metrics(w) for table in systems] for w in image_weights(int(counted.sum()), resamples, seed)]
    return [
        {name: np.concatenate([block[i][name] for block in blocks]) for name in blocks[0][i]}
        for i in range(len(systems))
    ]


def interval(values: Float[np.ndarray, "draws"], confidence: float) -> tuple[float, float]:
    """The percentile interval; draws in which the metric has no value are left out. NaN if none has one."""
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def p_value(differences: Float[np.ndarray, "draws"]) -> float:
    """Two-sided: twice the share of draws on the rarer side of 0, counting zeros to it and one draw more.

    Never 0 (B draws cannot show less than 2 / (B + 1)) and at most 1.
    """
    differences = differences[~np.isnan(differences)]
    rarer = min((differences <= 0).sum(), (differences >= 0).sum())
    return float(min(1.0, 2 * (rarer + 1) / (len(differences) + 1)))


def _together(systems: list[Ranks], resamples: int, seed: int) -> tuple[list[dict], list[dict]]:
    """Every metric of every system on all images, and in draws that they share."""
    for system in systems[1:]:
        if not np.array_equal(systems[0].image_ids, system.image_ids):
            raise ValueError("compare: systems were evaluated on different images; evaluate them on the same set")
        if systems[0].protocol != system.protocol:
            raise ValueError(f"compare: protocols differ, {systems[0].protocol} and {system.protocol}; use one for all")
    addends = [tables(system) for system in systems]
    whole = [table.metrics(np.ones((1, len(systems[0])))) for table in addends]
    return whole, draws(addends, resamples, seed)


def compare(
    baseline: Ranks, system: Ranks, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Paired difference `system` - `baseline` of every metric: {"difference", "low", "high", "p"}, in fractions.

    Raises ValueError where the two were not evaluated on the same images under one protocol.
    """
    whole, (first, second) = _together([baseline, system], resamples, seed)
    results = {}
    for name in first:
        differences = second[name] - first[name]
        low, high = interval(differences, confidence)
        difference = float(whole[1][name][0] - whole[0][name][0])
        results[name] = {"difference": difference, "low": low, "high": high, "p": p_value(differences)}
    return results


def share_closed(
    below: Ranks, system: Ranks, above: Ranks, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, dict[str, float]]:
    """(system - below) / (above - below) of every metric: {"value", "low", "high"}, on the same images.

    1: as good as `above`; 0: as `below`. NaN where `above` is not measurably better: a share of nothing.
    """
    whole, drawn = _together([below, system, above], resamples, seed)
    return {name: _share(*(w[name][0] for w in whole), *(d[name] for d in drawn), confidence) for name in drawn[0]}


def _share(
    below: float, system: float, above: float, low_draws: np.ndarray, draws: np.ndarray, high_draws: np.ndarray,
    confidence: float,
) -> dict[str, float]:  # fmt: skip
    gaps = high_draws - low_draws
    if not interval(gaps, confidence)[0] > 0:
        return dict.fromkeys(("value", "low", "high"), float("nan"))
    shares = np.divide(draws - low_draws, gaps, out=np.full_like(gaps, np.nan), where=gaps > 0)
    low, high = interval(shares, confidence)
    return {"value": float((system - below) / (above - below)), "low": low, "high": high}
