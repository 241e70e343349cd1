"""How much a number owes to the choice of test images and to the luck of trainings: both drawn again, many times over.

Of a row that was trained once, images alone are drawn. Of several trainings (seeds) a draw takes images and, beside
them, seeds, each with replacement; every system of a comparison gets the same images and the same seeds. What a draw
says is the mean over its seeds, moved away from the mean over all by sqrt(n / (n - 1)): n seeds drawn n times vary
less than n new seeds would, by just that factor.
"""

from collections.abc import Callable, Iterator, Sequence

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
    """The metrics of each system in each bootstrap draw. A draw takes the same images of all systems.

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


def seed_weights(seeds: int, resamples: int, seed: int) -> Float[np.ndarray, "draws seeds"]:
    """Weights of the trainings of a row in each draw, of sum 1; a single training has all of it."""
    random = np.random.default_rng((seed, seeds))
    shares = random.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples) / seeds
    return 1 / seeds + (shares - 1 / seeds) * np.sqrt(seeds / max(seeds - 1, 1))


Difference = dict[str, float]
"""{"baseline", "system", "difference", "low", "high", "p"}, in fractions"""


def _numbers(
    systems: list[Ranks], resamples: int, seed: int, measure: Measure = Tables.metrics
) -> tuple[list[dict[str, np.ndarray | np.floating]], list[dict[str, np.ndarray]]]:
    """Metrics of each system on all images, and in each draw. ValueError if images, truths or protocol differ."""
    first = systems[0]
    for other in systems[1:]:
        if not np.array_equal(first.image_ids, other.image_ids):
            raise ValueError("compare: the systems were evaluated on different images; evaluate all on the same set")
        if first.protocol != other.protocol:
            raise ValueError(f"compare: protocols differ, {first.protocol} and {other.protocol}; use one for all")
        if not np.array_equal(first.triplets, other.triplets):
            raise ValueError("compare: the true relations differ; evaluate all against the same truths")
    addends = [tables(system) for system in systems]
    on_all = [measure(table, np.ones((1, len(first)))) for table in addends]
    return [{name: v[0] for name, v in values.items()} for values in on_all], draws(addends, resamples, seed, measure)


Numbers = dict[str, np.ndarray | np.floating]
Trained = Ranks | Sequence[Ranks]
"""one training of a row, or several that differ in their seeds"""


def _over_seeds(systems: Sequence[Trained], resamples: int, seed: int) -> tuple[list[Numbers], list[Numbers]]:
    """Metrics of each system on all images, and in each draw, both in the mean over its seeds.

    ValueError if systems have other numbers of seeds.
    """
    trained = [[system] if isinstance(system, Ranks) else list(system) for system in systems]
    seeds = len(trained[0])
    if any(len(each) != seeds for each in trained):
        raise ValueError(f"compare: {[len(each) for each in trained]} seeds; give every system the same seeds")
    whole, drawn = _numbers([ranks for each in trained for ranks in each], resamples, seed)
    weights, equal = seed_weights(seeds, resamples, seed), np.full((1, seeds), 1 / seeds)
    starts = range(0, len(whole), seeds)
    return [_mean(whole[i : i + seeds], equal) for i in starts], [_mean(drawn[i : i + seeds], weights) for i in starts]


def _mean(numbers: list[Numbers], weights: Float[np.ndarray, "draws seeds"]) -> Numbers:
    return {name: (np.stack([one[name] for one in numbers], axis=-1) * weights).sum(axis=-1) for name in numbers[0]}


def summarize(
    trained: Trained, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, dict[str, float]]:
    """{"mR@50": {"value", "low", "high"}, ...} of every metric in fractions, with bootstrap intervals."""
    (whole,), (drawn,) = _over_seeds([trained], resamples, seed)
    bounds = {name: interval(values, confidence) for name, values in drawn.items()}
    return {name: {"value": float(value.item()), "low": bounds[name][0], "high": bounds[name][1]}
            for name, value in whole.items()}  # fmt: skip


def _difference(baseline: float, system: float, drawn: Float[np.ndarray, "draws"], confidence: float) -> Difference:
    low, high = interval(drawn, confidence)
    numbers = {"baseline": baseline, "system": system, "difference": system - baseline}
    return numbers | {"low": low, "high": high, "p": p_value(drawn)}


def compare(
    baseline: Trained, system: Trained, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, Difference]:
    """Paired difference `system` - `baseline` of every metric; of several seeds, k-th is compared with k-th.

    Raises ValueError where they were not evaluated on the same truths under one protocol.
    """
    (old, new), (first, second) = _over_seeds([baseline, system], resamples, seed)
    return {
        name: _difference(float(old[name].item()), float(new[name].item()), second[name] - first[name], confidence)
        for name in first
    }


def compare_predicates(
    baseline: Ranks, system: Ranks, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, list[Difference | None]]:
    """Paired difference of each foreground predicate, label 1 first, in R@20, ngR@20, ...; None for an absent one.

    p-values are of one predicate each, not adjusted for their number.
    """
    (old, new), (first, second) = _numbers([baseline, system], resamples, seed, Tables.recalls)
    results = {}
    for name in first:
        columns = zip(old[name].tolist(), new[name].tolist(), (second[name] - first[name]).T, strict=True)
        results[name] = [
            None if np.isnan([a, b]).any() else _difference(a, b, column, confidence) for a, b, column in columns
        ]
    return results


def share_closed(
    below: Trained, system: Trained, above: Trained, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, dict[str, float]]:
    """(system - below) / (above - below) of every metric: {"value", "low", "high"}, on the same images.

    1: as good as `above`; 0: as `below`. NaN where `above` is not measurably better: a share of nothing.
    """
    whole, drawn = _over_seeds([below, system, above], resamples, seed)
    return {
        name: _share([values[name].item() for values in whole], [values[name] for values in drawn], confidence)
        for name in drawn[0]
    }


def _share(whole: list[float], drawn: list[Float[np.ndarray, "draws"]], confidence: float) -> dict[str, float]:
    """Both lists are of (below, system, above)."""
    gaps = drawn[2] - drawn[0]
    if not interval(gaps, confidence)[0] > 0:
        return dict.fromkeys(("value", "low", "high"), float("nan"))
    shares = np.divide(drawn[1] - drawn[0], gaps, out=np.full_like(gaps, np.nan), where=gaps > 0)
    low, high = interval(shares, confidence)
    return {"value": float((whole[1] - whole[0]) / (whole[2] - whole[0])), "low": low, "high": high}
