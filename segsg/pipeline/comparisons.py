"""Rows against each other on the same test images, from the ranks that their evaluations left behind."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from segsg.evaluation.bootstrap import compare, share_closed
from segsg.evaluation.ranks import Ranks, load
from segsg.params import Evaluation
from segsg.reporting.rows import BASELINE, ORACLE, RECTANGLES, references

RANKS_FILE = "ranks.npz"
COMPARED = re.compile(r"(R|mR|zsR)@\d+")


def add_comparisons(results: dict, evaluations: Path, numbers: Evaluation, seed: int) -> None:
    """Gives each row of `results` its paired differences and its share of the gap between two controls, in fractions.

    `comparisons`: {"baseline" or "rectangles": {metric: {"difference", "low", "high", "p"}}}; `share`: {metric:
    {"value", "low", "high"}}, 0 being rectangles and 1 true masks. Rows without a counterpart of their seed get none.
    """

    @cache
    def ranks(key: str) -> Ranks:
        return load(evaluations / key / RANKS_FILE)

    options = (numbers.resamples, numbers.confidence, seed)
    for key, others in references(results).items():
        row = results["experiments"][key]
        against = {name: others[name] for name in (BASELINE, RECTANGLES) if name in others}
        found = {name: _of_interest(compare(ranks(o), ranks(key), *options)) for name, o in against.items()}
        row["comparisons"] = found
        row["share"] = _share(ranks, key, others, options)


def _share(ranks: Callable[[str], Ranks], key: str, others: dict[str, str], options: tuple) -> dict:
    if RECTANGLES not in others or ORACLE not in others:
        return {}
    return _of_interest(share_closed(ranks(others[RECTANGLES]), ranks(key), ranks(others[ORACLE]), *options))


def _of_interest(metrics: dict[str, dict]) -> dict[str, dict]:
    return {name: values for name, values in metrics.items() if COMPARED.fullmatch(name)}
