"""A photo with its regions in colour, and the scene graph beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Rectangle
from torch import Tensor

from segsg.data.words import Vocabulary
from segsg.figures.style import FAINT, INK, PALETTE, SHARP, STYLE, ink_on, new_figure, rgb

MAX_RELATIONS = 12
"""more arrows than this and nobody reads any"""
MASK_OPACITY = 0.45
PHOTO, FRAME = 3.0, 1.8
"""inches: side of a photo with one kind of masks, and height of a contact frame below it"""
LABEL = (0.75, 0.42)
"""room that a node needs, in half sides of the photo"""
STEPS = 300
PULL = 0.01
"""share of the way back to its object that a node goes in each step"""
ZERO_SHOT, PALE = "#8f6200", "#687581"


@dataclass(frozen=True)
class Picture:
    """One photo with a scene graph, all in the photo's own frame.

    `relations` are (subject, predicate's name, object, score), best first; indices count regions. `true` and, of
    them, `zero_shot` are places in `relations`: those that are annotated, and of a triplet unseen in training. None
    where that is not asked: all are drawn alike.
    """

    image: UInt8[Tensor, "3 h w"]
    boxes: Float[Tensor, "regions 4"]
    names: tuple[str, ...]
    masks: Bool[Tensor, "regions h w"] | None
    relations: tuple[tuple[int, str, int, float], ...]
    title: str = ""
    true: frozenset[int] | None = None
    zero_shot: frozenset[int] = frozenset()

    @property
    def words(self) -> str:
        """The drawn relations as text, for readers who do not see the picture."""
        drawn = (
            f"{self.names[s]} {predicate} {self.names[o]}" for s, predicate, o, _ in self.relations[:MAX_RELATIONS]
        )
        return ", ".join(drawn) or "no relation found"

    def colour(self, relation: int) -> str:
        """Colour of the arrow of a relation."""
        if relation in self.zero_shot:
            return ZERO_SHOT
        return FAINT if self.true is None else INK if relation in self.true else PALE


def class_names(names: Vocabulary, labels: Int[Tensor, "regions"]) -> tuple[str, ...]:
    """Class name of each region, from its label."""
    return tuple(names.class_name(label) for label in labels.tolist())


def scene_graph_overlay(picture: Picture) -> Figure:
    """Left the photo with boxes and masks of the regions that the best relations connect, right these relations.

    Regions have numbers in the photo, and names beside their numbers in the graph.
    """
    with rc_context(STYLE):
        figure = new_figure(9.0, 4.2, SHARP)
        _draw(figure, picture)
    return figure


def compared_overlay(above: Picture, below: Picture) -> Figure:
    """Two graphs of one photo, each beside the photo with its own regions and masks."""
    with rc_context(STYLE):
        figure = new_figure(9.0, 8.4, SHARP)
        for part, picture in zip(figure.subfigures(2, 1), (above, below), strict=True):
            _draw(part, picture)
    return figure


def _draw(figure: FigureBase, picture: Picture) -> None:
    relations = picture.relations[:MAX_RELATIONS]
    shown = sorted({index for subject, _, object_, _ in relations for index in (subject, object_)})
    colours = {region: PALETTE[i % len(PALETTE)] for i, region in enumerate(shown)}
    photo, graph = figure.subplots(1, 2)
    numbers = {region: str(place) for place, region in enumerate(shown, start=1)}
    _draw_photo(photo, picture, colours, numbers)
    _draw_graph(graph, picture, relations, colours, numbers)
    figure.suptitle(picture.title, x=0.01, ha="left", fontsize=10, fontweight="bold")


def masks_overlay(picture: Picture, masks: dict[str, Tensor]) -> Figure:
    """The photo of `picture` once for each kind of masks (bool [regions, h, w]), side by side, under its name."""
    colours = {region: PALETTE[region % len(PALETTE)] for region in range(len(picture.boxes))}
    with rc_context(STYLE):
        figure = new_figure(PHOTO * len(masks), PHOTO + 0.4, SHARP)
        for axes, (name, kind) in zip(figure.subplots(1, len(masks), squeeze=False)[0], masks.items(), strict=True):
            _draw_photo(axes, replace(picture, masks=kind), colours, dict(enumerate(picture.names)))
            axes.set_title(name)
        figure.suptitle(picture.title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


@dataclass(frozen=True)
class Contact:
    """Two regions of a picture where their boxes meet: `frame` is the contact frame, `words` say how they relate."""

    pair: tuple[int, int]
    frame: Float[Tensor, "4"]
    words: str


def contacts_overlay(picture: Picture, masks: dict[str, Tensor], contacts: Sequence[Contact]) -> Figure:
    """The photo of `picture` with boxes, then once for each kind of masks; below it the contact frames, row by row.

    Kinds (bool [regions, h, w]) are columns under their names. Photos below masks are grey. A contact frame shows the
    masks of its pair alone, in the first two colours of the palette.
    """
    colours = {region: PALETTE[region % len(PALETTE)] for region in range(len(picture.boxes))}
    grey = picture.image.float().mean(dim=0, keepdim=True).expand(3, -1, -1).to(picture.image.dtype)
    columns = {name: replace(picture, image=grey, masks=kind) for name, kind in masks.items()}
    heights = [PHOTO, *(FRAME for _ in contacts)]
    with rc_context(STYLE):
        figure = new_figure(PHOTO * (1 + len(masks)), sum(heights) + 0.4)
        grid = figure.subplots(len(heights), 1 + len(masks), squeeze=False, gridspec_kw={"height_ratios": heights})
        _draw_photo(grid[0, 0], picture, colours, dict(enumerate(picture.names)))
        for axes, (name, shown) in zip(grid[0, 1:], columns.items(), strict=True):
            axes.imshow(_coloured(shown, colours))
            axes.set_title(name)
            axes.set_axis_off()
        for row, contact in zip(grid[1:], contacts, strict=True):
            for axes, shown in zip(row, (picture, *columns.values()), strict=True):
                _draw_contact(axes, shown, contact)
            row[0].set_title(contact.words, fontsize=8, fontweight="normal")
        figure.suptitle(picture.title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure


def _draw_contact(axes: Axes, picture: Picture, contact: Contact) -> None:
    axes.imshow(_coloured(picture, dict(zip(contact.pair, PALETTE, strict=False))))
    left, top, right, bottom = (contact.frame - 0.5).tolist()  # a picture's first pixel has its centre at 0
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.set_axis_off()


def _draw_photo(axes: Axes, picture: Picture, colours: dict[int, str], tags: dict[int, str]) -> None:
    """The photo with some regions, each in its colour under its tag: names bury a small photo that a graph explains."""
    axes.imshow(_coloured(picture, colours))
    for region, colour in colours.items():
        left, top, right, bottom = picture.boxes[region].tolist()
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=1.5))
        tag = {"facecolor": colour, "edgecolor": "none", "pad": 1.2, "alpha": 0.9}
        ink = ink_on(colour)
        axes.text(left, top, tags[region], color=ink, fontsize=6.5, va="bottom", bbox=tag, clip_on=True)
    axes.set_axis_off()


def _coloured(picture: Picture, colours: dict[int, str]) -> Float[np.ndarray, "h w 3"]:
    """The photo with the masks of some regions over it, each in its colour."""
    pixels = picture.image.permute(1, 2, 0).numpy().astype(np.float32) / 255
    for region, colour in colours.items():
        if picture.masks is not None:
            mask = picture.masks[region].numpy()
            pixels[mask] = (1 - MASK_OPACITY) * pixels[mask] + MASK_OPACITY * np.array(rgb(colour))
    return pixels


def _draw_graph(axes: Axes, picture: Picture, relations, colours: dict[int, str], numbers: dict[int, str]) -> None:
    places = _places(picture, list(colours))
    for place, (subject, predicate, object_, _) in enumerate(relations):
        start, end = places[subject], places[object_]
        colour = picture.colour(place)
        arrow = {"arrowstyle": "-|>", "color": colour, "shrinkA": 16, "shrinkB": 16, "connectionstyle": "arc3,rad=0.12"}
        arrow |= {"linewidth": 0.7, "linestyle": (0, (4, 3))} if colour == PALE else {}
        axes.annotate("", xy=end, xytext=start, arrowprops=arrow)
        # Off the middle and on the arc's side, so that the labels of two opposite arrows do not meet.
        x, y = 0.56 * start + 0.44 * end + 0.06 * np.array([end[1] - start[1], start[0] - end[0]])
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
        axes.text(
            x, y, predicate, fontsize=7, ha="center", va="center", color=INK if colour == FAINT else colour, bbox=paper
        )
    for region, (x, y) in places.items():
        tag = {"facecolor": colours[region], "edgecolor": "none", "boxstyle": "round,pad=0.35"}
        ink = ink_on(colours[region])
        name = f"{numbers[region]} {picture.names[region]}"
        axes.text(x, y, name, color=ink, fontsize=8, ha="center", va="center", bbox=tag)
    middle = np.array(list(places.values())).reshape(-1, 2)
    reach = np.abs(middle).max(axis=0, initial=1.0) + np.array([0.3, 0.2])
    axes.set(xlim=(-reach[0], reach[0]), ylim=(-reach[1], reach[1]))
    axes.set_axis_off()
    if not relations:
        axes.text(0, 0, "no relation found", ha="center", color=FAINT)


def _places(picture: Picture, regions: list[int]) -> dict[int, np.ndarray]:
    """Where the boxes are in the photo, made readable."""
    height, width = picture.image.shape[-2:]
    boxes = picture.boxes[regions].numpy()
    centres = (boxes[:, :2] + boxes[:, 2:]) / np.array([width, -height]) + np.array([-1, 1])
    return dict(zip(regions, spread(centres, LABEL), strict=True))


def spread(points: Float[np.ndarray, "regions 2"], apart: tuple[float, float]) -> Float[np.ndarray, "regions 2"]:
    """`points` pushed away from each other until labels of width and height `apart` hardly overlap.

    Deterministic; points that coincide leave each other along directions that depend on their order alone.
    """
    turn = 2.4 * np.arange(len(points))
    places = points + 1e-3 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    for _ in range(STEPS):
        away = (places[:, None] - places[None]) / apart
        distance = np.linalg.norm(away, axis=2, keepdims=True) + np.eye(len(points))[..., None] * 2
        push = np.where(distance < 1, (1 - distance) * away / distance, 0).sum(axis=1)
        places = places + 0.15 * push * apart + PULL * (points - places)
    return places
