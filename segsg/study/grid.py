"""The grid of a profile: which rows a study has, each said once, and all their combinations written out by `expand`."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from segsg.study.params import BackboneName, Count, Method, Name, TaskName, read_section
from segsg.study.rows import BASELINE, GROUNDED

JOINT, DISJOINT = "-joint", "-disjoint"
"""endings of a detector's name: the fields of `DetectorRow` that they set; the second needs the first"""
SHORT_METHODS = {BASELINE: "baseline", GROUNDED: "seg"}
AXES = ("models", "detectors", "tasks", "methods", "seeds")


@dataclass(frozen=True)
class NamedRow:
    """A single row, once for each seed of its grid unless it has a seed of its own."""

    model: Name
    detector: Name
    """a short name, also with `-joint` or `-joint-disjoint` (see `segsg.study.params.DetectorRow`)"""
    method: Method
    task: TaskName
    seed: Count | None = None
    grounding: dict | None = None
    """changes to the section `grounding`"""


@dataclass(frozen=True)
class Ablation:
    """Changes to the section `grounding` in one place, each a seg-grounded row."""

    model: Name
    detector: Name
    task: TaskName
    changes: dict[Name, dict]


@dataclass(frozen=True)
class Part:
    """Axes, whose every combination is a row, and further rows."""

    models: list[Name]
    detectors: list[Name]
    """short names; a baseline gets the detector trained on the scene graph set alone, a grounded row the joint one"""
    tasks: list[TaskName]
    methods: list[Method]
    seeds: list[Count]
    frequency: bool = False
    """whether there is a row without pixels for each detector and task"""
    rows: dict[Name, NamedRow] = field(default_factory=dict)
    ablations: list[Ablation] = field(default_factory=list)


@dataclass(frozen=True)
class Grid(Part):
    """All rows of a study, and the backbone of each detector."""

    backbones: dict[Name, BackboneName] = field(default_factory=dict)
    """short name of a detector -> its backbone"""
    more: list[dict] = field(default_factory=list)
    """grids beside this one: each takes from it the axes that it does not name, and no rows or ablations"""


def expand(raw: dict, profile: str) -> tuple[dict[str, dict], dict[str, dict]]:
    """(detectors, experiments) of a grid, each {key: row} as params.yaml has them. ValueError names what is wrong."""
    where = f"profile {profile}: grid"
    grid = read_section(Grid, raw, where)
    axes = {axis: raw[axis] for axis in AXES}
    more = [read_section(Part, axes | part, f"{where}: more[{i}]") for i, part in enumerate(grid.more)]
    experiments: dict[str, dict] = {}
    for part in (grid, *more):
        experiments |= dict(itertools.chain(_product(part), _frequency(part), _named(part), _ablations(part)))
    experiments = {
        f"{profile}-{key}": row | {"detector": f"{profile}-{row['detector']}"} for key, row in experiments.items()
    }
    used = sorted({row["detector"] for row in experiments.values()})
    return {key: _detector_row(key.removeprefix(f"{profile}-"), grid.backbones, where) for key in used}, experiments


def grouped(experiments: dict[str, dict]) -> dict[str, dict]:
    """Groups as params.yaml has them, {name: {"detector", "rows"}}, of rows with equal detector, task and seed."""
    groups: dict[str, dict] = {}
    for key, row in experiments.items():
        name = f"{row['detector']}-{row['task']}{_suffix(row['seed'])}"
        groups.setdefault(name, {"detector": row["detector"], "rows": {}})["rows"][key] = row
    return groups


Keyed = Iterator[tuple[str, dict]]
"""(key, row), both without the name of the profile"""


def _product(part: Part) -> Keyed:
    for model, detector, task, method, seed in itertools.product(*(getattr(part, axis) for axis in AXES)):
        if method not in SHORT_METHODS:
            raise ValueError(f"grid: methods: '{method}' has rows of its own; write frequency: true")
        key = f"{model}-{detector}-{task}-{SHORT_METHODS[method]}{_suffix(seed)}"
        yield key, _row(model, detector, task, method, seed)


def _row(model: str, detector: str, task: str, method: str, seed: int) -> dict:
    joint = JOINT if method == GROUNDED else ""
    return {"model": model, "detector": f"{detector}{joint}", "method": method, "task": task, "seed": seed}


def _frequency(part: Part) -> Keyed:
    for detector, task in itertools.product(part.detectors, part.tasks) if part.frequency else ():
        yield f"frequency-{detector}-{task}", _row("frequency", detector, task, "frequency", 0)


def _named(part: Part) -> Keyed:
    for name, row in part.rows.items():
        for seed in part.seeds if row.seed is None else [row.seed]:
            found = vars(row) | {"seed": seed}
            yield f"{name}{_suffix(seed)}", {key: value for key, value in found.items() if value is not None}


def _ablations(part: Part) -> Keyed:
    for place in part.ablations:
        for (name, change), seed in itertools.product(place.changes.items(), part.seeds):
            row = _row(place.model, place.detector, place.task, GROUNDED, seed) | {"grounding": change}
            yield f"{place.model}-{place.detector}-{place.task}-{name}{_suffix(seed)}", row


def _suffix(seed: int) -> str:
    return f"-s{seed}" if seed else ""


def _detector_row(name: str, backbones: dict[str, str], where: str) -> dict:
    """The row of a detector by its short name with endings."""
    joint_name = name.removesuffix(DISJOINT)
    short, joint = joint_name.removesuffix(JOINT), joint_name.endswith(JOINT)
    if short not in backbones:
        raise ValueError(f"{where}: no backbone for detector '{short}'; known: {', '.join(backbones)}")
    row = {"backbone": backbones[short], "joint": joint, "seed": 0}
    if joint_name == name:
        return row
    if not joint:
        rule = f"detector '{short}{DISJOINT}' sees no mask image that it could do without"
        raise ValueError(f"{where}: {rule}; write {short}{JOINT}{DISJOINT}")
    return row | {"disjoint": True}
