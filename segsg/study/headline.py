"""The few numbers of a study that DVC shows and compares: `dvc metrics`, `dvc plots`, `dvc exp show`.

`python -m segsg.study.headline runs/PROFILE reports/REPORT/results.json metrics`. results.json has some thousand
numbers a row; here is one small file for each place (model, detector, task), so that DVC prints a table, and what its
plots draw, as CSV. The folder has one name for all studies: DVC compares files of one path, and an experiment has a
report of its own.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from statistics import mean

import pandas as pd

from segsg.files import read_json, to_json, write_text
from segsg.study.params import Params, load
from segsg.study.rows import BASELINE, CONTACT, GROUNDED, RECTANGLES, Row, lines
from segsg.study.summary import histories

ONE_EACH, PLACES, CURVES = "places", "places.csv", "curves.csv"
"""a folder with a file for each place, and two files"""
MEAN, ZERO = "mR@50", "zsR@100"
LEVELS = {BASELINE: f"{MEAN}, baseline", GROUNDED: f"{MEAN}, seg-grounded"}
GAINS = {metric: (f"{metric}, masks - rectangles", f"{metric}, share of the gap") for metric in (MEAN, ZERO)}
"""metric -> what pixel-refined masks bring over rectangles in the contact frame, and their share of the gap"""
STEPS, SMOOTH = 10, 50
"""of a learning curve: steps from point to point, and steps of the running mean"""
Numbers = dict[str, float]


def write(results: Mapping, curve_of: Mapping[str, Path], out: Path) -> None:
    """Writes to the folder `out` what DVC shows. `curve_of` has the learning curve of each row that has one."""
    numbers = places(results)
    for place, one in numbers.items():
        write_text(out / ONE_EACH / f"{place}.json", to_json(one))
    columns = [*LEVELS.values(), *(name for names in GAINS.values() for name in names)]
    table = pd.DataFrame.from_dict(numbers, orient="index", columns=columns).rename_axis("place")
    write_text(out / PLACES, table.to_csv(lineterminator="\n"))
    write_text(out / CURVES, curves(results, curve_of).to_csv(lineterminator="\n"))


def places(results: Mapping) -> dict[str, Numbers]:
    """The numbers of each place in per cent, means over seeds; a place without any is left out."""
    found: dict[str, Numbers] = {}
    for row, seeds in lines(results).items():
        if numbers := _levels(row, seeds) | _gains(row, seeds):
            found.setdefault("-".join(row.place), {}).update(numbers)
    return found


def _levels(row: Row, seeds: list[dict]) -> Numbers:
    name = LEVELS.get(row.method) if row.is_plain else None
    return _mean(name, [seed["metrics"][MEAN]["value"] for seed in seeds]) if name else {}


def _gains(row: Row, seeds: list[dict]) -> Numbers:
    """What the masks of a row bring, if they are pixel-refined and seen in the contact frame."""
    if not row.follows_pixels or row.grounding.edges != CONTACT:
        return {}
    found: Numbers = {}
    for metric, (gain, share) in GAINS.items():
        over = [seed.get("comparisons", {}).get(RECTANGLES, {}).get(metric, {}) for seed in seeds]
        found |= _mean(gain, [one.get("difference") for one in over])
        found |= _mean(share, [seed.get("share", {}).get(metric, {}).get("value") for seed in seeds])
    return found


def _mean(name: str, values: list[float | None]) -> Numbers:
    """The mean over seeds in per cent, if every seed has a number."""
    return {name: round(100 * mean(values), 2)} if values and None not in values else {}


def curves(results: Mapping, curve_of: Mapping[str, Path]) -> pd.DataFrame:
    """Training losses by step, as running means: a column for each task and method, the mean over its rows."""
    by_place: dict[str, list[pd.Series]] = {}
    for key, path in curve_of.items():
        row = results["experiments"][key]
        loss = pd.read_csv(path, index_col="step")["loss"].rolling(SMOOTH, min_periods=1).mean()
        by_place.setdefault(f"{row['task']}, {row['method']}", []).append(loss)
    table = pd.DataFrame({name: pd.concat(each, axis=1).mean(axis=1) for name, each in by_place.items()})
    return table.iloc[::STEPS].round(4).rename_axis("step")


def learning_curves(params: Params, runs: Path) -> dict[str, Path]:
    """The learning curve of each row that has one."""
    groups = params.groups.items()
    return {key: path for name, group in groups for key, path in histories(runs / "rows" / name, group.rows).items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("results", type=Path, help="results.json of a report")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    study, numbers = load(), read_json(arguments.results)
    numbers["experiments"] = {key: numbers["experiments"][key] for key in study.experiments}  # in the study's order
    write(numbers, learning_curves(study, arguments.runs), arguments.out)
