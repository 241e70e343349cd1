"""`segsg bundle`: a trained SGDet experiment as one folder that needs nothing else, with a card for people."""

import dataclasses
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from segsg.data.photos import find_photo
from segsg.files import METRICS_FILE, check_writable, digest, read_json, whole, whole_folder, write_text
from segsg.photos.bundle import FACTS, Manifest
from segsg.photos.folder import CARD, FORMAT, MANIFEST, SAMPLES, STUDY, VERSION, WEIGHTS
from segsg.report.pages import environment
from segsg.study import detectors, facts, scene_graphs, sets
from segsg.study.facts import Facts
from segsg.study.params import Params
from segsg.study.rows import row_of, rows
from segsg.training.checkpoint import WEIGHTS as TRAINED
from segsg.training.checkpoint import load_weights
from segsg.values import field

LICENCE = "MIT; word vectors: GloVe (PDDL)"
METRIC = "mR@50"
"""what the best experiment is chosen by, on validation images"""
SHOWN = ("R@20", "R@50", "R@100", "mR@20", "mR@50", "mR@100", "zsR@50")
TEMPLATES = Path(__file__).parent / "templates"


def best_experiment(params: Params) -> str:
    """The seg-grounded SGDet experiment with the highest mean recall on validation images, the first of equal ones.

    Controls, the oracle and what knows how the world is drawn are no candidates. ValueError if none is evaluated.
    """
    candidates = [key for key, row in rows(params).items() if row.is_candidate and row.task == "sgdet"]
    if not candidates:
        rule = "the study has no seg-grounded sgdet experiment"
        raise ValueError(f"profile {params.profile}: {rule}; `segsg profile use mini` has some")
    values = {
        key: measured["metrics"][METRIC]["value"]
        for key in candidates
        if (measured := _measured(params, key).get("validation"))
    }
    if not values:
        rule = "no seg-grounded sgdet experiment has validation numbers"
        raise ValueError(f"profile {params.profile}: {rule}; run `segsg repro`, or name one: `segsg bundle KEY`")
    return max(values, key=lambda key: values[key])


def _measured(params: Params, key: str) -> dict:
    """What was measured of an experiment; empty if it was not evaluated."""
    path = scene_graphs.folder(params, key) / METRICS_FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def export(params: Params, key: str, out: Path, *, half: bool = True, samples: int = 0) -> Path:
    """Writes the bundle of an experiment to the folder `out`, whole or not at all, and returns `out`.

    The same study gives the same bytes. `half`: weights in half precision on disk. `samples`: so many test photos,
    evenly spread, come along. An older bundle in `out` is replaced. ValueError if the experiment is not trained or
    can't run on a bare photo, or if `out` is something else.
    """
    _check(params, key, out)
    check_writable(out)
    known, model = facts.load(params), trained_model(params, key)
    with whole_folder(out) as part:
        known.save(part / FACTS)
        with whole(part / WEIGHTS) as weights:
            save_file(stored(model, half), weights)
        _copy_samples(params, part / SAMPLES, samples)
        manifest = _manifest(params, key)
        write_card(manifest, known, part / CARD)
        filled = dataclasses.asdict(dataclasses.replace(manifest, files=digests(part)))
        write_text(part / MANIFEST, json.dumps(filled, indent=1, default=str) + "\n")
    return out


def _check(params: Params, key: str, out: Path) -> None:
    if key not in params.experiments:
        raise ValueError(f"no experiment {key!r} in params.yaml; there are {', '.join(params.experiments)}")
    row = row_of(params, key)
    if row.task != "sgdet" or row.sees_truth:
        raise ValueError(f"{key}: needs {row.task} regions or true masks, which no photo brings; take an sgdet row")
    for folder, stage in (
        (detectors.folder(params, row.detector_key), f"detector@{row.detector_key}"),
        (scene_graphs.folder(params, key), f"rows@{params.group_of(key)}"),
    ):
        if not (folder / TRAINED).is_file():
            raise ValueError(f"{folder / TRAINED}: missing; train it with `dvc repro {stage}`")
    for foreign in _foreign(out):
        raise ValueError(f"{foreign}: would be lost, and is of no bundle; name another folder for --out, or remove it")


