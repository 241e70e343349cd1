"""Files that a study needs from outside, missed before anything is trained and not when a later stage asks for them."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from segsg.study.params import Params


def check_files(params: Params) -> None:
    """ValueError names every file and folder of the section `data` that is not there."""
    made = Path("data") / params.profile  # a drawn world's own files, which its first stage writes
    named = [(key, path) for key, path in _paths(params.data, "data") if made not in path.parents]
    if missing := [f"{key}: {path}" for key, path in named if not path.exists()]:
        raise ValueError(
            f"profile {params.profile}: not there: {'; '.join(missing)}; put or link them, or name others in the "
            "profile"
        )


def _paths(section, where: str) -> Iterator[tuple[str, Path]]:
    for field in dataclasses.fields(section):
        value, key = getattr(section, field.name), f"{where}.{field.name}"
        if dataclasses.is_dataclass(value):
            yield from _paths(value, key)
        elif isinstance(value, Path):
            yield key, value
