"""What the process imports and makes once, before it forks children for the cases."""

import atexit
import contextlib
import io
import os
import shutil
import tempfile
import warnings
from pathlib import Path

SMALL = (
    "world.train=8", "world.validation=2", "world.test=6", "world.masks_train=4", "world.masks_validation=2",
    "data.validation_images=2", "detection.score_threshold=0.0", "grid.tasks=[sgdet]", "grid.ablations=[]",
)  # fmt: skip
KEY, GROUP = "smoke-motifs-fpn-sgdet-seg", "smoke-fpn-joint-sgdet"
made_here: dict[str, Path] = {}
"""Folders that cases copy: `project`, a study whose models are there though nobody trained them, and its `bundle`."""


def up() -> None:
    """Imports all that any command or reader imports when it runs, and makes the study and its bundle."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["MPLBACKEND"] = "agg"
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    import h5py  # noqa: F401
    import pandas  # noqa: F401
    import torch

    import segsg.evaluation.bootstrap
    import segsg.figures.figures
    import segsg.formats.importers
    import segsg.formats.sidecars
    import segsg.photos.page
    import segsg.report.pages
    import segsg.study.measurements
    import segsg.tools.own_labels  # noqa: F401

    torch.set_num_threads(1)
    place = Path(tempfile.mkdtemp(prefix="segsg-corpus-made-"))
    place.chmod(0o755)
    process = os.getpid()
    atexit.register(lambda: shutil.rmtree(place) if os.getpid() == process else None)
    here = Path.cwd()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        _read_once(place / "files")
        _make_project(place / "project")
        _make_bundle(place / "bundle")
    for path in place.rglob("*"):  # safetensors writes for its user alone, and some cases are read by another one
        path.chmod(0o755 if path.is_dir() else 0o644)
    os.chdir(here)


def _read_once(folder: Path) -> None:
    """What happens at the first call need not happen again in each child."""
    import formats_cases
    import made

    made.study_files(folder)
    made.read_study(folder)
    formats_cases.evaluation()


def _make_project(folder: Path) -> None:
    from segsg.files import ROOT, seal
    from segsg.study import detectors, facts, profile, scene_graphs
    from segsg.study.detectors import make_detector
    from segsg.study.models import make_model
    from segsg.study.params import load
    from segsg.study.prepare import prepare_data
    from segsg.study.rows import rows
    from segsg.training.checkpoint import save_weights

    for name in ("profiles", "data/facts"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copyfile(ROOT / "dvc.yaml", folder / "dvc.yaml")
    os.chdir(folder)
    profile.use("smoke", list(SMALL))
    params = load()
    prepare_data(params)
    known, numbers = facts.load(params), params.numbers
    for key, row in params.detectors.items():
        save_weights(make_detector(known, numbers, row), detectors.folder(params, key))
    for key, row in rows(params).items():
        save_weights(
            make_model(known, numbers, row, make_detector(known, numbers, row.detector)),
            scene_graphs.folder(params, key),
        )
    for path in folder.rglob("model.safetensors"):
        seal(path.parent)  # as the stage that trains does in the end
    made_here["project"] = folder


def _make_bundle(folder: Path) -> None:
    from segsg import cli
    from segsg.photos.export import export
    from segsg.study.params import load

    export(load(), KEY, folder, samples=1)
    made_here["bundle"] = folder
    cli.main(["predict", str(folder / "samples"), "--bundle", str(folder), "--out", str(folder.parent / "graphs")])
