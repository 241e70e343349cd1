"""Tables and pictures of notebooks/explore.ipynb: what a study measured, what two models say about one photo, and how a
region's mask (eq. 4) and that of a pair (eq. 6) come about."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8
from matplotlib import rc_context
from matplotlib.figure import Figure
from torch import Tensor

from segsg.evaluation.matching import MISSED, agreement, first_covering
from segsg.evaluation.protocol import Protocol
from segsg.figures.overlay import class_names
from segsg.figures.seen import Experiment, Seen
from segsg.figures.shown import compared_experiments
from segsg.figures.style import FAINT, GRID, INK, STYLE, new_figure
from segsg.study.params import Params

Panels = dict[str, Float[np.ndarray, "side side"]]
"""probabilities of masks by name"""
DEPTH = 100
AUTO = "auto"
COLUMNS = ("model", "detector", "task", "method", "seed")
METRICS = ("R@50", "mR@20", "mR@50", "mR@100", "zsR@100")


def experiments(params: Params, measured: Mapping[str, dict]) -> pd.DataFrame:
    """One line for each measured experiment: what it is, and its recalls in per cent. `measured` is {key: metrics}."""
    table = {
        key: {column: getattr(row, column) for column in COLUMNS}
        | {"grounding": ", ".join(f"{name}: {value}" for name, value in row.grounding.items())}
        | {name: _percent(measured[key], name) for name in METRICS}
        for key, row in params.experiments.items()
        if key in measured
    }
    return pd.DataFrame.from_dict(table, orient="index")


def _percent(measured: dict, name: str) -> float:
    value = measured["metrics"].get(name, {}).get("value")
    return float("nan") if value is None else round(100 * value, 1)


def chosen(params: Params, first: str, second: str) -> tuple[str, str]:
    """Two keys; AUTO is the seg-grounded experiment that the report shows as the first, its baseline as the second."""
    baseline, grounded = compared_experiments(params)
    return (grounded if first == AUTO else first), (baseline if second == AUTO else second)


def photos(experiment: Experiment, first: int, count: int) -> dict[str, UInt8[np.ndarray, "h w 3"]]:
    """Some images of the split by their places and their numbers of annotated relations."""
    dataset = experiment.photos
    return {
        f"{index}: {len(dataset.annotation(index)[2])} relations": dataset[index].image.permute(1, 2, 0).numpy()
        for index in range(first, min(first + count, len(dataset)))
    }


def found(seen: Seen, protocol: Protocol) -> list[int | None]:
    """Place of each true relation in the model's ranking, counted from 1; None for a relation that is not in it."""
    ranks = first_covering(seen.truth.relations, agreement(seen.truth, seen.prediction, protocol), seen.answers.ranking)
    return [None if rank == MISSED else int(rank) + 1 for rank in ranks]


def compared(first: Seen, second: Seen, protocol: Protocol, depth: int) -> pd.DataFrame:
    """True relations of a photo with their places in the lists of two models, and who has them in the first `depth`.

    Places count from 1 and are empty where a model has not the relation at all.
    """
    names, truth = first.experiment.names, first.truth
    labels = region_names(truth.labels, first)
    rows = [(labels[s], names.predicate_name(int(p)), labels[o]) for s, o, p in truth.relations]
    table = pd.DataFrame(rows, columns=["subject", "predicate", "object"])
    places = {seen.experiment.key: found(seen, protocol) for seen in (first, second)}
    finders = [[key for key in places if (places[key][row] or depth + 1) <= depth] for row in range(len(table))]
    table["found by"] = ["both" if len(keys) == 2 else "".join(keys) or "neither" for keys in finders]
    for key, column in places.items():
        table[key] = pd.array(column, dtype="Int64")
    return table.drop_duplicates(ignore_index=True)


def region_names(labels, seen: Seen) -> list[str]:
    """Names of regions with their numbers, since several may be of one class."""
    named = class_names(seen.experiment.names, torch.as_tensor(labels))
    return [f"{index} {name}" for index, name in enumerate(named)]


def surest(seen: Seen, count: int) -> pd.DataFrame:
    """The relations that the model is surest of, and whether they are annotated."""
    labels, ranking = region_names(seen.prediction.labels, seen), seen.answers.ranking
    scores, _ = edges(seen)
    rows = [
        (labels[s], seen.experiment.names.predicate_name(int(p)), labels[o], round(float(scores[s, o]), 3), bool(true))
        for (s, o), p, true in zip(ranking.pairs, ranking.predicates, seen.answers.true, strict=True)
    ]
    return pd.DataFrame(rows[:count], columns=["subject", "predicate", "object", "score", "annotated"])


def edges(seen: Seen) -> tuple[Float[np.ndarray, "regions regions"], list[list[str]]]:
    """Score of the surest relation from each subject (row) to each object (column), and its predicate.

    NaN and "" where the model was not asked: a region with itself, in SGDet boxes that do not overlap.
    """
    prediction, regions = seen.prediction, len(seen.prediction.boxes)
    scores, words = np.full((regions, regions), np.nan, dtype=np.float32), [[""] * regions for _ in range(regions)]
    best = prediction.predicate_probabilities[:, 1:]
    for (s, o), probabilities in zip(prediction.pairs.tolist(), best, strict=True):
        scores[s, o] = probabilities.max() * prediction.scores[s] * prediction.scores[o]
        words[s][o] = seen.experiment.names.predicate_name(int(probabilities.argmax()) + 1)
    return scores, words


def surest_pair(seen: Seen) -> tuple[int, int] | None:
    """Subject and object of the relation that the model is surest of; None if it found no pair, as SGDet may."""
    if not len(seen.answers.ranking):
        return None
    subject, object_ = seen.answers.ranking.pairs[0].tolist()
    return subject, object_


