"""Collect the numbers of a profile: `python -m segsg.study.collect runs/PROFILE reports/PROFILE/results.json`.

Rows come from params.yaml, so folders that older rows left behind are not read. Rows are compared with each other on
the same test images, from the ranks that their evaluations left behind.
"""

import argparse
import dataclasses
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from segsg.evaluation.bootstrap import compare, share_closed
from segsg.evaluation.ranks import Ranks, paper_images
from segsg.evaluation.ranks import load as load_ranks
from segsg.files import METRICS_FILE, read_metrics, to_json, write_text
from segsg.study.params import PARAMS_FILE, Evaluation, Params, load
from segsg.study.rows import BASELINE, JOINT, ORACLE, RECTANGLES, references, rows_of

ONCE = ("transfer", "yardsticks")
"""folders of what is measured once for all rows: of transferred masks, of a drawn world"""
WHOLE = ""
PARTS = {
    WHOLE: ("ranks.npz", lambda ranks: ranks),
    "unshared": ("unshared.npz", lambda ranks: ranks),
    "paper_images": ("ranks.npz", paper_images),
}
"""part of a row -> the file of its ranks, and which of these: all test images, those that the mask set does not hold,
those that the paper's protocol keeps"""
COMPARED = re.compile(r"(R|mR|zsR)@\d+")


def collect(params: Params, runs: Path) -> dict:
    """{"profile", "grounding", "experiments": {key: row | measured}, "detectors": {key: row | measured}}, in fractions.

    Experiments also say how they compare with others; see `add_comparisons`. What is measured once for all rows has
    keys of its own, where it was measured.
    """
    results = {
        "profile": params.profile,
        "grounding": dataclasses.asdict(params.grounding),
        "experiments": _with_metrics(params.experiments, runs / "evaluation"),
        "detectors": _with_metrics(params.detectors, runs / "detection"),
    }
    add_comparisons(results, runs / "evaluation", params.evaluation, params.seed)
    for folder in ONCE:
        if (runs / folder / METRICS_FILE).is_file():
            results |= read_metrics(runs / folder)
    return results


def _with_metrics(rows: dict, folder: Path) -> dict:
    return {key: dataclasses.asdict(row) | read_metrics(folder / key) for key, row in rows.items()}


def add_comparisons(results: dict, evaluations: Path, numbers: Evaluation, seed: int) -> None:
    """Gives each row of `results` its paired differences and its share of the gap between two controls, in fractions.

    `comparisons`: {"baseline", "joint" or "rectangles": {metric: {"difference", "low", "high", "p"}}}; `share`:
    {metric: {"value", "low", "high"}}, 0 being rectangles and 1 true masks. Rows without a counterpart of their seed
    get none. The parts `unshared` and `paper_images` of a row have `comparisons` of their own, with the baseline on the
    same images.
    """

    @cache
    def ranks(key: str, part: str = WHOLE) -> Ranks:
        file, chosen = PARTS[part]
        return chosen(load_ranks(evaluations / key / file))

    def against(key: str, part: str, others: dict[str, str], *names: str) -> dict[str, dict[str, dict]]:
        known = {name: others[name] for name in names if name in others}
        return {n: _of_interest(compare(ranks(o, part), ranks(key, part), *options)) for n, o in known.items()}

    options = (numbers.resamples, numbers.confidence, seed)
    for key, others in references(rows_of(results)).items():
        row = results["experiments"][key]
        row["comparisons"] = against(key, WHOLE, others, BASELINE, JOINT, RECTANGLES)
        row["share"] = _share(ranks, key, others, options)
        for part in PARTS:
            if row.get(part):
                row[part]["comparisons"] = against(key, part, others, BASELINE)


def _share(ranks: Callable[[str], Ranks], key: str, others: dict[str, str], options: tuple) -> dict:
    if RECTANGLES not in others or ORACLE not in others:
        return {}
    return _of_interest(share_closed(ranks(others[RECTANGLES]), ranks(key), ranks(others[ORACLE]), *options))


def _of_interest(metrics: dict[str, dict]) -> dict[str, dict]:
    return {name: values for name, values in metrics.items() if COMPARED.fullmatch(name)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    write_text(arguments.out, to_json(collect(load(PARAMS_FILE), arguments.runs)))
