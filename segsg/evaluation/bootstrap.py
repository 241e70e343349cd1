"""How much a number owes to the choice of test images: images drawn again, with replacement, many times over."""

from collections.abc import Callable, Iterator

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


Measure = Callable[[Tables, Float[np.ndarray, "draws images"]], dict[str, Float[np.ndarray, "draws ..."]]]
"""`Tables.metrics` or `Tables.recalls`"""


def draws(
    systems: list[Tables], resamples: int, seed: int, measure: Measure = Tables.metrics
) -> list[dict[str, Float[np.ndarray, "draws ..."]]]:
    """Every number of every system in every draw; a draw takes the same images of all systems.

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
    blocks = [[measure(table, w) for table in systems] for w in image_weights(int(counted.sum()), resamples, seed)]
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


Difference = dict[str, float]
"""{"baseline", "system", "difference", "low", "high", "p"}, in fractions"""


def _alike(systems: list[Ranks]) -> list[Tables]:
    """Tables of systems that may be compared. ValueError if they answered different questions."""
    first = systems[0]
    for other in systems[1:]:
        if not np.array_equal(first.image_ids, other.image_ids):
            raise ValueError("compare: the systems were evaluated on different images; evaluate all on the same set")
        if first.protocol != other.protocol:
            raise ValueError(f"compare: protocols differ, {first.protocol} and {other.protocol}; use one for all")
        if not np.array_equal(first.triplets, other.triplets):
            raise ValueError("compare: the true relations differ; evaluate all against the same truths")
    return [tables(system) for system in systems]


def _difference(whole: tuple[float, float], drawn: Float[np.ndarray, "draws"], confidence: float) -> Difference:
    low, high = interval(drawn, confidence)
    numbers = {"baseline": whole[0], "system": whole[1], "difference": whole[1] - whole[0]}
    return numbers | {"low": low, "high": high, "p": p_value(drawn)}


def compare(
    baseline: Ranks, system: Ranks, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, Difference]:
    """Paired difference `system` - `baseline` of every metric.

    Raises ValueError where the two were not evaluated on the same truths under one protocol.
    """
    pair = _alike([baseline, system])
    whole = [table.metrics(np.ones((1, len(baseline)))) for table in pair]
    first, second = draws(pair, resamples, seed)
    return {
        name: _difference((float(whole[0][name][0]), float(whole[1][name][0])), second[name] - first[name], confidence)
        for name in first
    }


def compare_predicates(
    baseline: Ranks, system: Ranks, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, list[Difference | None]]:
    """The same for each foreground predicate, label 1 first, under R@20, ngR@20, ...; None for an absent one.

    p-values are of one predicate each, not adjusted for their number.
    """
    pair = _alike([baseline, system])
    whole = [table.recalls(np.ones((1, len(baseline)))) for table in pair]
    first, second = draws(pair, resamples, seed, Tables.recalls)
    results = {}
    for name in first:
        numbers = zip(whole[0][name][0].tolist(), whole[1][name][0].tolist(), strict=True)
        columns = (second[name] - first[name]).T
        results[name] = [
            None if np.isnan(both).any() else _difference(both, column, confidence)
            for both, column in zip(numbers, columns, strict=True)
        ]
    return results


def share_closed(
    below: Ranks, system: Ranks, above: Ranks, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, dict[str, float]]:
    """(system - below) / (above - below) of every metric: {"value", "low", "high"}, on the same images.

    1: as good as `above`; 0: as `below`. NaN where `above` is not measurably better: a share of nothing.
    """
    three = _alike([below, system, above])
    whole = [table.metrics(np.ones((1, len(below)))) for table in three]
    drawn = draws(three, resamples, seed)
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
