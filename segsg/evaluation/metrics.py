"""The recall family, computed from ranks. docs/metrics.md has a card with formula and example for each name."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from segsg.evaluation.protocol import Protocol
from segsg.evaluation.ranks import Ranks

FREE = "ng-"
"""prefix of what is measured without graph constraint"""
GROUPS = ("head", "body", "tail")
_REFERENCE_SLOT = 0
"""the foreground predicate whose recall the paper's released code overwrites"""

Sums = dict[str, Float[np.ndarray, "draws _"]]


def named(prefix: str, metric: str, depth: int) -> str:
    """Name of a metric at `depth` as papers spell it, such as R@20. Without graph constraint: ngR@20, but ng-mR@20."""
    return f"ngR@{depth}" if (prefix, metric) == (FREE, "R") else f"{prefix}{metric}@{depth}"


def frequency_groups(training_counts: Int[np.ndarray, "predicates"]) -> dict[str, Bool[np.ndarray, "foreground"]]:
    """Foreground predicates in three parts of equal size (earlier parts take the rest), most frequent first."""
    foreground = training_counts[1:]
    parts = np.array_split(np.argsort(-foreground, kind="stable"), len(GROUPS))
    return {group: np.isin(np.arange(len(foreground)), part) for group, part in zip(GROUPS, parts, strict=True)}


@dataclass(frozen=True)
class Tables:
    """Per-image addends of every metric: a metric under weights on images is a function of weighted sums of these.

    `sums` maps a name to [images, 1] or [images, foreground predicates]; `present` says which predicates the whole
    set has; `groups` are head, body, tail if training counts are known.
    """

    sums: Sums
    present: Bool[np.ndarray, "foreground"]
    groups: dict[str, Bool[np.ndarray, "foreground"]]
    protocol: Protocol

    def metrics(self, weights: Float[np.ndarray, "draws images"]) -> dict[str, Float[np.ndarray, "draws"]]:
        """Every metric by name, in fractions, one value for each row of weights; NaN where nothing is measured."""
        summed = {name: weights @ table for name, table in self.sums.items()}
        values = {}
        for prefix in ("", FREE):
            for depth in self.protocol.depths:
                at = self._metrics_at(summed, prefix, depth)
                values |= {named(prefix, metric, depth): value for metric, value in at.items()}
        return values

    def recalls(self, weights: Float[np.ndarray, "draws images"]) -> dict[str, Float[np.ndarray, "draws foreground"]]:
        """Recall of each predicate under the names R@K and ngR@K; NaN where a predicate is absent."""
        wanted = ("present", *(f"{p}recalls@{depth}" for p in ("", FREE) for depth in self.protocol.depths))
        summed = {name: weights @ self.sums[name] for name in wanted}
        return {
            named(prefix, "R", depth): ratio(summed[f"{prefix}recalls@{depth}"], summed["present"])
            for prefix in ("", FREE)
            for depth in self.protocol.depths
        }

    def _metrics_at(self, summed: Sums, prefix: str, depth: int) -> dict[str, Float[np.ndarray, "draws"]]:
        def addend(name: str) -> Float[np.ndarray, "draws _"]:
            return summed[f"{prefix}{name}@{depth}"]

        recalls = ratio(addend("recalls"), summed["present"])
        overwritten, filled = recalls.copy(), self.present.copy()
        overwritten[:, _REFERENCE_SLOT] = ratio(addend("overwritten"), summed["images"])[:, 0]
        filled[_REFERENCE_SLOT] = True
        values = {
            "R": ratio(addend("recall"), summed["images"])[:, 0],
            "mR": self._mean(recalls, self.present),
            "mR_pooled": self._mean(ratio(addend("hits"), summed["rows"]), self.present),
            "mR_ref": self._mean(overwritten, filled),
        }
        if "zero_shot_images" in summed:
            values["zsR"] = ratio(addend("zero_shot_recall"), summed["zero_shot_images"])[:, 0]
        values["F1"] = harmonic_mean(values["R"], values["mR"])
        groups = {
            f"mR_{group}": self._mean(recalls[:, chosen], self.present[chosen]) for group, chosen in self.groups.items()
        }
        return values | groups

    def _mean(
        self, recalls: Float[np.ndarray, "draws foreground"], present: Bool[np.ndarray, "foreground"]
    ) -> Float[np.ndarray, "draws"]:
        """Mean over predicates, of which the whole set has those that are `present`.

        A predicate that the set has but a bootstrap draw lacks says nothing: the mean of the draw is over the others.
        One that the set lacks counts 0, or is left out, as the protocol says.
        """
        measured = ~np.isnan(recalls)
        mean = ratio(np.where(measured, recalls, 0).sum(axis=1), measured.sum(axis=1))
        if self.protocol.absent == "left out":
            return mean
        return mean * present.mean() if present.any() else np.zeros_like(mean)


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> Float[np.ndarray, "..."]:
    """Quotient with NaN for anything by zero."""
    blank = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    return np.divide(numerator, denominator, out=blank, where=denominator > 0)


