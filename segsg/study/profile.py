"""Profiles: params.yaml is written from profiles/base.yaml, profiles/NAME.yaml and overrides, and never by hand.

DVC reads the rows of a study from params.yaml before anything runs, and can't choose between parameter files itself.
"""

import shlex
from functools import reduce
from pathlib import Path

import yaml

from segsg.files import write_text
from segsg.study.grid import expand
from segsg.study.params import PARAMS_FILE, Params, read_section
from segsg.study.row_checks import check_experiments, check_named
from segsg.study.rows import rows

PROFILES = Path("profiles")
HEADER = "# Written by: segsg profile use "


def names() -> list[str]:
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
    values = {"profile": study, "report": name} | _fill(values, study)
    params = read_section(Params, values, f"profile {name}")
    rows(params)
    check_experiments(params)
    return values


def merge(below: dict, above: dict) -> dict:
    """`above` laid over `below`: sections are merged key by key, anything else is replaced."""
    both = {k: merge(below[k], v) for k, v in above.items() if isinstance(v, dict) and isinstance(below.get(k), dict)}
    return below | above | both


def _read(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def _parse_override(text: str) -> dict:
    keys, equals, value = text.partition("=")
    if not equals or not all(keys.split(".")):
        raise ValueError(f"override '{text}': write it as section.key=value")
    nested = yaml.safe_load(value)
    for key in reversed(keys.split(".")):
        nested = {key: nested}
    return nested


def _fill(value, name: str):
    """`value` with `{profile}` in its strings replaced by the profile's name."""
    if isinstance(value, dict):
        return {key: _fill(item, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, name) for item in value]
    return value.replace("{profile}", name) if isinstance(value, str) else value


def text(name: str, overrides: list[str] | None = None) -> str:
    """The contents of params.yaml for the profile. Its first line is the command that writes it."""
    command = shlex.join([name, *(word for override in overrides or [] for word in ("--set", override))])
    return HEADER + command + "\n" + yaml.safe_dump(resolve(name, overrides), sort_keys=False, width=120)


def use(name: str, overrides: list[str] | None = None) -> None:
    """Write params.yaml for the profile `name`."""
    write_text(PARAMS_FILE, text(name, overrides))


def written_by(params_file: Path = PARAMS_FILE) -> tuple[str, list[str]]:
    """(profile, overrides) that params.yaml says it was written from."""
    first = params_file.read_text(encoding="utf-8").partition("\n")[0]
    if not first.startswith(HEADER):
        raise ValueError(f"{params_file}: its first line is not '{HEADER}NAME'; write it with `segsg profile use NAME`")
    name, *rest = shlex.split(first.removeprefix(HEADER))
    return name, rest[1::2]
