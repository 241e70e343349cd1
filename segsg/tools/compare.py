"""`segsg compare`: two systems on the same images, number by number."""

import json
from dataclasses import dataclass
from pathlib import Path

from segsg.evaluation.bootstrap import Difference, compare, compare_predicates
from segsg.evaluation.ranks import Ranks, load
from segsg.files import to_json, write_text
from segsg.structures import TASKS
from segsg.study.results import METRICS_FILE
from segsg.tools.evaluate import RANKS, RESULTS, to_csv

PARTS = ("baseline", "system", "difference", "low", "high", "p")


@dataclass(frozen=True)
class System:
    """What an evaluation left behind; `names` of predicates where it wrote them."""

    ranks: Ranks
    names: tuple[str, ...] | None


def find(path: Path, protocol: str) -> System:
    """From a file of ranks, an output folder of `segsg evaluate`, or an evaluation of the study.

    ValueError if the folder has no ranks (under this protocol).
    """
    candidates = [path, path / RANKS / f"{protocol}.npz", path / "ranks.npz"]
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        raise ValueError(f"{path}: neither a file of ranks nor a folder with {RANKS}/{protocol}.npz or ranks.npz in it")
    return System(load(found), _names(path))


def _names(folder: Path) -> tuple[str, ...] | None:
    for name, read in ((RESULTS, lambda c: c["names"]), (METRICS_FILE, lambda c: c["predicates"]["names"])):
        if (folder / name).is_file():
            return tuple(read(json.loads((folder / name).read_text(encoding="utf-8"))))
    return None


def by_task(baseline: Path, system: Path) -> dict[str, tuple[Path, Path]]:
    """What to compare: the subfolders predcls, sgcls and sgdet that both have, or the two themselves (key "")."""
    tasks = [task for task in TASKS if (baseline / task).is_dir() and (system / task).is_dir()]
    return {task: (baseline / task, system / task) for task in tasks} or {"": (baseline, system)}


def run(baseline: Path, system: Path, protocol: str, resamples: int, seed: int, out: Path | None) -> dict:
    """Paired differences `system` - `baseline`, also written to `out` as JSON and CSV if given."""
    first, second = find(baseline, protocol), find(system, protocol)
    names = first.names or second.names or tuple(f"predicate {i}" for i in range(1, first.ranks.predicates))
    results = {
        "baseline": str(baseline),
        "system": str(system),
        "images": len(first.ranks),
        "metrics": compare(first.ranks, second.ranks, resamples, seed=seed),
        "names": list(names),
        "predicates": compare_predicates(first.ranks, second.ranks, resamples, seed=seed),
    }
    if out is not None:
        write_text(out / "compare.json", to_json(results))
        write_text(out / "metrics.csv", to_csv(("metric", *PARTS), _metric_lines(results)))
        write_text(out / "predicates.csv", to_csv(("metric", "label", "predicate", *PARTS), _predicate_lines(results)))
    return results


def _metric_lines(results: dict) -> list[tuple]:
    return [(name, *_digits(difference)) for name, difference in results["metrics"].items()]


def _predicate_lines(results: dict) -> list[tuple]:
    return [
        (metric, label, name, *_digits(difference))
        for metric, column in results["predicates"].items()
        for label, (name, difference) in enumerate(zip(results["names"], column, strict=True), start=1)
    ]


def _digits(difference: Difference | None) -> list[str]:
    return [""] * len(PARTS) if difference is None else [f"{difference[part]:.6f}" for part in PARTS]


def report(results: dict, depth: int) -> str:
    """What the command prints: every metric, and recall at one K of every predicate; per cent."""
    head = f"{results['images']} images, {results['system']} - {results['baseline']}; per cent"
    lines = [head, _line("metric", None), *(_line(name, cell) for name, cell in results["metrics"].items())]
    lines += ["", f"R@{depth} of each predicate (p-values not adjusted for their number)"]
    column = results["predicates"][f"R@{depth}"]
    return "\n".join(lines + [_line(name, cell) for name, cell in zip(results["names"], column, strict=True) if cell])


def _line(name: str, cell: Difference | None) -> str:
    if cell is None:
        return f"{name:<18}{'A':>8}{'B':>8}{'B - A':>8}   {'95 % interval':<18}{'p':>7}"
    first, second, difference, low, high = (100 * cell[part] for part in PARTS[:-1])
    bounds = f"[{low:+.2f}, {high:+.2f}]"
    return f"{name:<18}{first:8.2f}{second:8.2f}{difference:+8.2f}   {bounds:<18}{cell['p']:7.3f}"
