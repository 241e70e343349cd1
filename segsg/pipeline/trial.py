"""The whole pipeline in a copy of the project: the commands `segsg smoke` and `segsg trial`.

A smoke run draws its own few images, in a temporary copy. A trial takes the paper's network sizes to a user's own
photos, or to a few of a whole set, for a step or two, once `segsg check-data` has found nothing wrong. It runs in
work/trial, from the start each time: one or two steps are cheap, and the files may have been corrected since. Both
leave the user's params.yaml and dvc.lock alone.
"""

import argparse
import json
import math
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml

from segsg.data.entries import read_lists
from segsg.files import ROOT, DataError, user_path, whole, write_text
from segsg.pipeline.processes import alone, run, stoppable
from segsg.pipeline.repro import add_jobs
from segsg.pipeline.trial_page import PAGE, write_page
from segsg.study.params import PARAMS_FILE, load
from segsg.tools import check_data
from segsg.tools.own_files import Paths, of_params, paths
from segsg.values import field

SOURCES = (
    "segsg",
    "notebooks",
    "profiles",
    "data/facts",
    "dvc.yaml",
    ".dvcignore",
    ".dvc/config",
    ".dvcsite/repo/.gitignore",
)
"""all that the stages need"""
GRAPHS, MASKS = "data.scene_graphs.annotations", ("data.masks_train.annotations", "data.masks_validation.annotations")
LOOK = "look"
"""folder of a trial's report with the page of `segsg check-data`"""
VALIDATION = 1
"""images that the profile of a trial takes from the training split"""
TRAIN, TEST = 0, 2


