"""The command `segsg verify`: whether a study's files are still what its stages made, and its data can be read."""

import argparse
import hashlib
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from segsg.files import DIGESTS, DataError, digest, read_json, read_yaml
from segsg.pipeline.processes import alone, end_with, stoppable
from segsg.pipeline.repro import LOCK
from segsg.study.params import Params, load

Check = Callable[[], Iterable[str]]
"""looks at one thing and returns a line for each fault"""
FOLDER = ".dir"
"""ends DVC's digest of a folder"""
AGAIN = "delete it, then `segsg repro` makes it again"
SPLITS = ("train", "validation", "test")
AT_A_TIME = 16
"""photos that a process gets in one message"""


def add(commands, command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command of this module, made by the `command` of segsg.cli."""
    own = command(commands, "verify", run_verify, "compare all files of the study with their digests")
    own.add_argument("--data", action="store_true", help="instead read all photos and annotations, before training")
    own.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="processes for photos (all cores)")


def run_verify(options: argparse.Namespace) -> int:
    """Print a line for each fault and last how many there are; the exit code is 1 if there is one."""
    with stoppable(signal.SIGTERM), alone(LOCK):
        found, checked = set(), 0
        for faults in check_data(load(), options.jobs) if options.data else check_study(load()):
            checked += 1
            for fault in faults:
                if fault not in found:
                    found.add(fault)
                    tqdm.write(fault, file=sys.stdout)
    print(f"{checked} {'photos and files' if options.data else 'outputs and files'} checked, {len(found)} faults")
    return int(bool(found))


def check_study(params: Params) -> Iterator[Iterable[str]]:
    """Faults of every output of a stage, of what DVC keeps, of files that the study was made from, and of tables."""
    report = Path("reports") / params.report
    checks = [*outputs(), *kept(), *inputs(report / "passport.json"), *tables(report)]
    for check in tqdm(checks, "verify", disable=None):
        yield check()


def outputs() -> Iterator[Check]:
    """A check of every output of every stage of dvc.yaml against its digest in dvc.lock."""
    from dvc.repo import Repo

    never = []
    for stage in Repo().index.stages:
        for out in stage.outs:
            path = Path(os.path.relpath(out.fs_path))
            if out.hash_info:
                yield partial(differences, path, out.hash_info.value)
            else:
                never.append(stage.addressing)
    if never:
        yield lambda: [f"dvc.lock: {len(never)} outputs of stages that have not run, as {never[0]}; run `segsg repro`"]


def differences(path: Path, expected: str) -> list[str]:
    """A line for every file of an output that is not what its stage has left."""
    if not path.exists():
        return [f"{path}: missing; `segsg repro` makes it again"]
    if dvc_digest(path) == expected:
        return []
    return [f"{each}: not what its stage has left; {AGAIN}" for each in changed(path)]


def dvc_digest(path: Path) -> str:
    """DVC's name of a file or folder in dvc.lock, from its bytes and never from what DVC remembers of it."""
    if path.is_file():
        return md5(path)
    files = sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file())
    listed = [{"md5": md5(path / name), "relpath": name} for name in files]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + FOLDER


