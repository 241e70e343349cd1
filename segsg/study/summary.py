"""Small tables about a study, for the notebooks to show."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from segsg.data.visual_genome import SceneGraphSet
from segsg.study import data
from segsg.study.params import ExperimentRow, Params
from segsg.world.measure import measure

SPLITS = ("train", "validation", "test")
SHOWN_TASKS = ("sgcls", "predcls", "sgdet")
"""which task pictures are of: in SGCls two models have the same boxes, and all else is theirs to say"""


def sets(params: Params) -> pd.DataFrame:
    """Images of every split of the two sets, and regions and relations of the scene graph set."""
    rows = {f"scene graphs, {split}": _counts(data.scene_graph_set(params, split)) for split in SPLITS}
    rows |= {f"masks, {split}": (len(data.mask_set(params, split)),) for split in ("train", "validation")}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["images", "regions", "relations"])
    return table.astype("Int64")


def _counts(dataset: SceneGraphSet) -> tuple[int, int, int]:
    annotations = [dataset.annotation(index) for index in range(len(dataset))]
    labels, relations = (sum(len(a[part]) for a in annotations) for part in (1, 2))
    return len(annotations), labels, relations


def predicates(params: Params) -> pd.DataFrame:
    """Training relations of each predicate and its share, most frequent first."""
    names, counts = data.vocabulary(params).predicates, data.statistics(params).predicate_counts[1:]
    table = pd.DataFrame({"relations": counts.numpy()}, index=pd.Index(names, name="predicate"))
    table["share"] = (table["relations"] / table["relations"].sum()).round(3)
    return table.sort_values("relations", ascending=False, kind="stable")


def yardsticks(params: Params) -> dict:
    """What names, boxes and true masks tell about a drawn world's predicates; empty for files."""
    return measure(data.folder(params)) if params.world is not None else {}


def classifiers(measured: dict) -> pd.DataFrame:
    """The yardstick classifiers of `yardsticks`, one per row."""
    columns = ["accuracy", "mean_accuracy", "mean_recall"]
    return pd.DataFrame(measured.get("classifiers", {}), index=columns).T.astype(float).round(3)


def files(folder: Path) -> pd.DataFrame:
    """Files of a folder with their sizes in megabytes."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    sizes = [round(path.stat().st_size / 1e6, 3) for path in found]
    return pd.DataFrame({"MB": sizes}, index=pd.Index([str(p.relative_to(folder)) for p in found], name="file"))


def gallery_experiment(params: Params) -> str:
    """The seg-grounded experiment whose photos a report shows. ValueError without one.

    Of those that are grounded as the study sets it, by SHOWN_TASKS; of these the first seed, and the grid's last.
    """
    if not (keys := _grounded(params)):
        raise ValueError(f"profile {params.profile}: no seg-grounded experiment to show; add the method to its grid")
    return keys[0]


def compared_experiments(params: Params) -> tuple[str, str]:
    """The baseline of a seg-grounded experiment, and that one: the first in the order of `gallery_experiment` that has
    a baseline of its model, task and seed on the detector without masks. ValueError if the study has none."""
    for key in _grounded(params):
        if (base := _baseline(params, params.experiments[key])) is not None:
            return base, key
    raise ValueError(f"profile {params.profile}: no model both with and without grounding; add both to its grid")


def _grounded(params: Params) -> list[str]:
    def plain(row: ExperimentRow) -> bool:
        return row.method == "seg-grounded" and not row.grounding and not params.detectors[row.detector].disjoint

    keys = [key for key, row in reversed(params.experiments.items()) if plain(row)]
    rows = params.experiments
    return sorted(keys, key=lambda key: (SHOWN_TASKS.index(rows[key].task), rows[key].seed))


def _baseline(params: Params, row: ExperimentRow) -> str | None:
    for key, base in params.experiments.items():
        detector = params.detectors[base.detector]
        alike = (base.model, base.task, base.seed) == (row.model, row.task, row.seed)
        same = detector.backbone == params.detectors[row.detector].backbone
        if base.method == "baseline" and alike and same and not detector.joint:
            return key
    return None


def histories_by_task(folder: Path, params: Params) -> dict[str, dict[str, list[Path]]]:
    """The learning curves of stage 2, by task and method."""
    found: dict[str, dict[str, list[Path]]] = {}
    for key, path in histories(folder, params.experiments).items():
        row = params.experiments[key]
        found.setdefault(row.task, {}).setdefault(row.method, []).append(path)
    return found


def histories(folder: Path, keys: Iterable[str]) -> dict[str, Path]:
    """The learning curves of runs that have one; nothing is trained in a frequency row."""
    paths = {key: folder / key / "history.csv" for key in keys}
    return {key: path for key, path in paths.items() if len(path.read_text().splitlines()) > 1}