def add(commands, command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands of this module, made by the `command` of segsg.cli."""
    add_jobs(command(commands, "smoke", run_smoke, "run the whole pipeline on a few images, in a temporary copy"))
    own = command(commands, "trial", run_trial, "try the paper's networks for a step or two on your own photos")
    own.add_argument("--graphs", type=user_path, required=True, metavar="DIR", help="scene graphs in VG's layout")
    own.add_argument("--masks", type=user_path, required=True, metavar="DIR", help="masks in COCO's layout")
    own.add_argument("--word-vectors", type=user_path, required=True, metavar="FILE", help="GloVe text file")
    own.add_argument("--images", type=int, metavar="N", help="only N images of each split (default: all)")
    add_jobs(own)
    own.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="change one parameter")


def run_smoke(options: argparse.Namespace) -> int:
    """Run every stage of the smoke profile; the exit code is 0 if its report was written. The report is kept."""
    began = time.monotonic()
    with stoppable(signal.SIGINT), tempfile.TemporaryDirectory(prefix="segsg-smoke-") as folder:
        code = run_study(create(Path(folder) / "project"), "smoke", options.jobs)
    print(f"smoke: {'failed' if code else 'every stage ran'} in {time.monotonic() - began:.0f} s")
    return code


def run_trial(options: argparse.Namespace) -> int:
    """Check the user's files, run the profile `trial` on them if they pass, and keep its report and a page about it."""
    files = paths(options.graphs, options.masks, options.word_vectors)
    with stoppable(signal.SIGINT), alone(ROOT / "work" / "trial.lock"):
        copy = create(ROOT / "work" / "trial")
        if options.images is not None:
            files |= cut(files, options.images, copy / "excerpt")
        return try_out(copy, overrides(files) + options.set, options.jobs)


def try_out(copy: Path, sets: list[str], jobs: int) -> int:
    """Draw and judge the files of a trial, then run its stages in `copy`; the page is kept however that ends.

    DataError for files that cannot be read at all.
    """
    if code := use(copy, "trial", sets):
        return code
    params, report = load(copy / PARAMS_FILE), copy / "reports" / "trial"
    try:
        stops = check_data.check(of_params(params), report / LOOK)
        code = 1 if stops else segsg(copy, "repro", "--jobs", str(jobs))
        write_page(report, params, executed=copy / "executed" / "trial", ran=None if stops else code == 0)
    except DataError as error:
        write_page(report, params, executed=copy / "executed" / "trial", ran=None, error=str(error))
        raise
    finally:
        if (report / PAGE).is_file():
            print(f"Is it readable, and how long would it take? {keep(report, ROOT / 'reports' / 'trial') / PAGE}")
    return code


def overrides(files: Paths) -> list[str]:
    """Options of `--set` for paths, each as a YAML string: a bare path may be YAML for something else."""
    written = ((key, yaml.safe_dump(str(path), default_style='"', width=math.inf)) for key, path in files.items())
    return [f"{key}={text.strip()}" for key, text in written]


def create(folder: Path) -> Path:
    """Copy the sources of the project to `folder`, which is emptied first, and return it."""
    if folder.exists():
        shutil.rmtree(folder)
    for name in SOURCES:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
        else:
            shutil.copyfile(source, target)
    return folder


def use(copy: Path, profile: str, sets: list[str]) -> int:
    """Write params.yaml of a copy; returns the exit code."""
    return segsg(copy, "profile", "use", profile, *(word for override in sets for word in ("--set", override)))


def run_study(copy: Path, profile: str, jobs: int) -> int:
    """Run every stage of a profile in a copy; returns the exit code. The report goes to the project itself."""
    code = use(copy, profile, []) or segsg(copy, "repro", "--jobs", str(jobs))
    if code == 0:
        kept = keep(copy / "reports" / profile, ROOT / "reports" / profile)
        print(f"Copied to {kept / 'html' / 'index.html'}")
    return code


def keep(report: Path, target: Path) -> Path:
    """Copy a report to the place of an earlier one, which goes; returns that place."""
    part = target.with_name(f"{target.name}.part")
    for old in (part, target):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(report, part)
    os.replace(part, target)
    return target


def segsg(folder: Path, *arguments: str) -> int:
    """Run `segsg ARGUMENTS` of the copy in `folder`, which hides the installed package; returns the exit code."""
    variables = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return run([sys.executable, "-m", "segsg.cli", *arguments], cwd=folder, env=variables)


def cut(files: Paths, images: int, folder: Path) -> Paths:
    """Annotations of so many images, written to `folder`. ValueError if there is nothing to cut."""
    if images < 1:
        raise ValueError(f"--images {images}: a trial needs one image at least")
    found = {GRAPHS: folder / "VG-SGG.h5"} | dict.fromkeys(MASKS, folder / "instances.json")
    cut_graphs(files[GRAPHS], images + VALIDATION, images, found[GRAPHS])
    cut_masks(files[MASKS[0]], images, found[MASKS[0]])
    return found


def cut_graphs(annotations: Path, train: int, test: int, target: Path) -> None:
    """Writes VG-SGG.h5 to `target` with the boxes and relations of so many images of each split; photos stay.

    They lie at equal distances among those with a relation. All others keep their row, so that image_data.json is as
    right as before, and lose their boxes, so that no set holds them. DataError if `annotations` is not such a file.
    """
    import h5py  # takes a moment, and most commands never come here

    from segsg.data.visual_genome_file import read_rows

    rows = read_rows(annotations)
    kept = np.zeros(len(rows.split), dtype=bool)
    for split, images in ((TRAIN, train), (TEST, test)):
        complete = (rows.boxes_of[:, 0] >= 0) & (rows.relations_of[:, 0] >= 0) & (rows.split == split)
        kept[_spread(np.flatnonzero(complete), images)] = True
    arrays = {name: getattr(rows, name) for name in ("split", "boxes_1024", "labels", "relationships", "predicates")}
    for kind, ranges in (("box", rows.boxes_of), ("rel", rows.relations_of)):
        first, last = np.where(kept[:, None], ranges, -1).T  # -1 and -1 where an image has none
        arrays |= {f"img_to_first_{kind}": first, f"img_to_last_{kind}": last}
    with whole(target) as part, h5py.File(part, "w") as file:
        for name, values in arrays.items():
            file[name] = values


def cut_masks(annotations: Path, images: int, target: Path) -> None:
    """Writes a file of COCO instances to `target` with so many of its images, at equal distances among those with one.

    DataError if `annotations` is not such a file.
    """
    lists: dict[str, list] = {}
    owners: set[int] | None = None
    for key, entries in read_lists(annotations):
        if key == "annotations":
            owners = {field(annotations, "annotation", instance, "image_id", int) for instance in entries}
        elif key in ("images", "categories"):
            lists[key] = list(entries)
    if owners is None:
        raise DataError(annotations, "file", "has no list 'annotations'", "give a file of COCO's layout")
    listed = field(annotations, "file", lists, "images", list)
    owning = [image for image in listed if field(annotations, "image", image, "id", int) in owners]
    lists["images"] = [owning[place] for place in _spread(np.arange(len(owning)), images)]
    ids = {image["id"] for image in lists["images"]}
    for key, entries in read_lists(annotations):
        if key == "annotations":
            lists[key] = [instance for instance in entries if instance["image_id"] in ids]
    write_text(target, json.dumps(lists))


def _spread(places: np.ndarray, count: int) -> np.ndarray:
    """So many of `places` at equal distances; all if there are fewer."""
    count = min(count, len(places))
    return places[np.arange(count) * len(places) // max(count, 1)]
