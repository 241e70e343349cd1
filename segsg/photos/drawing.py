"""What lies on the photo of a page: masks, boxes and tags of its regions, and the glow of each relation."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from contourpy import contour_generator
from jaxtyping import Bool, Float
from PIL import Image

from segsg.figures.style import PALETTE, data_uri, ink_on
from segsg.photos.graph import Box, PhotoGraph, Relation

TAG = 0.031
"""size of letters on the photo, in longer sides"""
LETTER, LINE = 0.6, 1.5
"""width and height that a letter needs, in sizes"""
FAR = 5
"""lines that a tag may be above or below its box"""
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
    """Tags of regions by their names, inside the photo: above the box, else where they hide the least of others."""
    height, width = graph.size
    size, tags = TAG * max(height, width), []
    for place, name in names.items():
        sides = np.array([(len(name) + 1) * LETTER * size, LINE * size])
        left, top, right, bottom = graph.regions[place].box
        across = (left, (left + right - sides[0]) / 2, right - sides[0])
        inside = (top, (top + bottom - sides[1]) / 2, bottom - sides[1])
        outside = (y for line in range(FAR) for y in (top - (line + 1) * sides[1], bottom + line * sides[1]))
        down = (next(outside), *inside, *outside)
        corners = np.array([(x, y) for y in down for x in across]).clip(0, np.maximum((width, height) - sides, 0))
        corner = corners[hidden(corners + sides / 2, sides / 2, tags).argmin()]
        tags.append(Tag(*map(float, (*corner, *sides)), size))
    return tags


def hidden(
    middles: Float[np.ndarray, "places 2"], half: Float[np.ndarray, "2"], tags: Sequence[Tag]
) -> Float[np.ndarray, "places"]:
    """The area of `tags` that a rectangle of half the sides `half` would hide at each place."""
    centres = np.array([tag.middle for tag in tags]).reshape(-1, 2)
    halves = np.array([(tag.width / 2, tag.height / 2) for tag in tags]).reshape(-1, 2)
    shared = half + halves - np.abs(middles[:, None] - centres)
    return shared.clip(0, 2 * np.minimum(half, halves)).prod(axis=2).sum(axis=1)


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
