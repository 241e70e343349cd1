"""A graph at the size of a screen, and as a picture."""

from dataclasses import replace

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

from segsg.figures.overlay import Picture, scene_graph_overlay
from segsg.photos.graph import Box, PhotoGraph, Region, Relation, runs_of

SCREEN = 1024
"""pixels; the longer side of a photo on a page or in an overlay"""


def shrunk(graph: PhotoGraph, longer: int = SCREEN) -> PhotoGraph:
    """The graph of the same photo with its longer side at most `longer` pixels."""
    height, width = graph.size
    if max(height, width) <= longer:
        return graph
    size = tuple(max(1, round(side * longer / max(height, width))) for side in (width, height))
    scale = (size[0] / width, size[1] / height)
    image = np.asarray(Image.fromarray(graph.image).resize(size, Image.Resampling.LANCZOS))
    regions = tuple(_shrunk_region(region, size, scale) for region in graph.regions)
    return PhotoGraph(image, regions, tuple(_shrunk_relation(relation, scale) for relation in graph.relations))


def _shrunk_region(region: Region, size: tuple[int, int], scale: tuple[float, float]) -> Region:
    runs = None
    if region.mask is not None:
        coverage = Image.fromarray(region.mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BOX)
        runs = runs_of(np.asarray(coverage) >= 128)
    return replace(region, box=_scaled(region.box, scale), runs=runs)


def _shrunk_relation(relation: Relation, scale: tuple[float, float]) -> Relation:
    if relation.where is None:
        return relation
    return replace(relation, where=replace(relation.where, box=_scaled(relation.where.box, scale)))


def _scaled(box: Box, scale: tuple[float, float]) -> Box:
    return box[0] * scale[0], box[1] * scale[1], box[2] * scale[0], box[3] * scale[1]


def overlay(graph: PhotoGraph, title: str = "") -> Figure:
    """The figure of the study's gallery: the photo with the masks of related regions, and its surest relations."""
    graph = shrunk(graph)
    has_masks = bool(graph.regions) and graph.regions[0].runs is not None
    return scene_graph_overlay(
        Picture(
            image=torch.from_numpy(graph.image.copy()).permute(2, 0, 1),
            boxes=torch.tensor([region.box for region in graph.regions]).reshape(-1, 4),
            names=tuple(region.name for region in graph.regions),
            masks=torch.from_numpy(np.stack([r.mask for r in graph.regions])) if has_masks else None,
            relations=tuple((r.subject, r.predicate, r.object, r.score) for r in graph.relations),
            title=title,
        )
    )
