"""Rows against each other on the same test images, from the ranks that their evaluations left behind."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from segsg.evaluation.bootstrap import compare, share_closed
from segsg.evaluation.ranks import Ranks, load
from segsg.study.params import Evaluation
from segsg.study.rows import BASELINE, JOINT, ORACLE, RECTANGLES, references, rows_of

RANKS_FILE, UNSHARED_FILE = "ranks.npz", "unshared.npz"
"""of all test images, and of those that the mask set does not hold where there are some of both"""
COMPARED = re.compile(r"(R|mR|zsR)@\d+")


def add_comparisons(results: dict, evaluations: Path, numbers: Evaluation, seed: int) -> None:
    """Gives each row of `results` its paired differences and its share of the gap between two controls, in fractions.

    `comparisons`: {"baseline", "joint" or "rectangles": {metric: {"difference", "low", "high", "p"}}}; `share`:
    {metric: {"value", "low", "high"}}, 0 being rectangles and 1 true masks. Rows without a counterpart of their seed
    get none. The part `unshared` of a row has `comparisons` of its own, with the baseline on the same images.
    """

    @cache
    def ranks(key: str, file: str = RANKS_FILE) -> Ranks:
        return load(evaluations / key / file)

    def against(key: str, others: dict[str, str], file: str = RANKS_FILE) -> dict[str, dict[str, dict]]:
        return {o: _of_interest(compare(ranks(k, file), ranks(key, file), *options)) for o, k in others.items()}

    options = (numbers.resamples, numbers.confidence, seed)
    for key, others in references(rows_of(results)).items():
        row = results["experiments"][key]
        row["comparisons"] = against(key, _only(others, BASELINE, JOINT, RECTANGLES))
        row["share"] = _share(ranks, key, others, options)
        if row.get("unshared"):
            row["unshared"]["comparisons"] = against(key, _only(others, BASELINE), UNSHARED_FILE)


def _only(others: dict[str, str], *names: str) -> dict[str, str]:
    return {name: others[name] for name in names if name in others}


def _share(ranks: Callable[[str], Ranks], key: str, others: dict[str, str], options: tuple) -> dict:
    if RECTANGLES not in others or ORACLE not in others:
        return {}
    return _of_interest(share_closed(ranks(others[RECTANGLES]), ranks(key), ranks(others[ORACLE]), *options))


def _of_interest(metrics: dict[str, dict]) -> dict[str, dict]:
    return {name: values for name, values in metrics.items() if COMPARED.fullmatch(name)}
