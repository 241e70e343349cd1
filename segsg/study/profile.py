"""Profiles: params.yaml is written from profiles/base.yaml, profiles/NAME.yaml and overrides, and never by hand.

DVC reads the rows of a study from params.yaml before anything runs, and can't choose between parameter files itself.
A profile's `grid` becomes one row per stage-1 run and one per stage-2 run; the latter come in groups, each of which is
one stage. Keys start with the profile, so that one dvc.lock holds every profile and going back to one re-runs nothing.
Rows that could not run are refused here, not after their detectors are trained.
"""

import json
import shlex
from functools import reduce
from pathlib import Path

import yaml

from segsg.files import DataError, parse_yaml, read_json, read_yaml, write_text
from segsg.models.registry import names as model_names
from segsg.study.grid import expand, grouped
from segsg.study.params import PARAMS_FILE, Params, is_path, read_section
from segsg.study.rows import rows

PROFILES, REPORTS = Path("profiles"), Path("reports")
HEADER = "# Written by: segsg profile use "
NO_PIXELS = "names_and_boxes"
"""a model that reads neither pixels nor masks; the other one, the frequency table, has a method of its own"""


def names() -> list[str]:
    """Names of all profiles, the files in `profiles/`."""
    return sorted(path.stem for path in PROFILES.glob("*.yaml") if path.stem != "base")


def resolve(name: str, overrides: list[str] | None = None) -> dict:
    """All parameters of the profile `name`, as plain values for params.yaml.

    A profile that `extends` another shares its data and runs, and has a report of its own. One that is `like` another
    has its numbers where it names none, and shares nothing.
    `overrides` are `section.key=value` (YAML values), applied before the grid becomes rows. ValueError for an unknown
    profile, a malformed override, a row that could not run, or a result that `segsg.study.params` would not load.
    """
    own = _read(name)
    study = own.pop("extends", name)
    layers = [*_layers(study), *([own] if study != name else [])]
    values = reduce(merge, [_read("base"), *layers])
    for override in overrides or []:
        values = merge(values, _parse_override(override))
    if "grid" not in values:
        raise ValueError(f"profile {name}: no grid, hence no rows; write the section `grid`")
    values["detectors"], experiments = expand(values.pop("grid"), study)
    values["groups"] = grouped(experiments)
    values = {"profile": study, "report": name} | json.loads(json.dumps(values).replace("{profile}", study))
    check(read_section(Params, values, f"profile {name}"))
    return values


def _layers(study: str) -> list[dict]:
    """The sections of a study with data of its own, above those of the one that it is like."""
    own = _read(study)
    below = own.pop("like", None)
    layers = [own] if below is None else [_read(below), own]
    if chained := [key for key in ("like", "extends") for layer in layers if key in layer]:
        raise ValueError(f"profile {study}: it stands on a profile with `{chained[0]}`; write its numbers out")
    return layers


def merge(below: dict, above: dict) -> dict:
    """`above` laid over `below`: sections are merged key by key, anything else is replaced."""
    both = {k: merge(below[k], v) for k, v in above.items() if isinstance(v, dict) and isinstance(below.get(k), dict)}
    return below | above | both


def _read(name: str) -> dict:
    """The sections of one file. ValueError for a name that no profile has; DataError for a file without sections."""
    if name not in (*names(), "base"):
        raise ValueError(f"{PROFILES}: no profile {name!r}; there are {', '.join(names())}")
    path = PROFILES / f"{name}.yaml"
    sections = read_yaml(path)
    if type(sections) is not dict:
        raise DataError(path, "file", "has no sections", "write at least `grid:` and `data:`")
    return sections


def _parse_override(text: str) -> dict:
    keys, equals, value = text.partition("=")
    if not equals or not all(keys.split(".")):
        raise ValueError(f"override '{text}': write it as section.key=value")
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    try:
        nested = value if is_path(keys.split(".")) and not quoted and value != "null" else parse_yaml(value)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(f"override '{text}': the value is not YAML ({' '.join(str(error).split())})") from error
    for key in reversed(keys.split(".")):
        nested = {key: nested}
    return nested


def text(name: str, overrides: list[str] | None = None) -> str:
    """The contents of params.yaml for the profile. Its first line is the command that writes it."""
    command = shlex.join([name, *(word for override in overrides or [] for word in ("--set", override))])
    return HEADER + command + "\n" + yaml.safe_dump(resolve(name, overrides), sort_keys=False, width=120)


