"""What a study's numbers were made from: `python -m segsg.pipeline.passport OUT executed/PROFILE`.

A stage like any other, so it is read again when numbers or figures change and not on every run. It can't know the
commit that it will itself be part of: it names the one that was checked out, and says whether sources differed from it.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from segsg.files import write_text
from segsg.pipeline.durations import durations
from segsg.pipeline.project import ROOT
from segsg.pipeline.surroundings import commit, machine, versions
from segsg.study.params import PARAMS_FILE


def passport(parameters: dict, executed: list[Path]) -> dict:
    """{"profile", "commit", "machine", "versions", "files", "stages", "parameters"}.

    `parameters` is all of params.yaml, `executed` are folders of executed notebooks, the report's own last; `files`,
    {"path", "bytes", "sha256"} each, are what the section `data` names.
    """
    return {
        "profile": parameters["profile"],
        "commit": commit(ROOT),
        "machine": machine(),
        "versions": versions(),
        "files": [_file(path) for path in sorted(set(_files(parameters["data"])))],
        "stages": durations(executed, parameters["detectors"].keys() | parameters["experiments"].keys()),
        "parameters": parameters,
    }


def _files(section: dict) -> Iterator[Path]:
    """Files that the section `data` names, not its folders of photos."""
    for value in section.values():
        if isinstance(value, dict):
            yield from _files(value)
        elif isinstance(value, str) and Path(value).is_file():
            yield Path(value)


def _file(path: Path) -> dict:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"path": path.as_posix(), "bytes": path.stat().st_size, "sha256": digest}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="a JSON file")
    parser.add_argument("executed", type=Path, nargs="+", help="folders of executed notebooks, the report's own last")
    arguments = parser.parse_args()
    parameters = yaml.safe_load(PARAMS_FILE.read_text(encoding="utf-8"))
    found = passport(parameters, arguments.executed)
    write_text(arguments.out, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
