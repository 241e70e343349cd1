"""What a study's numbers were made from: `python -m segsg.pipeline.passport OUT executed/PROFILE`.

Commit, packages, machine, files, minutes and parameters; nothing that names a person, a folder or a host. A stage like
any other, so it is read again when numbers or figures change and not on every run. It can't know the commit that it
will itself be part of: it names the one that was checked out, and says whether sources differed from it.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Container, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from segsg.files import ROOT, digest, read_yaml, write_text
from segsg.pipeline.notebook import PART
from segsg.study.params import PARAMS_FILE

SOURCES = ("segsg", "notebooks", "profiles", "params.yaml", "dvc.yaml", "data/facts")
"""what decides numbers; the study itself changes reports and dvc.lock"""
PROJECT = "segsg"
REQUIREMENT, EXTRA = re.compile(r"[\w.-]+"), re.compile(r"extra == ['\"](\w+)['\"]")
STUDY = ("photos", "study")
"""extras whose packages a study runs on"""
TABLE = "table"
"""the stage whose rows are tables and not rows of params.yaml"""


def passport(parameters: dict, executed: list[Path]) -> dict:
    """{"profile", "commit", "machine", "versions", "files", "stages", "parameters"}.

    `parameters` is all of params.yaml, `executed` are folders of executed notebooks, the report's own last; `files`,
    {"path", "bytes", "sha256"} each, are what the section `data` names.
    """
    named = {Path(value) for _, value in leaves(parameters["data"], "data") if isinstance(value, str)}
    files = sorted(path for path in named if path.is_file())
    return {
        "profile": parameters["profile"],
        "commit": commit(ROOT),
        "machine": machine(),
        "versions": versions(),
        "files": [{"path": p.as_posix(), "bytes": p.stat().st_size, "sha256": digest(p)} for p in files],
        "stages": durations(executed, parameters["detectors"].keys() | parameters["groups"].keys()),
        "parameters": parameters,
    }


def leaves(section: dict, where: str) -> Iterator[tuple[str, Any]]:
    """Pairs (full key, value) of all values below a section of the parameters; keys have dots."""
    for key, value in section.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{where}.{key}")
        else:
            yield f"{where}.{key}", value


def durations(folders: Iterable[Path], rows: Container[str]) -> list[dict]:
    """How long each stage took: {"stage", "row", "seconds", "ended"}, as papermill notes it in executed notebooks.

    `row` is the key of params.yaml, one of `rows`, or the name of a table, or empty. Of two notebooks of one name the
    later folder's counts: a report's own tables rather than those of the study whose runs it shares. Stages that ran
    elsewhere or long ago are missing or old: a folder holds the last run of each on this machine. ValueError for a
    file that is no notebook.
    """
    paths = {path.stem: path for folder in folders for path in folder.glob("*.ipynb") if not path.stem.endswith(PART)}
    entries = [entry for _, path in sorted(paths.items()) if (entry := _entry(path))]
    return [entry for entry in entries if not entry["row"] or entry["row"] in rows or entry["stage"] == TABLE]


def _entry(path: Path) -> dict | None:
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("papermill", {})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: no notebook; delete it, or run its stage again with `dvc repro --force`") from error
    if noted.get("duration") is None:
        return None
    stage, _, row = path.stem.partition("_")[2].partition("-")
    return {"stage": stage, "row": row, "seconds": round(noted["duration"], 1), "ended": noted["end_time"]}


def commit(root: Path) -> dict | None:
    """{"id", "changed"}: the commit that is checked out in `root`, and how many sources differ from it.

    None outside of a checkout, a copy within another project's included.
    """
    if not (root / ".git").exists():
        return None
    head = output(["git", "rev-parse", "HEAD"], root)
    changed = output(["git", "status", "--porcelain", "--", *SOURCES], root)
    return None if head is None or changed is None else {"id": head.strip(), "changed": len(changed.splitlines())}


def output(command: list[str], folder: Path | None = None) -> str | None:
    """Standard output of a command as text; None if it fails or is not installed."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def versions() -> dict[str, str]:
    """Python and the packages that a study asks for, without those that are not installed."""
    project = [text for own in metadata.distributions(name=PROJECT) for text in own.requires or ()]
    names = [(REQUIREMENT.match(text)[0], EXTRA.search(text)) for text in project]
    wanted = [name for name, extra in names if name != PROJECT and (extra is None or extra[1] in STUDY)]
    installed = {name: each.version for name in wanted for each in metadata.distributions(name=name)}
    return {"python": platform.python_version()} | installed


def machine() -> dict:
    """{"system", "processor", "cores", "memory", "gpus", "threads"}; memory in GB, null where it is not known."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory": _memory(),
        "gpus": gpus(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8", errors="replace").splitlines() if listed.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _memory() -> int | None:
    if sys.platform == "win32" or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)


def gpus() -> list[str]:
    """Names of the machine's NVIDIA GPUs."""
    return (output(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]) or "").splitlines()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="a JSON file")
    parser.add_argument("executed", type=Path, nargs="+", help="folders of executed notebooks, the report's own last")
    arguments = parser.parse_args()
    found = passport(read_yaml(PARAMS_FILE), arguments.executed)
    write_text(arguments.out, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