def use(name: str, overrides: list[str] | None = None) -> None:
    """Write params.yaml for the profile `name`. ValueError if its report would take the place of another study's."""
    written = text(name, overrides)
    if overrides:
        _check_report(name, yaml.safe_load(written))
    write_text(PARAMS_FILE, written)


def check_numbers() -> None:
    """ValueError if params.yaml has other numbers than its profile, and its report would take another one's place.

    DVC changes numbers there as well: `dvc exp run -S stage2.iterations=600`.
    """
    values, (name, overrides) = read_yaml(PARAMS_FILE), written_by()
    if values != yaml.safe_load(text(name, overrides)):
        _check_report(name, values)


def _check_report(name: str, values: dict) -> None:
    """A study with changed numbers has a name that no profile and no report of other numbers has."""
    report = values["report"]
    if report != name and report in names():
        raise ValueError(f"--name {report}: a profile has this name, and its report would be lost; take another")
    passport = REPORTS / report / "passport.json"
    if passport.is_file() and read_json(passport).get("parameters") != values:
        raise ValueError(
            f"{passport.parent}: it holds the report of other numbers, which this study would replace; "
            "give it a name of its own, `--name NAME` (with DVC `-S report=NAME`)"
        )


def written_by(params_file: Path = PARAMS_FILE) -> tuple[str, list[str]]:
    """(profile, overrides) that params.yaml says it was written from."""
    if not params_file.is_file():
        raise ValueError(f"{params_file}: not there; write it with `segsg profile use mini`")
    first = params_file.read_text(encoding="utf-8").partition("\n")[0]
    if not first.startswith(HEADER):
        raise ValueError(f"{params_file}: its first line is not '{HEADER}NAME'; write it with `segsg profile use NAME`")
    name, *rest = shlex.split(first.removeprefix(HEADER))
    return name, rest[1::2]


def check(params: Params) -> None:
    """ValueError for what no section says alone: rows that could not run, and numbers that contradict each other.

    Such are models, backbones and detectors that do not exist, a grounded row on a detector without masks or of a model
    that sees none, changes of grounding that are unknown, and stored looks that are mirrored or of several sizes.
    """
    if not params.experiments:
        raise ValueError(
            f"profile {params.profile}: no experiment; name models, detectors, tasks and methods in `grid`"
        )
    if params.data.long_side < params.data.short_side:
        raise ValueError(f"data.long_side: {params.data.long_side} is less than short_side, {params.data.short_side}")
    if params.data.long_side < max(params.data.short_sides, default=0):
        raise ValueError(f"data.short_sides: one is more than long_side, {params.data.long_side}")
    numbers = params.detection
    if numbers.regions > numbers.detections:
        raise ValueError(f"detection.regions: {numbers.regions} is more than detections, {numbers.detections}")
    network = params.network
    if network.pair_side % network.region_side:
        raise ValueError(
            f"network.pair_side: {network.pair_side} is no multiple of region_side, {network.region_side}; masks of "
            "pairs are folded into its cells"
        )
    if params.cache_looks and params.stage2.flip:
        raise ValueError(
            "stage2.flip: a stored look cannot be mirrored; set stage2.flip: false, or cache_looks: false to ask the "
            "detector again at every step"
        )
    if params.cache_looks and params.data.short_sides:
        raise ValueError(
            "data.short_sides: a stored look has one size; take them out, or set cache_looks: false to ask the "
            "detector again at every step"
        )
    models = model_names()
    for key, row in params.experiments.items():
        if row.model not in models:
            raise ValueError(f"experiment {key}: no model '{row.model}'; there are {', '.join(models)}")
        if row.detector not in params.detectors:
            known = ", ".join(params.detectors)
            raise ValueError(f"experiment {key}: no detector '{row.detector}'; there are {known}")
        if row.method == "seg-grounded" and row.model == NO_PIXELS:
            raise ValueError(f"experiment {key}: model {row.model} sees no pixels, so no masks; set method: baseline")
        if row.method == "seg-grounded" and not params.detectors[row.detector].joint:
            raise ValueError(
                f"experiment {key}: detector {row.detector} has no masks to ground with; "
                "write the joint one in its row, with -joint behind its name"
            )
    for name, group in params.groups.items():
        if not group.rows:
            raise ValueError(f"groups.{name}: has no rows; take it out, or let `segsg profile use` write params.yaml")
        if other := [key for key, row in group.rows.items() if row.detector != group.detector]:
            raise ValueError(
                f"groups.{name}: row {other[0]} has another detector than {group.detector}; let `segsg profile use` "
                "write params.yaml"
            )
    rows(params)
