"""The rows of a group, trained and measured one after the other in one process; what is done stays done.

A row's folder holds weights, learning curve and measurements, digests of these files, and in `made_of.json` one name
for all that its weights were made of and one for its measurements. A row is made again, whole or its measurements
alone, if such a name has changed or a file is not what was written. What rows share is opened once, and no row depends
on which others ran before it.
"""

import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from segsg.files import DIGESTS, METRICS_FILE, DataError, digest, read_json, seal, to_json, write_text
from segsg.study import measurements, runs, scene_graphs
from segsg.study.params import Params
from segsg.study.shared import opened_once
from segsg.training.checkpoint import EARLY, HISTORY, WEIGHTS

MADE_OF = "made_of.json"
TRAINED = {WEIGHTS, EARLY, HISTORY}
"""files of a training; the rest of a folder are measurements"""
ALL = "all"


def make_group(params: Params, group: str, out: Path, only: str = ALL) -> None:
    """Brings the rows of a group up to date in the folders `out`/KEY, and prints a line for each.

    Folders of rows that the group no longer has are removed. `only`, a key, makes that row anew and leaves the others
    alone. ValueError for a group or a row that does not exist.
    """
    if group not in params.groups:
        raise ValueError(f"'{group}' is no group of profile {params.profile}; choose one of {', '.join(params.groups)}")
    rows = params.groups[group].rows
    if only not in (ALL, *rows):
        raise ValueError(f"'{only}' is no row of group {group}; choose one of {', '.join((ALL, *rows))}")
    chosen = list(rows) if only == ALL else [only]
    for path in out.iterdir() if out.is_dir() else ():
        if not path.is_dir():
            path.unlink()  # what an interrupted stage left; its digests are written anew
        elif path.name not in rows or path.name == only:
            shutil.rmtree(path)
    with opened_once():
        for place, key in enumerate(chosen, start=1):
            began = time.monotonic()
            done = " and ".join(make_row(params, key, out / key)) or "kept"
            print(f"[{place}/{len(chosen)}] {key}: {done}  {time.monotonic() - began:.0f} s", flush=True)


def make_row(params: Params, key: str, folder: Path) -> list[str]:
    """Trains and measures a row as far as that is not done; returns what was done, in words."""
    done, weights = [], scene_graphs.fingerprint(params, key)
    if not is_trained(folder, weights):
        shutil.rmtree(folder, ignore_errors=True)
        runs.on_every_gpu(train_row, params, key, folder)
        done.append("trained")
    measured = measurements.fingerprint(params, key)
    if not is_measured(folder, measured):
        for path in folder.iterdir():
            if path.name not in TRAINED | {MADE_OF, DIGESTS}:
                path.unlink()
        measurements.write(params, key, folder)
        note(folder, {"weights": weights, "measurements": measured})
        done.append("measured")
    return done


def train_row(params: Params, key: str, out: Path) -> None:
    """Trains a row, perhaps as one of several processes, of which the first notes what the weights were made of."""
    scene_graphs.train_scene_graph(params, key, out)
    if os.environ.get("RANK", "0") == "0":
        note(out, {"weights": scene_graphs.fingerprint(params, key)})


def note(folder: Path, made_of: dict[str, str]) -> None:
    """A step is done: what it was made of, and last the digests of all files, without which nothing counts."""
    write_text(folder / MADE_OF, to_json(made_of))
    seal(folder)


def is_trained(folder: Path, weights: str) -> bool:
    """Whether the folder has whole weights and a learning curve that were made of this."""
    listed = _read(folder / DIGESTS)
    whole = {WEIGHTS, HISTORY} <= listed.keys() and _are_whole(folder, listed, TRAINED & listed.keys())
    return whole and _read(folder / MADE_OF).get("weights") == weights


def is_measured(folder: Path, measured: str) -> bool:
    """Whether the folder of a trained row has whole measurements that were made of this."""
    listed = _read(folder / DIGESTS)
    whole = METRICS_FILE in listed and _are_whole(folder, listed, listed.keys() - TRAINED - {MADE_OF})
    return whole and _read(folder / MADE_OF).get("measurements") == measured


def _are_whole(folder: Path, listed: dict[str, str], names: Iterable[str]) -> bool:
    return all((folder / name).is_file() and digest(folder / name) == listed[name] for name in names)


def _read(path: Path) -> dict[str, str]:
    """What a file says; nothing where it is missing or damaged."""
    try:
        content = read_json(path)
    except DataError:
        return {}
    return content if isinstance(content, dict) else {}
