"""A profile's `grid` as rows: one per stage-1 run and one per stage-2 run, with keys that name them everywhere.

Keys start with the profile, so that one dvc.lock holds every profile and going back to one re-runs nothing.
"""

import itertools

JOINT, DISJOINT = "-joint", "-disjoint"
"""endings of a detector's name: the fields of `DetectorRow` that they set; the second needs the first"""
SHORT_METHODS = {"baseline": "baseline", "seg-grounded": "seg"}
AXES = ("models", "detectors", "tasks", "methods", "seeds")
GRID_KEYS = {*AXES, "backbones", "frequency", "rows", "ablations", "more"}


def expand(grid: dict, profile: str) -> tuple[dict[str, dict], dict[str, dict]]:
    """(detectors, experiments) of the grid, each {key: row}.

    `backbones` maps a detector's short name to its backbone; a baseline gets the detector trained on the scene graph
    set alone, a seg-grounded row the joint one. `frequency: true` adds one row without pixels per task. `rows` are
    further experiments by name: {model, detector, method, task, grounding}, once per seed unless they have a `seed`;
    their detector is a short name, also with `-joint` or `-joint-disjoint` (see `segsg.study.params.DetectorRow`).
    `ablations` are lists of changes to the section `grounding` in one place: {model, detector, task, changes: {name:
    change}}, each a seg-grounded row. `more` are grids beside this one: each takes from it the axes that it does not
    name, and no rows or ablations. ValueError for an unknown name.
    """
    more = grid.get("more") or []
    if unknown := sorted({key for part in (grid, *more) for key in part} - GRID_KEYS):
        raise ValueError(
            f"profile {profile}: grid: unknown {', '.join(unknown)}; known: {', '.join(sorted(GRID_KEYS))}"
        )
    experiments: dict[str, dict] = {}
    for part in (grid, *({axis: grid[axis] for axis in AXES} | part for part in more)):
        experiments |= _product(part, profile) | _frequency(part, profile)
        experiments |= _named_rows(part, profile) | _ablations(part, profile)
    used = sorted({row["detector"] for row in experiments.values()})
    return {key: _detector_row(key, grid["backbones"], profile) for key in used}, experiments


def _product(grid: dict, profile: str) -> dict[str, dict]:
    return dict(_experiment(profile, *values) for values in itertools.product(*(grid[axis] for axis in AXES)))


def _experiment(profile: str, model: str, detector: str, task: str, method: str, seed: int) -> tuple[str, dict]:
    if method not in SHORT_METHODS:
        raise ValueError(f"profile {profile}: grid: method '{method}' is not one of {', '.join(SHORT_METHODS)}")
    key = f"{profile}-{model}-{detector}-{task}-{SHORT_METHODS[method]}{_suffix(seed)}"
    joint = JOINT if method == "seg-grounded" else ""
    row = {"model": model, "detector": f"{profile}-{detector}{joint}", "method": method, "task": task, "seed": seed}
    return key, row


def _frequency(grid: dict, profile: str) -> dict[str, dict]:
    if not grid.get("frequency"):
        return {}
    axes = itertools.product(grid["detectors"], grid["tasks"])
    return {
        f"{profile}-frequency-{detector}-{task}": {
            "model": "frequency", "detector": f"{profile}-{detector}", "method": "frequency", "task": task, "seed": 0
        }
        for detector, task in axes
    }  # fmt: skip


def _named_rows(grid: dict, profile: str) -> dict[str, dict]:
    rows = grid.get("rows") or {}
    return {
        f"{profile}-{name}{_suffix(seed)}": {"seed": seed} | row | {"detector": f"{profile}-{row['detector']}"}
        for name, row in rows.items()
        for seed in ([row["seed"]] if "seed" in row else grid["seeds"])
    }


def _ablations(grid: dict, profile: str) -> dict[str, dict]:
    rows = {}
    for place in grid.get("ablations") or []:
        where = (place["model"], place["detector"], place["task"])
        for (name, change), seed in itertools.product(place["changes"].items(), grid["seeds"]):
            _, row = _experiment(profile, *where, "seg-grounded", seed)
            rows[f"{profile}-{'-'.join(where)}-{name}{_suffix(seed)}"] = row | {"grounding": change}
    return rows


def _suffix(seed: int) -> str:
    return f"-s{seed}" if seed else ""


def _detector_row(key: str, backbones: dict[str, str], profile: str) -> dict:
    joint_key = key.removesuffix(DISJOINT)
    name, joint = joint_key.removeprefix(f"{profile}-").removesuffix(JOINT), joint_key.endswith(JOINT)
    if name not in backbones:
        raise ValueError(f"profile {profile}: grid: no backbone for detector '{name}'; known: {', '.join(backbones)}")
    row = {"backbone": backbones[name], "joint": joint, "seed": 0}
    if joint_key == key:
        return row
    if not joint:
        raise ValueError(
            f"profile {profile}: grid: detector '{name}{DISJOINT}' sees no mask image that it could do without; "
            f"write {name}{JOINT}{DISJOINT}"
        )
    return row | {"disjoint": True}
