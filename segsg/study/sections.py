"""Sections of a YAML file as frozen dataclasses; a typo in a key is an error that suggests the right one."""

import dataclasses
import difflib
import types
import typing
from pathlib import Path


def read_section(kind, raw, where: str):
    """`raw` (from YAML) as a `kind`, which may be a dataclass or any annotation that these use."""
    if dataclasses.is_dataclass(kind):
        return _dataclass_from(kind, raw, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if raw is None else read_section(arguments[0], raw, where)
    if origin is typing.Literal:
        return _one_of(arguments, raw, where)
    if origin is list:
        return [read_section(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(_of_type(list, raw, where))]
    if origin is dict:
        return {str(k): read_section(arguments[1], v, f"{where}: {k}") for k, v in _of_type(dict, raw, where).items()}
    return _of_type(kind, raw, where)


def _dataclass_from(kind, raw, where: str):
    raw = _of_type(dict, raw, where)
    annotations = typing.get_type_hints(kind)
    for key in raw.keys() - annotations.keys():
        near = difflib.get_close_matches(key, annotations, n=1)
        raise ValueError(f"{where}: unknown key '{key}'" + (f"; did you mean '{near[0]}'?" if near else ""))
    required = {f.name for f in dataclasses.fields(kind) if f.default is f.default_factory is dataclasses.MISSING}
    if missing := sorted(required - raw.keys()):
        raise ValueError(f"{where}: missing {', '.join(missing)}; see profiles/base.yaml for every key")
    return kind(**{key: read_section(annotations[key], value, f"{where}: {key}") for key, value in raw.items()})


def _one_of(allowed, raw, where: str):
    if raw not in allowed:
        raise ValueError(f"{where}: {raw!r} is not one of {', '.join(map(str, allowed))}")
    return raw


def _of_type(kind, raw, where: str):
    if kind is Path and isinstance(raw, str):
        return Path(raw)
    if kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if kind is not typing.Any and (not isinstance(raw, kind) or (kind is int and isinstance(raw, bool))):
        raise ValueError(f"{where}: expected {kind.__name__}, got {raw!r}")
    return raw
