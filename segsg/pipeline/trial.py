"""The whole pipeline at the paper's network sizes on a user's own photos, or a few of a whole set, for a step or two.

Runs in work/trial, from the start each time: one or two steps are cheap, and the files may have been corrected since.
"""

import shutil
from pathlib import Path

from segsg.pipeline import workspace
from segsg.pipeline.project import ROOT

PROFILE = "trial"
GRAPH_FILES = {
    "annotations": ("VG-SGG.h5", "VG-SGG-with-attri.h5"),
    "vocabulary": ("VG-SGG-dicts.json", "VG-SGG-dicts-with-attri.json"),
    "images": ("image_data.json",),
    "photos": ("VG_100K", "images"),
}
MASK_FILES = {"annotations": ("annotations/instances_val2017.json",), "photos": ("images", "val2017")}
GRAPHS, MASKS = "data.scene_graphs.annotations", ("data.masks_train.annotations", "data.masks_validation.annotations")
VALIDATION = 1
"""images that the profile takes from the training split"""
Paths = dict[str, Path]


def trial(files: Paths, images: int | None, overrides: list[str], jobs: int) -> int:
    """Run profile `trial` on `files` (see `paths`): all photos, or so many of each split and of the mask set.

    The report is copied to reports/trial of the project. Returns the exit code.
    """
    copy = workspace.create(ROOT / "work" / PROFILE)
    if images is not None:
        files = files | cut(files, images, copy / "excerpt")
    settings = [f"{key}={path}" for key, path in files.items()] + overrides
    sets = [word for setting in settings for word in ("--set", setting)]
    code = workspace.segsg(copy, "profile", "use", PROFILE, *sets) or workspace.segsg(
        copy, "repro", "--jobs", str(jobs)
    )
    if code == 0:
        target = ROOT / "reports" / PROFILE
        shutil.copytree(copy / "reports" / PROFILE, target, dirs_exist_ok=True)
        print(f"Copied to {target / 'html' / 'index.html'}")
    return code


def cut(files: Paths, images: int, folder: Path) -> Paths:
    """Annotations of so many images, written to `folder`. ValueError if there is nothing to cut."""
    if images < 1:
        raise ValueError(f"--images {images}: a trial needs one image at least")
    # Reading HDF5 takes a moment to import, and most commands never come here.
    from segsg.pipeline.excerpt import cut_graphs, cut_masks

    found = {GRAPHS: folder / "VG-SGG.h5"} | dict.fromkeys(MASKS, folder / "instances.json")
    cut_graphs(files[GRAPHS], images + VALIDATION, images, found[GRAPHS])
    cut_masks(files[MASKS[0]], images, found[MASKS[0]])
    return found


def paths(graphs: Path, masks: Path, word_vectors: Path) -> Paths:
    """Where everything of the section `data` is, in a folder of Visual Genome's layout, one of COCO's, and vectors.

    ValueError names what is missing and what it may be called.
    """
    if not word_vectors.is_file():
        raise ValueError(f"{word_vectors}: no such file of word vectors; expected GloVe's text format, a word a line")
    found = {f"scene_graphs.{key}": _first(graphs, names) for key, names in GRAPH_FILES.items()}
    for split in ("masks_train", "masks_validation"):
        found |= {f"{split}.{key}": _first(masks, names) for key, names in MASK_FILES.items()}
    found["word_vectors"] = word_vectors.resolve()
    return {f"data.{key}": path for key, path in found.items()}


def _first(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (folder / name).exists():
            return (folder / name).resolve()
    raise ValueError(f"{folder}: no {' or '.join(names)} in it; put it there or link it")