def md5(path: Path) -> str:
    """MD5 of a file, as DVC takes it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def changed(path: Path) -> list[Path]:
    """Files of a changed output that differ from its own digests; the output itself where these do not say."""
    try:
        sealed = read_json(path / DIGESTS) if path.is_dir() else {}
    except DataError:
        return [path]
    found = {each.relative_to(path).as_posix(): digest(each) for each in path.rglob("*") if each.is_file()}
    found.pop(DIGESTS, None)
    return [path / name for name in sorted(sealed | found) if sealed.get(name) != found.get(name)] or [path]


def kept() -> Iterator[Check]:
    """A check of every file that DVC keeps, of any study: it has the name of its contents."""
    from dvc.repo import Repo

    def check(path: Path, name: str) -> list[str]:
        return [] if md5(path) == name else [f"{path}: DVC's copy is damaged; delete it, then `segsg repro`"]

    for path in sorted(Path(os.path.relpath(Repo().cache.local.path)).glob("??/*")):
        yield partial(check, path, path.parent.name + path.name.removesuffix(FOLDER))


def inputs(passport: Path) -> Iterator[Check]:
    """A check of every file that the passport of a report names."""

    def check(entry: dict) -> list[str]:
        path = Path(entry["path"])
        if not path.is_file():
            return [f"{path}: missing, and {passport} names it"]
        same = path.stat().st_size == entry["bytes"] and digest(path) == entry["sha256"]
        return [] if same else [f"{path}: not the file that {passport} names; the report was made from another"]

    if not passport.is_file():
        yield lambda: [f"{passport}: missing; `segsg repro` writes it"]
        return
    for entry in read_json(passport)["files"]:
        yield partial(check, entry)


def tables(report: Path) -> Iterator[Check]:
    """A check that each table of a report says what its results.json says."""
    from segsg.report.registry import TABLES
    from segsg.report.table import to_csv, to_markdown

    path, paper = report / "results.json", read_yaml(Path("data/facts/paper_values.yaml"))
    if not path.is_file():
        yield lambda: [f"{path}: missing; `segsg repro` writes it"]
        return
    results = read_json(path)

    def check(name: str) -> list[str]:
        made = TABLES[name](results, paper)
        texts = {f"{name}.csv": to_csv(made), f"{name}.md": to_markdown(made)}
        files = {report / "tables" / file: text for file, text in texts.items()}
        wrong = [file for file, text in files.items() if not file.is_file() or file.read_text("utf-8") != text]
        return [f"{file}: not what {path} says; {AGAIN}" for file in wrong]

    for name in TABLES:
        yield partial(check, name)


def check_data(params: Params, jobs: int) -> Iterator[Iterable[str]]:
    """Faults of all files and photos that a study reads, each found by what reads it in training.

    ValueError if there are no data yet.
    """
    from segsg.study import prepare, sets  # PyTorch takes seconds

    if params.world is not None and not sets.folder(params).is_dir():
        raise ValueError(f"{sets.folder(params)}: not drawn yet; run `dvc repro data@{params.profile}`")
    datasets = []
    for make in (*readers(params), partial(prepare.gather, params)):
        try:
            datasets.append(make())
            yield []
        except (ValueError, OSError) as error:
            yield [str(error)]
    photos = [dataset for dataset in datasets if hasattr(dataset, "image_ids")]
    yield from tqdm(check_photos(photos, jobs), "photos", total=sum(map(len, photos)), mininterval=1, disable=None)


def readers(params: Params) -> Iterator[Callable[[], Any]]:
    """What opens each set of images of a study, with its annotations."""
    from segsg.study import sets

    for split in SPLITS:
        yield partial(sets.scene_graph_set, params, split, keep_empty=True)
    yield partial(sets.mask_set, params, "train")
    yield partial(sets.judged_mask_set, params)
    files = params.data.scene_graphs
    for split, path in zip(SPLITS, (files.true_masks_train, files.true_masks, files.true_masks), strict=True):
        if path is not None:
            yield lambda split=split: sets.with_true_masks(params, sets.scene_graph_set(params, split), split)


def check_photos(datasets: list, jobs: int) -> Iterator[list[str]]:
    """Faults of every image of some sets, read by several processes; ValueError if one of them dies."""
    # A process that is a copy of this one has the annotations already; where copies are unsafe, they are sent.
    method = "fork" if sys.platform == "linux" else "spawn"
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context(method), _begin, (datasets,))
    try:
        for number, dataset in enumerate(datasets):
            yield from pool.map(partial(_read, number), range(len(dataset)), chunksize=AT_A_TIME)
    except BrokenProcessPool as error:
        way_out = "free some memory, or use fewer: --jobs N"
        raise ValueError(f"a process that read photos was ended from outside; {way_out}") from error
    finally:
        pool.shutdown(cancel_futures=True)


_datasets: list = []
"""in a process that reads photos, the sets that they belong to"""


def _begin(datasets: list) -> None:
    import torch

    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this process ends it
    end_with(os.getppid())
    _datasets[:] = datasets


def _read(number: int, index: int) -> list[str]:
    try:
        _datasets[number][index]
    except (ValueError, OSError) as error:
        return [str(error)]
    except Exception as error:  # a fault of a reader must not hide the faults of all other files
        return [f"image {_datasets[number].image_ids[index]}: {type(error).__name__}: {error}"]
    return []