def photo_of(seen: Seen, *regions: int) -> UInt8[np.ndarray, "h w 3"]:
    """The part of the photo inside the smallest box around regions."""
    boxes = torch.as_tensor(seen.prediction.boxes[list(regions)]) * seen.sample.scale
    (x1, y1), (x2, y2) = boxes[:, :2].amin(0).floor().int().tolist(), boxes[:, 2:].amax(0).ceil().int().tolist()
    return seen.sample.image[:, max(y1, 0) : max(y2, y1 + 1), max(x1, 0) : max(x2, x1 + 1)].permute(1, 2, 0).numpy()


@torch.no_grad()
def region_masks(seen: Seen, region: int, most: int) -> Panels:
    """A region's mask in the `most` mask classes that its class borrows from, with their weights, and what comes of it.

    Controls have the last alone. Empty for a model that sees no masks.
    """
    graph = seen.experiment.model.graph(seen.look, torch.zeros(0, 2, dtype=torch.long, device=seen.device))
    if graph.masks is None:
        return {}
    label, names = int(seen.prediction.labels[region]), seen.experiment.facts.mask_names
    weights = seen.experiment.model.extractor.weights(label)
    panels = {}
    if weights is not None and len(weights) == len(names):
        logits = graph.regions.mask_logits[region]
        for column in weights.abs().argsort(descending=True)[:most].tolist():
            if weights[column]:
                panels[f"{names[column]} × {weights[column]:.2f}"] = _plain(logits[column].sigmoid())
    return panels | {f"= {seen.experiment.names.class_name(label)}": _plain(graph.masks[region, label])}


@torch.no_grad()
def pair_masks(seen: Seen, subject: int, object_: int) -> Panels:
    """Eq. 6 step by step for the masks that the detector expects: as they are, smoothed, combined, in the pair's frame.

    Empty for a model whose edges see no masks.
    """
    pair = torch.tensor([[subject, object_]], device=seen.device)
    steps = seen.experiment.model.extractor.steps(seen.look, pair)
    return {name: _plain(masks[0, 0]) for name, masks in steps.items()}


def _plain(mask: Float[Tensor, "side side"]) -> Float[np.ndarray, "side side"]:
    return mask.float().cpu().numpy()


NAMED_EDGES = 20
"""more regions than this, and predicates in the cells can't be read"""
SHARE_NAMED = 0.05
"""share of the largest score; the predicates of smaller scores are not written"""
PANELS_IN_A_ROW = 6
PANEL = 1.7
"""inches"""


def png(figure: Figure) -> bytes:
    """A picture for a notebook to show."""
    stream = io.BytesIO()
    with rc_context(STYLE):
        figure.savefig(stream, format="png")
    return stream.getvalue()


def strip(panels: Mapping[str, np.ndarray], missing: str) -> Figure:
    """Panels in rows under their names: `[h, w, 3]` as a photo, `[h, w]` as probabilities, white 0, dark 1.

    All have the shape of the first: masks fill the frame of their photo. `missing` stands above where there is no mask.
    """
    lacks = not any(panel.ndim == 2 for panel in panels.values())
    figure = _grid(panels, next(iter(panels.values())).shape)
    if lacks:
        figure.suptitle(missing, x=0.01, ha="left", fontsize=9, color=FAINT)
    return figure


def contact_sheet(photos: Mapping[str, np.ndarray]) -> Figure:
    """Photos under their names, each in a square."""
    return _grid(photos, (1, 1))


def _grid(panels: Mapping[str, np.ndarray], shape: Sequence[int]) -> Figure:
    columns, aspect = min(PANELS_IN_A_ROW, len(panels)), min(3.0, shape[0] / shape[1])
    rows = -(-len(panels) // columns)
    with rc_context(STYLE):
        figure = new_figure(max(4.0, PANEL * columns), rows * (PANEL * aspect + 0.4))
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, (name, panel) in zip(grid, panels.items(), strict=False):
            axes.imshow(panel, cmap="Blues", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
            axes.set_box_aspect(aspect)
            axes.set_title(name, fontsize=7, fontweight="normal", loc="center", parse_math=False)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(visible=True, color=GRID)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
    return figure


def edge_matrix(
    scores: Float[np.ndarray, "regions regions"], words: Sequence[Sequence[str]], names: Sequence[str]
) -> Figure:
    """Score of the surest relation of each subject (row) with each object (column); NaN stays blank."""
    regions = len(names)
    with rc_context(STYLE):
        figure = new_figure(max(5.0, 2.0 + 0.62 * regions), max(3.2, 1.6 + 0.42 * regions))
        axes = figure.subplots()
        image = axes.imshow(
            scores, cmap="Blues", vmin=0, vmax=max(0.01, float(np.nanmax(scores, initial=0.0))), aspect="auto"
        )
        axes.set_xticks(range(regions), names, rotation=40, ha="right", fontsize=8)
        axes.set_yticks(range(regions), names, fontsize=8)
        axes.set(xlabel="object", ylabel="subject")
        axes.spines[:].set_visible(False)
        if regions <= NAMED_EDGES:
            _write(axes, scores, words, image.norm.vmax)
        figure.colorbar(image, ax=axes, label="score", shrink=0.8)
    return figure


def _write(axes, scores: np.ndarray, words: Sequence[Sequence[str]], largest: float) -> None:
    for row, column in np.argwhere(scores > SHARE_NAMED * largest).tolist():
        colour = "white" if scores[row, column] > 0.55 * largest else INK
        axes.text(column, row, words[row][column], ha="center", va="center", fontsize=6, color=colour, parse_math=False)
