"""From a bundle's folder to its model."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from segsg.files import DataError
from segsg.models.scene_graph import SceneGraphModel
from segsg.photos.bundle_facts import located
from segsg.photos.bundle_file import AGAIN, FACTS, WEIGHTS, Manifest
from segsg.study.detectors import make_detector
from segsg.study.params import Params
from segsg.study.scene_graphs import make_model


def load_network(folder: Path, manifest: Manifest) -> SceneGraphModel:
    """The model of a bundle in float32, frozen. DataError if its weights are of another model."""
    # Making a model seeds PyTorch, which is not a loader's to do.
    with torch.random.fork_rng(devices=[]):
        model = _untrained(located(manifest.params, folder / FACTS))
    try:
        weights = load_file(folder / WEIGHTS)
        model.load_state_dict({name: _single(value) for name, value in weights.items()})
    except (SafetensorError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise DataError(folder / WEIGHTS, "weights", f"do not fit the model of bundle.json ({first})", AGAIN) from error
    return model.eval().requires_grad_(False)


def _untrained(params: Params) -> SceneGraphModel:
    ((key, row),) = params.experiments.items()
    return make_model(params, key, make_detector(params, row.detector))


def _single(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value
