"""Small tables about a study, for the notebooks to show."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from segsg.build import data
from segsg.data.world.measure import measure
from segsg.params import Params

SPLITS = ("train", "validation", "test")


def sets(params: Params) -> pd.DataFrame:
    """Images, regions and relations of every split of the two sets; a mask set has no relations."""
    rows = {f"scene graphs, {split}": _counts(data.scene_graph_set(params, split)) for split in SPLITS}
    rows |= {f"masks, {split}": _counts(data.mask_set(params, split)) for split in ("train", "validation")}
    return pd.DataFrame(rows, index=["images", "regions", "relations"]).T


def _counts(dataset) -> tuple[int, int, int]:
    annotations = [dataset.annotation(i) for i in range(len(dataset))]
    relations = sum(len(getattr(a, "relations", ())) for a in annotations)
    return len(annotations), sum(len(a.labels) for a in annotations), relations


def predicates(params: Params) -> pd.DataFrame:
    """Training relations of each predicate and its share, most frequent first."""
    names, counts = data.vocabulary(params).predicates, data.statistics(params).predicate_counts[1:]
    table = pd.DataFrame({"relations": counts.numpy()}, index=pd.Index(names, name="predicate"))
    table["share"] = (table["relations"] / table["relations"].sum()).round(3)
    return table.sort_values("relations", ascending=False, kind="stable")


def world(params: Params) -> pd.DataFrame:
    """What can be told about the drawn world's predicates without a network; empty for a study on files."""
    facts = measure(data.folder(params)) if params.world is not None else {}
    return pd.DataFrame({"measured": facts}, dtype=object)


def files(folder: Path) -> pd.DataFrame:
    """Files of a folder with their sizes in megabytes."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    sizes = [round(path.stat().st_size / 1e6, 3) for path in found]
    return pd.DataFrame({"MB": sizes}, index=pd.Index([str(p.relative_to(folder)) for p in found], name="file"))


def gallery_experiment(params: Params) -> str:
    """The first seg-grounded experiment, whose photos a report shows. ValueError if the study has none."""
    for key, row in params.experiments.items():
        if row.method == "seg-grounded":
            return key
    raise ValueError(f"profile {params.profile}: no seg-grounded experiment to show; add the method to its grid")


def histories(folder: Path, keys: Iterable[str]) -> dict[str, Path]:
    """The learning curves of runs that have one; nothing is trained in a frequency row."""
    paths = {key: folder / key / "history.csv" for key in keys}
    return {key: path for key, path in paths.items() if len(path.read_text().splitlines()) > 1}