def harmonic_mean(first: Float[np.ndarray, "..."], second: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """2ab / (a + b), 0 where both are 0."""
    return np.where(first + second == 0, 0.0, ratio(2 * first * second, first + second))


def counted_rows(ranks: Ranks) -> Bool[np.ndarray, "relations"]:
    """The true rows of the images that the protocol does not leave out."""
    protocol = ranks.protocol
    left_out = ~ranks.predicted if protocol.skip_empty else np.zeros(len(ranks), dtype=bool)
    if protocol.most_boxes is not None:
        left_out = left_out | (ranks.boxes > protocol.most_boxes)
    return ~left_out[ranks.image]


class _Cells:
    """Counts rows by image and foreground predicate."""

    def __init__(self, ranks: Ranks, counted: Bool[np.ndarray, "relations"]):
        self._shape = (len(ranks), ranks.predicates - 1)
        self._counted = counted
        self._cell = ranks.image * self._shape[1] + ranks.triplets[:, 1] - 1

    def count(self, chosen: Bool[np.ndarray, "relations"]) -> Float[np.ndarray, "images foreground"]:
        counts = np.bincount(self._cell[chosen & self._counted], minlength=self._shape[0] * self._shape[1])
        return counts.reshape(self._shape).astype(np.float64)


def _quotient(
    hits: Float[np.ndarray, "images _"], rows: Float[np.ndarray, "images _"]
) -> Float[np.ndarray, "images _"]:
    return np.divide(hits, rows, out=np.zeros_like(hits), where=rows > 0)


def _tables_at(
    cells: _Cells, hit: Bool[np.ndarray, "relations"], rows: Float[np.ndarray, "images foreground"]
) -> dict[str, Float[np.ndarray, "images _"]]:
    """Addends of what is measured at one K of one list; `hit` says which rows it covers."""
    hits = cells.count(hit)
    all_hits, all_rows = hits.sum(axis=1, keepdims=True), rows.sum(axis=1, keepdims=True)
    slot = slice(_REFERENCE_SLOT, _REFERENCE_SLOT + 1)
    return {
        "hits": hits,
        "recalls": _quotient(hits, rows),
        "recall": _quotient(all_hits, all_rows),
        "overwritten": _quotient(all_hits + hits[:, slot], all_rows + rows[:, slot]),
    }


def tables(ranks: Ranks) -> Tables:
    """The addends of every metric under `ranks.protocol`, images in the order of `ranks.image_ids`."""
    cells = _Cells(ranks, counted_rows(ranks))
    everything = np.ones(len(ranks.image), dtype=bool)
    rows = cells.count(everything)
    sums = {"rows": rows, "present": (rows > 0) * 1.0, "images": rows.any(axis=1, keepdims=True) * 1.0}
    if ranks.zero_shot is not None:
        zero_shot_rows = cells.count(ranks.zero_shot).sum(axis=1, keepdims=True)
        sums["zero_shot_images"] = (zero_shot_rows > 0) * 1.0
    for prefix, places in (("", ranks.constrained), (FREE, ranks.free)):
        for depth in ranks.protocol.depths:
            at = _tables_at(cells, places < depth, rows)
            if ranks.zero_shot is not None:
                hits = cells.count(ranks.zero_shot & (places < depth)).sum(axis=1, keepdims=True)
                at["zero_shot_recall"] = _quotient(hits, zero_shot_rows)
            sums |= {f"{prefix}{name}@{depth}": table for name, table in at.items()}
    groups = {} if ranks.training_counts is None else frequency_groups(ranks.training_counts)
    return Tables(sums, rows.any(axis=0), groups, ranks.protocol)


def metrics(ranks: Ranks) -> dict[str, float]:
    """Every metric of the family under `ranks.protocol`, in fractions."""
    values = tables(ranks).metrics(np.ones((1, len(ranks))))
    return {name: float(value[0]) for name, value in values.items()}


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
