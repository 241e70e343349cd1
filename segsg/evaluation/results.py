"""The numbers that tables and plots are made of."""

import numpy as np

from segsg.evaluation.bootstrap import draws, interval
from segsg.evaluation.metrics import tables
from segsg.evaluation.ranks import Ranks


def summarize(
    recall: Ranks, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, dict[str, float]]:
    """{"mR@50": {"value", "low", "high"}, ...} of every metric in fractions, with image-bootstrap intervals."""
    addends = tables(recall)
    whole = addends.metrics(np.ones((1, len(recall))))
    (drawn,) = draws([addends], resamples, seed)
    bounds = {name: interval(values, confidence) for name, values in drawn.items()}
    return {
        name: {"value": float(value[0]), "low": bounds[name][0], "high": bounds[name][1]}
        for name, value in whole.items()
    }


def per_predicate(recall: Ranks) -> dict[str, list]:
    """Columns with one entry for each foreground predicate, label 1 first.

    `images` and `rows` that contain it, its recall under "R@20", "ngR@20", ... (None where it is absent),
    and `training` rows and `group` (head, body, tail) if training counts are known.
    """
    addends = tables(recall)
    columns = {
        "images": addends.sums["present"].sum(axis=0).astype(int).tolist(),
        "rows": addends.sums["rows"].sum(axis=0).astype(int).tolist(),
    }
    for name, values in addends.recalls(np.ones((1, len(recall)))).items():
        columns[name] = [None if np.isnan(value) else float(value) for value in values[0]]
    if recall.training_counts is not None:
        columns["training"] = recall.training_counts[1:].tolist()
        names, masks = list(addends.groups), np.array(list(addends.groups.values()))
        columns["group"] = [names[i] for i in masks.argmax(axis=0)]
    return columns
