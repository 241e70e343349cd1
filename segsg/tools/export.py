"""`segsg export`: an experiment's truths and predictions in the documented format, for any evaluator."""

import dataclasses
from pathlib import Path

from tqdm.auto import tqdm

from segsg.formats.writers import write_graphs, write_truths
from segsg.study import data, looks, measurements, scene_graphs
from segsg.study.params import PARAMS_FILE, load


def export(key: str, split: str, out: Path) -> tuple[Path, Path]:
    """Predicts a split with a trained experiment of params.yaml. ValueError if it is not there or not trained."""
    params = load(PARAMS_FILE)
    if key not in params.experiments:
        raise ValueError(f"{PARAMS_FILE}: no experiment {key!r}; there are {', '.join(params.experiments)}")
    weights = scene_graphs.folder(params, key)
    if not weights.is_dir():
        raise ValueError(f"{weights}: missing; train it with `dvc repro scene_graph@{key}`")
    # Looks may have been removed to save disk; the detector itself says the same, slower.
    stored = params.cache_looks and looks.folder(params, params.experiments[key].detector).is_dir()
    params = dataclasses.replace(params, cache_looks=stored)
    truth, predictions = out / "truth.jsonl", out / "predictions.jsonl.gz"
    names, images = data.vocabulary(params).predicates, len(data.scene_graph_set(params, split))
    write_truths(truth, measurements.truths(params, split), names)
    graphs = tqdm(scene_graphs.predict(params, key, split), desc=key, total=images, unit="image", mininterval=0.5)
    write_graphs(predictions, graphs)
    return truth, predictions
