"""Small tables about a study, for the notebooks to show."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from segsg.data.visual_genome import SceneGraphSet
from segsg.study import facts, sets
from segsg.study.params import ExperimentRow, Params

SPLITS = ("train", "validation", "test")


def image_sets(params: Params) -> pd.DataFrame:
    """Images of every split of the two sets, and regions and relations of the scene graph set."""
    rows = {f"scene graphs, {split}": _counts(sets.scene_graph_set(params, split)) for split in SPLITS}
    rows |= {f"masks, {split}": (len(sets.mask_set(params, split)),) for split in ("train", "validation")}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["images", "regions", "relations"])
    return table.astype("Int64")


def _counts(dataset: SceneGraphSet) -> tuple[int, int, int]:
    annotations = [dataset.annotation(index) for index in range(len(dataset))]
    labels, relations = (sum(len(a[part]) for a in annotations) for part in (1, 2))
    return len(annotations), labels, relations


def predicates(params: Params) -> pd.DataFrame:
    """Training relations of each predicate and its share, most frequent first."""
    known = facts.load(params)
    index = pd.Index(known.names.predicates, name="predicate")
    table = pd.DataFrame({"relations": known.predicate_counts[1:].numpy()}, index=index)
    table["share"] = (table["relations"] / table["relations"].sum()).round(3)
    return table.sort_values("relations", ascending=False, kind="stable")


def files(folder: Path) -> pd.DataFrame:
    """Files of a folder with their sizes in megabytes."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    sizes = [round(path.stat().st_size / 1e6, 3) for path in found]
    return pd.DataFrame({"MB": sizes}, index=pd.Index([str(p.relative_to(folder)) for p in found], name="file"))


def histories_by_task(folder: Path, params: Params) -> dict[str, dict[str, list[Path]]]:
    """The learning curves of stage 2 below the folder of all groups, by task and method."""
    found: dict[str, dict[str, list[Path]]] = {}
    for name, group in params.groups.items():
        for key, path in histories(folder / name, group.rows).items():
            row = group.rows[key]
            found.setdefault(row.task, {}).setdefault(row.method, []).append(path)
    return found


def histories(folder: Path, keys: Iterable[str]) -> dict[str, Path]:
    """The learning curves of runs that have one; nothing is trained in a frequency row."""
    paths = {key: folder / key / "history.csv" for key in keys}
    return {key: path for key, path in paths.items() if len(path.read_text().splitlines()) > 1}


def row_table(rows: Mapping[str, ExperimentRow]) -> pd.DataFrame:
    """One line for each row: what it is, and what it changes of the section `grounding`."""
    table = {
        key: {name: getattr(row, name) for name in ("model", "method", "task", "detector", "seed")}
        | {"grounding": ", ".join(f"{name}: {value}" for name, value in row.grounding.items())}
        for key, row in rows.items()
    }
    return pd.DataFrame.from_dict(table, orient="index")


def interval_table(measured: Mapping[str, dict[str, dict]], number: str = "value") -> pd.DataFrame:
    """{key: {metric: {`number`, "low", "high"}}} as a line for each metric and a column for each key, in fractions."""
    texts = {
        key: {name: _with_interval(one[number], one) for name, one in metrics.items()}
        for key, metrics in measured.items()
    }
    return pd.DataFrame(texts)


def _with_interval(value: float | None, bounds: dict) -> str:
    """ "0.123 [0.118, 0.129]"; empty where nothing could be measured."""
    known = value is not None and bounds["low"] is not None
    return f"{value:.3f} [{bounds['low']:.3f}, {bounds['high']:.3f}]" if known else ""


def curves(histories: Mapping[str, Path]) -> pd.DataFrame:
    """The loss of each run by step, as a running mean over twenty steps; a column for each run."""
    losses = {key: pd.read_csv(path).set_index("step")["loss"] for key, path in histories.items()}
    return pd.DataFrame(losses, dtype=float).rolling(20, min_periods=1).mean()


def mask_table(measured: Mapping[str, dict], names: Sequence[str]) -> pd.DataFrame:
    """A line for each key and each of the `names` that were measured of it, a column for each number."""
    lines = {(key, name): one[name] for key, one in measured.items() for name in names if name in one}
    return pd.DataFrame.from_dict(lines, orient="index")
