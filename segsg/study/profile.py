"""Profiles: params.yaml is written from profiles/base.yaml, profiles/NAME.yaml and overrides, and never by hand.

DVC reads the rows of a study from params.yaml before anything runs, and can't choose between parameter files itself.
A profile's `grid` becomes one row per stage-1 run and one per stage-2 run. Keys of rows start with the profile, so that
one dvc.lock holds every profile and going back to one re-runs nothing. Rows that could not run are refused here, not
after their detectors are trained.
"""

import itertools
import json
import shlex
from collections.abc import Mapping
from functools import reduce
from pathlib import Path

import yaml

from segsg.files import read_yaml, write_text
from segsg.models.registry import names as model_names
from segsg.study.params import PARAMS_FILE, Params, read_section
from segsg.study.rows import rows

PROFILES = Path("profiles")
HEADER = "# Written by: segsg profile use "
NEEDED = ("model", "detector", "task", "method")
"""what a row of `grid.rows` says"""
JOINT, DISJOINT = "-joint", "-disjoint"
"""endings of a detector's name: the fields of `DetectorRow` that they set; the second needs the first"""
SHORT_METHODS = {"baseline": "baseline", "seg-grounded": "seg"}
AXES = ("models", "detectors", "tasks", "methods", "seeds")
GRID_KEYS = {*AXES, "backbones", "frequency", "rows", "ablations", "more"}


def names() -> list[str]:
    """Names of all profiles, the files in `profiles/`."""
    return sorted(path.stem for path in PROFILES.glob("*.yaml") if path.stem != "base")


def resolve(name: str, overrides: list[str] | None = None) -> dict:
    """All parameters of the profile `name`, as plain values for params.yaml.

    A profile that `extends` another shares its data and runs, and has a report of its own.
    `overrides` are `section.key=value` (YAML values), applied before the grid becomes rows. ValueError for an unknown
    profile, a malformed override, a row that could not run, or a result that `segsg.study.params` would not load.
    """
    if name not in names():
        raise ValueError(f"{PROFILES}: no profile '{name}'; there are {', '.join(names())}")
    own = _read(PROFILES / f"{name}.yaml")
    study = own.pop("extends", name)
    layers = [_read(PROFILES / "base.yaml"), *([_read(PROFILES / f"{study}.yaml")] if study != name else []), own]
    values = reduce(merge, layers)
    for override in overrides or []:
        values = merge(values, _parse_override(override))
    check_named(values["grid"].get("rows"), name)
    values["detectors"], values["experiments"] = expand(values.pop("grid"), study)
    values = {"profile": study, "report": name} | json.loads(json.dumps(values).replace("{profile}", study))
    params = read_section(Params, values, f"profile {name}")
    rows(params)
    check_experiments(params)
    return values


def merge(below: dict, above: dict) -> dict:
    """`above` laid over `below`: sections are merged key by key, anything else is replaced."""
    both = {k: merge(below[k], v) for k, v in above.items() if isinstance(v, dict) and isinstance(below.get(k), dict)}
    return below | above | both


def _read(path: Path) -> dict:
    return read_yaml(path) or {}


def _parse_override(text: str) -> dict:
    keys, equals, value = text.partition("=")
    if not equals or not all(keys.split(".")):
        raise ValueError(f"override '{text}': write it as section.key=value")
    try:
        nested = yaml.safe_load(value)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"override '{text}': the value is not YAML ({' '.join(str(error).split())})") from error
    for key in reversed(keys.split(".")):
        nested = {key: nested}
    return nested


def text(name: str, overrides: list[str] | None = None) -> str:
    """The contents of params.yaml for the profile. Its first line is the command that writes it."""
    command = shlex.join([name, *(word for override in overrides or [] for word in ("--set", override))])
    return HEADER + command + "\n" + yaml.safe_dump(resolve(name, overrides), sort_keys=False, width=120)


def use(name: str, overrides: list[str] | None = None) -> None:
    """Write params.yaml for the profile `name`."""
    write_text(PARAMS_FILE, text(name, overrides))


def written_by(params_file: Path = PARAMS_FILE) -> tuple[str, list[str]]:
    """(profile, overrides) that params.yaml says it was written from."""
    if not params_file.is_file():
        raise ValueError(f"{params_file}: not there; write it with `segsg profile use mini`")
    first = params_file.read_text(encoding="utf-8").partition("\n")[0]
    if not first.startswith(HEADER):
        raise ValueError(f"{params_file}: its first line is not '{HEADER}NAME'; write it with `segsg profile use NAME`")
    name, *rest = shlex.split(first.removeprefix(HEADER))
    return name, rest[1::2]


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


def check_named(rows: Mapping[str, dict] | None, profile: str) -> None:
    """ValueError for a row of `grid.rows` that does not say what it is."""
    for name, row in (rows or {}).items():
        if missing := [key for key in NEEDED if key not in row]:
            raise ValueError(
                f"profile {profile}: grid.rows: {name} lacks {', '.join(missing)}; a row says {', '.join(NEEDED)}"
            )


def check_experiments(params: Params) -> None:
    """ValueError for what no section says alone: a model that does not exist, a grounded row on a detector without
    masks, mirrored stored looks, numbers that contradict each other."""
    if params.data.long_side < params.data.short_side:
        raise ValueError(f"data.long_side: {params.data.long_side} is less than short_side, {params.data.short_side}")
    numbers = params.detection
    if numbers.regions > numbers.detections:
        raise ValueError(f"detection.regions: {numbers.regions} is more than detections, {numbers.detections}")
    if params.cache_looks and params.stage2.flip:
        raise ValueError(
            "stage2.flip: a stored look cannot be mirrored; set stage2.flip: false, or cache_looks: false to ask the "
            "detector again at every step"
        )
    models = model_names()
    for key, row in params.experiments.items():
        if row.model not in models:
            raise ValueError(f"experiment {key}: no model '{row.model}'; there are {', '.join(models)}")
        if row.method == "seg-grounded" and not params.detectors[row.detector].joint:
            raise ValueError(
                f"experiment {key}: detector {row.detector} has no masks to ground with; "
                "write the joint one in its row, with -joint behind its name"
            )