def _foreign(out: Path) -> list[Path]:
    """What stands in the way of a bundle in `out`, beside an older bundle."""
    if not out.is_dir():
        return [out] if os.path.lexists(out) else []
    manifest = out / MANIFEST
    listed = field(manifest, "file", read_json(manifest), "files", dict) if manifest.exists() else ()
    ours = {out / name for name in (MANIFEST, *listed)}
    return sorted(path for path in out.rglob("*") if not path.is_dir() and path not in ours)


def trained_model(params: Params, key: str) -> nn.Module:
    """The model with its detector inside, and never with stored looks."""
    row = row_of(params, key)
    model = scene_graphs.on_detector(params, row, facts.load(params), detectors.load_detector(params, row.detector_key))
    load_weights(model, scene_graphs.folder(params, key))
    return model.eval()


def stored(model: nn.Module, half: bool) -> dict[str, Tensor]:
    """Weights and buffers as they lie on disk: in half precision where that can hold every number."""
    return {name: _stored(value, half).contiguous() for name, value in model.state_dict().items()}


def _stored(value: Tensor, half: bool) -> Tensor:
    if not half or value.dtype != torch.float32:
        return value
    shorter = value.half()
    return shorter if shorter.isfinite().all() else value


def _copy_samples(params: Params, folder: Path, count: int) -> None:
    for image_id in _spread_ids(params, count):
        folder.mkdir(exist_ok=True)
        shutil.copyfile(find_photo(params.data.scene_graphs.photos, f"{image_id}.jpg"), folder / f"{image_id}.jpg")


def _spread_ids(params: Params, count: int) -> Iterable[int]:
    test = sets.scene_graph_set(params, "test")
    places = range(len(test)) if count >= len(test) else (i * len(test) // count for i in range(count))
    return [int(test.image_ids[place]) for place in places]


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder`, in order of names, except bundle.json itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    return {path.relative_to(folder).as_posix(): digest(path) for path in files}


def _manifest(params: Params, key: str) -> Manifest:
    row = params.experiments[key]
    return Manifest(
        format=FORMAT,
        version=VERSION,
        kind=STUDY,
        name=key,
        world="drawn" if params.data.source == "drawn" else "photos",
        licence=LICENCE,
        trained=_history(params, key),
        experiment=row,
        detector=params.detectors[row.detector],
        grounding=params.grounding,
        numbers=params.numbers,
        short_side=params.data.short_side,
        long_side=params.data.long_side,
        files={},
    )


def _history(params: Params, key: str) -> dict:
    """How the model came about, and what its test images say of it if it was evaluated."""
    row, measured = row_of(params, key), _measured(params, key)
    apart = (measured.get("unshared") or {}).get("images")
    shared = measured["images"] - apart if apart and row.detector.joint and not row.detector.disjoint else 0
    return {
        "training_images": len(sets.training_set(params)),
        "mask_images": len(sets.mask_training_set(params, row.detector)) if row.detector.joint else 0,
        "steps": {"detector": params.stage1.iterations, "scene_graph": params.stage2.iterations},
        "weights": {
            "detector": digest(detectors.folder(params, row.detector_key) / TRAINED),
            "scene_graph": digest(scene_graphs.folder(params, key) / TRAINED),
        },
        "validation": measured.get("validation") or {},
        "test_images": measured.get("images", 0),
        "shared_test": shared,
        "test": measured.get("metrics", {}),
    }


def write_card(manifest: Manifest, known: Facts, path: Path) -> None:
    """MODEL_CARD.md: what a bundle is, for people. Names of the data set are escaped: Markdown lets HTML through."""
    template = environment(TEMPLATES, keep_trailing_newline=True).get_template("model_card.md")
    names = {"classes": known.names.classes, "predicates": known.names.predicates, "mask_classes": known.mask_names}
    shown = vars(manifest) | names | {"shown": SHOWN, "warning": manifest.warning}
    write_text(path, template.render(shown))
