"""`segsg bundle`: a trained SGDet experiment as one folder that needs nothing else."""

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
from segsg.files import digest
from segsg.photos.bundle_facts import in_a_bundle, write_facts
from segsg.photos.bundle_file import CARD, FACTS, FORMAT, MANIFEST, SAMPLES, VERSION, WEIGHTS, Manifest, digests
from segsg.photos.card import write_card
from segsg.photos.choice import measured
from segsg.study import data, detectors, scene_graphs
from segsg.study.grounded import sees_truth
from segsg.study.params import Params
from segsg.training.files import WEIGHTS as TRAINED
from segsg.training.files import load_weights

LICENCE = "MIT; word vectors: GloVe (PDDL)"


def export(params: Params, key: str, out: Path, half: bool = True, samples: int = 0) -> Path:
    """Writes the bundle of an experiment to the folder `out`, whole or not at all, and returns `out`.

    The same study gives the same bytes. `half`: weights in half precision on disk. `samples`: so many test photos,
    evenly spread, come along. An older bundle in `out` is replaced. ValueError if the experiment is not trained or
    can't run on a bare photo, or if `out` is something else.
    """
    _check(params, key, out)
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    write_facts(params, part / FACTS)
    save_file(stored(trained_model(params, key), half), part / WEIGHTS)
    _copy_samples(params, part / SAMPLES, samples)
    manifest = _manifest(params, key)
    write_card(manifest, part / CARD)
    whole = dataclasses.asdict(dataclasses.replace(manifest, files=digests(part)))
    (part / MANIFEST).write_text(json.dumps(whole, indent=1, default=str) + "\n", encoding="utf-8")
    if out.exists():
        shutil.rmtree(out)
    os.replace(part, out)
    return out


def _check(params: Params, key: str, out: Path) -> None:
    if key not in params.experiments:
        raise ValueError(f"no experiment {key!r} in params.yaml; there are {', '.join(params.experiments)}")
    row = params.experiments[key]
    if row.task != "sgdet" or sees_truth(params, row):
        raise ValueError(f"{key}: needs {row.task} regions or true masks, which no photo brings; take an sgdet row")
    for folder, stage in (
        (detectors.folder(params, row.detector), f"detector@{row.detector}"),
        (scene_graphs.folder(params, key), f"scene_graph@{key}"),
    ):
        if not (folder / TRAINED).is_file():
            raise ValueError(f"{folder / TRAINED}: missing; train it with `dvc repro {stage}`")
    if out.exists() and not (out / MANIFEST).is_file() and not (out.is_dir() and not any(out.iterdir())):
        raise ValueError(f"{out}: is there and is no bundle; name another folder or remove it")


def trained_model(params: Params, key: str) -> nn.Module:
    """The model with its detector inside, and never with stored looks."""
    model = scene_graphs.make_model(params, key, detectors.load_detector(params, params.experiments[key].detector))
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
    test = data.scene_graph_set(params, "test")
    places = range(len(test)) if count >= len(test) else (i * len(test) // count for i in range(count))
    return [int(test.image_ids[place]) for place in places]


def _manifest(params: Params, key: str) -> Manifest:
    row, names = params.experiments[key], data.vocabulary(params)
    kept = dataclasses.replace(
        params,
        data=in_a_bundle(params.data),
        detectors={row.detector: params.detectors[row.detector]},
        experiments={key: row},
        pretrained={},
        cache_looks=False,
    )
    return Manifest(
        FORMAT,
        VERSION,
        key,
        "drawn" if params.data.source == "drawn" else "photos",
        LICENCE,
        list(names.classes),
        list(names.predicates),
        list(data.mask_vocabulary(params).classes),
        _history(params, key),
        kept,
        {},
    )


def _history(params: Params, key: str) -> dict:
    """How the model came about, and what its test images say of it if it was evaluated."""
    row, found = params.experiments[key], measured(params, key)
    detector = params.detectors[row.detector]
    apart = (found.get("unshared") or {}).get("images")
    shared = found["images"] - apart if apart and detector.joint and not detector.disjoint else 0
    return {
        "training_images": len(data.training_set(params)),
        "mask_images": len(data.mask_training_set(params, detector)) if detector.joint else 0,
        "weights": {
            "detector": digest(detectors.folder(params, row.detector) / TRAINED),
            "scene_graph": digest(scene_graphs.folder(params, key) / TRAINED),
        },
        "validation": found.get("validation") or {},
        "test_images": found.get("images", 0),
        "shared_test": shared,
        "test": found.get("metrics", {}),
    }
