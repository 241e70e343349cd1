"""What lies on the photo of a page: masks, boxes and tags of its regions, and the glow of each relation."""

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from contourpy import contour_generator
from jaxtyping import Bool, Float
from PIL import Image

from segsg.figures.overlay import spread
from segsg.figures.style import PALETTE, data_uri, ink_on
from segsg.photos.graph import Box, PhotoGraph, Relation

TAG = 0.031
"""size of letters on the photo, in longer sides"""
LETTER, LINE = 0.6, 1.5
"""width and height that a letter needs, in sizes"""
IDLE = "#8a97a3"
"""colour of regions without relation"""
GRID = 192
"""cells along the longer side from which an outline is read; masks are no finer"""
HEAT_SIDE = 112
COLD, HOT = np.array([230.0, 60.0, 20.0]), np.array([255.0, 240.0, 120.0])


@dataclass(frozen=True)
class Tag:
    """A name on a rectangle: top left corner, width and height, size of its letters."""

    x: float
    y: float
    width: float
    height: float
    size: float

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class DrawnRegion:
    """`place` counts the graph's regions. Only related regions have a `tag` on the photo."""

    place: int
    name: str
    score: float
    colour: str
    ink: str
    box: Box
    outline: str
    tag: Tag | None
    mask_from: str


@dataclass(frozen=True)
class DrawnRelation:
    """A line of the list; `heat` is a data URI that fills `union`, empty where the model has no pair region."""

    place: int
    subject: DrawnRegion
    predicate: str
    object: DrawnRegion
    score: float
    heat: str
    union: Box | None


@dataclass(frozen=True)
class Drawing:
    """All regions, largest first so that small ones lie on top, and the relations, surest first."""

    width: int
    height: int
    regions: tuple[DrawnRegion, ...]
    relations: tuple[DrawnRelation, ...]


def drawing(graph: PhotoGraph) -> Drawing:
    """A graph, at the size of a screen, drawn on its photo."""
    regions = {region.place: region for region in _regions(graph)}
    relations = tuple(_relation(place, relation, regions) for place, relation in enumerate(graph.relations))
    height, width = graph.size
    return Drawing(width, height, tuple(sorted(regions.values(), key=_smallness)), relations)


def _regions(graph: PhotoGraph) -> Iterator[DrawnRegion]:
    related = graph.related()
    names = dict(zip(related, numbered([graph.regions[i].name for i in related]), strict=True))
    tags = dict(zip(related, _tags(graph, names), strict=True))
    colours = {place: PALETTE[i % len(PALETTE)] for i, place in enumerate(related)}
    for place, region in enumerate(graph.regions):
        colour, name = colours.get(place, IDLE), names.get(place, region.name)
        shape = "" if region.runs is None else outline(region.mask)
        yield DrawnRegion(
            place, name, region.score, colour, ink_on(colour), region.box, shape, tags.get(place), region.mask_from
        )


def _relation(place: int, relation: Relation, regions: dict[int, DrawnRegion]) -> DrawnRelation:
    triplet = regions[relation.subject], relation.predicate, regions[relation.object]
    if (where := relation.where) is None:
        return DrawnRelation(place, *triplet, relation.score, "", None)
    return DrawnRelation(place, *triplet, relation.score, heat(where.weights), where.box)


def _smallness(region: DrawnRegion) -> float:
    left, top, right, bottom = region.box
    return -(right - left) * (bottom - top)


def numbered(names: list[str]) -> list[str]:
    """Names that occur twice get numbers, so that a reader can tell one from the other."""
    total, seen, unique = Counter(names), Counter(), []
    for name in names:
        seen[name] += 1
        unique.append(f"{name} {seen[name]}" if total[name] > 1 else name)
    return unique


def _tags(graph: PhotoGraph, names: dict[int, str]) -> list[Tag]:
    """Tags of regions by their names: above the boxes if there is room, inside the photo in any case."""
    height, width = graph.size
    size = TAG * max(height, width)
    sides = np.array([((len(name) + 1) * LETTER * size, LINE * size) for name in names.values()]).reshape(-1, 2)
    corners = np.array([graph.regions[place].box for place in names]).reshape(-1, 4)[:, :2]
    middles = corners + sides * (0.5, -0.5)
    room = (0.9 * sides[:, 0].max(initial=1.0), 1.1 * LINE * size)
    corners = (spread(middles, room) - sides / 2).clip(0, np.maximum((width, height) - sides, 0))
    return [Tag(*map(float, (*corner, *side)), size) for corner, side in zip(corners, sides, strict=True)]


def outline(mask: Bool[np.ndarray, "h w"]) -> str:
    """The mask as an SVG path in pixels of the photo, to be filled by the even-odd rule; empty for an empty mask."""
    height, width = mask.shape
    cells = [max(1, round(side * min(1, GRID / max(height, width)))) for side in (width, height)]
    covered = Image.fromarray(mask.astype(np.uint8) * 255).resize(cells, Image.Resampling.BOX)
    framed = np.pad(np.asarray(covered, dtype=np.float64) / 255, 1)
    step = np.array([width / cells[0], height / cells[1]])
    lines = contour_generator(z=framed).lines(0.5)
    # Cell (1, 1) of the framed grid has its centre half a cell inside the photo.
    return "".join(_path(((line - 0.5) * step).clip(0, (width, height))) for line in lines)


def _path(points: Float[np.ndarray, "points 2"]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points[:-1]) + "Z"


def heat(weights: Float[np.ndarray, "side side"]) -> str:
    """A pair region as a PNG in a data URI: where both masks weigh more, it is brighter and less transparent.

    Its scale is its own, from nothing to its largest weight, since products of smoothed masks are small.
    """
    share = weights / max(float(weights.max()), 1e-9)
    smooth = Image.fromarray(share.astype(np.float32)).resize((HEAT_SIDE, HEAT_SIDE), Image.Resampling.BICUBIC)
    share = np.asarray(smooth).clip(0, 1)[..., None]
    pixels = np.concatenate([COLD + (HOT - COLD) * share, 235 * share**0.7], axis=2)
    return embedded(Image.fromarray(pixels.round().astype(np.uint8), "RGBA"), "png")


def embedded(image: Image.Image, kind: str, **options) -> str:
    """An image as a data URI; `kind` is "png" or "jpeg", and `options` are Pillow's for it."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return data_uri(stream.getvalue(), kind)
