"""Collect the numbers of a study: `python -m segsg.study.collect runs/PROFILE reports/REPORT`.

The report gets results.json, with all numbers.

Rows come from params.yaml, so folders that older rows left behind are not read. Rows are compared with each other on
the same test images, from the ranks that their evaluations left behind.
"""

import argparse
import dataclasses
import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from segsg.evaluation.bootstrap import compare, share_closed, summarize
from segsg.evaluation.ranks import Ranks, paper_images
from segsg.evaluation.ranks import load as load_ranks
from segsg.files import METRICS_FILE, read_metrics, to_json, write_text
from segsg.study.params import PARAMS_FILE, Evaluation, Params, load
from segsg.study.rows import BASELINE, JOINT, ORACLE, RECTANGLES, Row, references, rows_of

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
FolderOf = Callable[[str], Path]
"""key of a row -> the folder of its measurements"""
COMPARED = re.compile(r"(R|mR|zsR)@\d+")


def collect(params: Params, runs: Path) -> dict:
    """{"profile", "grounding", "experiments": {key: row | measured}, "detectors": {key: row | measured}}, in fractions.

    Experiments also say how they compare with others; see `add_comparisons`. What is measured once for all rows has
    keys of its own, where it was measured.
    """

    def row_folder(key: str) -> Path:
        return runs / "rows" / params.group_of(key) / key

    results = {
        "profile": params.profile,
        "grounding": dataclasses.asdict(params.grounding),
        "experiments": _with_metrics(params.experiments, row_folder),
        "detectors": _with_metrics(params.detectors, lambda key: runs / "detection" / key),
    }
    add_comparisons(results, row_folder, params.evaluation, params.seed)
    for folder in ONCE:
        if (runs / folder / METRICS_FILE).is_file():
            results |= read_metrics(runs / folder)
    return results


def _with_metrics(rows: dict, folder: FolderOf) -> dict:
    return {key: dataclasses.asdict(row) | read_metrics(folder(key)) for key, row in rows.items()}


def add_comparisons(results: dict, folder: FolderOf, numbers: Evaluation, seed: int) -> None:
    """Gives each row of `results` its paired differences and its share of the gap between two controls, in fractions.

    `comparisons`: {"baseline", "joint" or "rectangles": {metric: {"difference", "low", "high", "p"}}}; `share`:
    {metric: {"value", "low", "high"}}, 0 being rectangles and 1 true masks. Rows without a counterpart of their seed
    get none. The parts `unshared` and `paper_images` of a row have `comparisons` of their own, with the baseline on the
    same images.
    Where a line has several seeds, each number of each of its rows also says what the line says as a whole: `pooled`,
    with an interval over images and seeds.
    """

    @cache
    def ranks(key: str, part: str) -> Ranks:
        file, chosen = PARTS[part]
        return chosen(load_ranks(folder(key) / file))

    options = (numbers.resamples, numbers.confidence, seed)
    rows = rows_of(results)
    others = references(rows)
    lines: dict[Row, list[str]] = {}
    for key, row in rows.items():
        lines.setdefault(row.line, []).append(key)
    for keys in lines.values():
        for part in PARTS:
            entries = {key: _part(results["experiments"][key], part) for key in keys}
            seeds = [(key, _known(others[key], part)) for key, entry in entries.items() if entry]
            of_part = partial(ranks, part=part)
            for one in seeds:
                entries[one[0]].update(_measured(of_part, [one], options))
            if len(seeds) > 1:
                pooled = _measured(of_part, seeds, options) | {"metrics": _metrics(of_part, seeds, options)}
                for key, _ in seeds:
                    _add_pooled(entries[key], pooled)


def _part(row: dict, part: str) -> dict | None:
    """What a row's entry has about a part of the images; None without such a part."""
    return row if part == WHOLE else row.get(part)


def _known(others: dict[str, str], part: str) -> dict[str, str]:
    """The rows with which a row is compared on a part of the images."""
    return others if part == WHOLE else {name: key for name, key in others.items() if name == BASELINE}


Ranked = Callable[[str], Ranks]
"""key of a row -> its ranks"""
Seeds = list[tuple[str, dict[str, str]]]
"""the rows of a line, each with the rows that it is compared with"""


def _measured(ranks: Ranked, seeds: Seeds, options: tuple) -> dict[str, dict]:
    """Comparisons and share of one row, or of a line over all its seeds, as far as every seed has them."""

    def of(name: str) -> list[Ranks] | None:
        return [ranks(others[name]) for _, others in seeds] if all(name in others for _, others in seeds) else None

    known = {name: rows for name in (BASELINE, JOINT, RECTANGLES) if (rows := of(name))}
    if not known:
        return {"comparisons": {}, "share": {}}
    own, below, above = [ranks(key) for key, _ in seeds], of(RECTANGLES), of(ORACLE)
    share = share_closed(below, own, above, *options) if below and above else {}
    compared = {name: _of_interest(compare(rows, own, *options)) for name, rows in known.items()}
    return {"comparisons": compared, "share": _of_interest(share)}


def _metrics(ranks: Ranked, seeds: Seeds, options: tuple) -> dict[str, dict]:
    return _of_interest(summarize([ranks(key) for key, _ in seeds], *options))


def _add_pooled(numbers: dict, pooled: dict) -> None:
    """Each number of a line goes to the same number of one of its seeds, as `pooled`."""
    for name, value in pooled.items():
        if "low" in value:
            numbers.setdefault(name, {})["pooled"] = value
        else:
            _add_pooled(numbers.setdefault(name, {}), value)


def _of_interest(metrics: dict[str, dict]) -> dict[str, dict]:
    return {name: values for name, values in metrics.items() if COMPARED.fullmatch(name)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("report", type=Path)
    arguments = parser.parse_args()
    study = load(PARAMS_FILE)
    numbers = collect(study, arguments.runs)
    write_text(arguments.report / "results.json", to_json(numbers))
