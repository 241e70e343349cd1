"""Kernels against their slow twins, with equal values: `segsg bench kernels`. Sizes are the paper's unless changed."""

import copy
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision import ops

from segsg.grounding.edges import GaussianSmoothing, PairMasks, UnionFrame, product
from segsg.grounding.segmenter import AllClasses, MixedClasses
from segsg.kernels.boxes import all_pairs, union_boxes
from segsg.kernels.roi_align import roi_align
from segsg.kernels.trees import grow
from segsg.models import motifs
from segsg.models.extractor import CHUNK_BYTES
from segsg.models.parts import Materials, ObjectsThenEdges
from segsg.structures import MASK_SIDE, Regions

sys.path.append(str(Path(__file__).resolve().parents[1] / "helpers"))
from pair_by_pair import pair_by_pair
from scenes import chunk_of
from sides import Line, check_equal, main, megabytes, milliseconds, versus
from slow_decoder import StepByStep, decode_slowly
from slow_trees import grow_slowly

IMAGE = (600, 1000)
"""height and width in pixels"""
STRIDE, CROP_SIDE = 16, 7
PREDICATES, POSITION, POOLING = 51, 128, 8
"""pairs have no part in what is measured, so their vectors are narrow"""
MIXED = 3
"""channels in place of one for each class"""
Align = Callable[[Tensor], Tensor]
"""feature map -> crops of boxes"""


@dataclass(frozen=True, kw_only=True)
class Size:
    """`regions` is of each image; `classes` does not count background; `width` is of a region's vector."""

    images: int
    regions: int
    classes: int
    width: int
    hidden: int
    words: int
    map_channels: int
    repeats: int


def regions_of(size: Size, images: int) -> Regions:
    """Random regions of so many images."""
    total = images * size.regions
    extent = torch.tensor([IMAGE[1], IMAGE[0]])
    corner = torch.rand(total, 2) * 0.7 * extent
    boxes = torch.cat([corner, corner + 30 + torch.rand(total, 2) * (extent - corner - 30)], dim=1)
    image = torch.arange(images).repeat_interleave(size.regions)
    labels = torch.randint(1, size.classes + 1, (total,))
    beliefs = torch.randn(total, size.classes + 1).softmax(dim=1)
    return Regions(boxes, image, labels, beliefs, [IMAGE] * images)


def edge_masks(size: Size) -> Iterator[Line]:
    """Eq. 6 for all pairs of one image, in chunks that the next layer would use up one by one."""
    regions = regions_of(size, 1)
    masks = torch.rand(size.regions, size.classes + 1, MASK_SIDE, MASK_SIDE)
    smoothing, pairs = GaussianSmoothing(size.classes + 1, 7), all_pairs(regions.image)
    unit, every = PairMasks(smoothing, UnionFrame(), product, squash=False), AllClasses(size.classes + 1)

    def ours(channels) -> Iterator[tuple[Tensor, Tensor]]:
        """(pairs, their masks) of each chunk."""
        seen = channels(masks, regions)
        of_chunk = unit.prepare(seen, regions)
        # As the extractor counts memory of an unordered pair: three masks, and for each direction two more.
        together = max(1, CHUNK_BYTES // (4 * MASK_SIDE**2 * 7 * seen.shape[1]))
        for unordered in pairs[pairs[:, 0] < pairs[:, 1]].split(together):
            chunk = chunk_of(torch.cat([unordered, unordered.flip(1)]))
            yield chunk.pairs, of_chunk(chunk)

    def twin(channels) -> Tensor:
        return pair_by_pair(smoothing, channels(masks, regions), regions, pairs)

    sides = {"one channel a class": every, f"{MIXED} channels": MixedClasses(size.classes + 1, MIXED)}
    for name, channels in sides.items():
        chunks, found = map(torch.cat, zip(*ours(channels), strict=True))
        order = (chunks[:, 0] * size.regions + chunks[:, 1]).argsort()
        check_equal(f"edge masks, {name}", found[order], twin(channels))
    works = [*(partial(_use_up, ours, channels) for channels in sides.values()), partial(twin, every)]
    times, most = milliseconds(works, size.repeats), [megabytes(work) for work in works]
    for name, ms, mb in zip(sides, times[:-1], most[:-1], strict=True):
        name = f"edge masks of {len(pairs)} pairs, {name}"
        yield Line(name=name, ms=ms, other_ms=times[-1], mb=mb, other_mb=most[-1])


def _use_up(chunks: Callable[..., Iterator], channels) -> None:
    """Makes each chunk and lets it go before the next one."""
    for chunk in chunks(channels):
        del chunk


def crops(size: Size) -> Iterator[Line]:
    """RoIAlign of the regions of one image and of the union boxes of its pairs, against torchvision's.

    Channels of the map lie side by side in memory, as detectors leave them.
    """
    regions = regions_of(size, 1)
    pairs = all_pairs(regions.image)
    unions = union_boxes(*regions.boxes[pairs[pairs[:, 0] < pairs[:, 1]]].unbind(1))
    features = torch.randn(1, size.map_channels, IMAGE[0] // STRIDE, IMAGE[1] // STRIDE)
    features = features.contiguous(memory_format=torch.channels_last)
    for name, boxes in {"boxes": regions.boxes, "union boxes": unions}.items():
        name, sides = f"RoIAlign of {len(boxes)} {name}", (_ours(boxes), _twin(boxes))
        yield versus(name, *(partial(side, features) for side in sides), repeats=size.repeats)
        learned = (partial(_learned, side, features) for side in sides)
        yield versus(f"{name}, with gradients", *learned, repeats=size.repeats)


def _ours(boxes: Tensor) -> Align:
    return lambda x: roi_align(x, boxes, torch.zeros(len(boxes), dtype=torch.long), CROP_SIDE, 1 / STRIDE)


def _twin(boxes: Tensor) -> Align:
    rows = torch.cat([torch.zeros(len(boxes), 1), boxes], dim=1)
    return lambda x: ops.roi_align(x, rows, CROP_SIDE, 1 / STRIDE, 2, aligned=True)


def _learned(align: Align, features: Tensor) -> tuple[Tensor, Tensor]:
    """Crops, and the gradient of their sum of squares."""
    leaf = features.clone().requires_grad_()
    values = align(leaf)
    return values.detach(), torch.autograd.grad(values.square().sum(), leaf)[0]


def trees(size: Size) -> Iterator[Line]:
    """The greedy trees of all images."""
    random = np.random.default_rng(0)
    scores = random.random((size.images, size.regions, size.regions))
    counts = np.full(size.images, size.regions)

    def ours() -> tuple[Tensor, Tensor]:
        parents, turns = grow(scores, counts)
        return torch.from_numpy(parents), torch.from_numpy(turns.argsort(axis=1))

    def twin() -> tuple[Tensor, ...]:
        return tuple(map(torch.tensor, zip(*map(grow_slowly, scores), strict=True)))

    yield versus(f"trees of {size.images} images", ours, twin, repeats=size.repeats)


def part(regions: Regions, image: int) -> Regions:
    """The regions of one image of a batch, as a batch of its own."""
    mine = regions.image == image
    lists = (regions.boxes[mine], torch.zeros_like(regions.image[mine]), regions.labels[mine])
    return Regions(*lists, regions.class_probabilities[mine], [regions.sizes[image]])


def motifs_context(size: Size) -> ObjectsThenEdges:
    """The context of Motifs in SGCls, of the bench's size and untrained."""
    vectors = torch.randn(size.classes + 1, size.words)
    frequencies = torch.ones(size.classes + 1, size.classes + 1, PREDICATES, dtype=torch.long)
    widths = {"node_width": size.width, "hidden": size.hidden, "pooling": POOLING, "position": POSITION}
    given = Materials(vectors, frequencies, labels_given=False, **widths, dropout=0.0, input_dropout=0.0)
    return motifs.context(given).eval()


def decoder(size: Size, context: ObjectsThenEdges) -> Iterator[Line]:
    """The naming decoder on one image, region after region in its order."""
    regions = regions_of(size, 1)
    features = torch.randn(size.regions, context.decoder.inputs.in_features)
    order, _ = context.arrange(features, features, regions)
    before = [None] * size.regions
    for earlier, later in pairwise(order.index.tolist()):
        before[later] = earlier
    yield versus(
        "naming decoder, one image",
        lambda: context.decoder(features, regions, order),
        lambda: decode_slowly(context.decoder, features, regions.labels, before),
        repeats=size.repeats,
    )


def answers(module: ObjectsThenEdges, nodes: Tensor, regions: Regions) -> tuple[Tensor, Tensor]:
    """Object logits, and the hidden states that the head of pairs would see. No pair is asked about."""
    heard = []
    hook = module.head.roles.register_forward_pre_hook(lambda _, given: heard.append(given[0]))
    logits = module(nodes, torch.zeros(0, POOLING), torch.zeros(0, 2, dtype=torch.long), regions).object_logits
    hook.remove()
    return logits, heard[0]


def one_by_one(module: ObjectsThenEdges, nodes: Tensor, regions: Regions) -> tuple[Tensor, ...]:
    """The answers for each image on its own: the original asserts that a prediction has one image."""
    each = [answers(module, nodes[regions.image == k], part(regions, k)) for k in range(len(regions.sizes))]
    return tuple(map(torch.cat, zip(*each, strict=True)))


def learned(module: ObjectsThenEdges, nodes: Tensor, regions: Regions) -> tuple[Tensor, ...]:
    """Object logits, and the gradients of what answers depend on."""
    logits, hidden = answers(module.train(), nodes, regions)
    wanted = [weight for name, weight in module.named_parameters() if not name.startswith(("head", "bias"))]
    return logits.detach(), *torch.autograd.grad(logits.square().mean() + hidden.square().mean(), wanted)


def contexts(size: Size, context: ObjectsThenEdges) -> Iterator[Line]:
    """The whole context of Motifs in SGCls, up to the head of pairs, against one whose decoder goes step by step."""
    slow = copy.deepcopy(context)
    slow.decoder = StepByStep(slow.decoder)
    regions = regions_of(size, size.images)
    given = (torch.randn(len(regions), size.width), regions)
    name = f"context of Motifs in SGCls, {size.images} images"
    with torch.no_grad():
        twin = partial(one_by_one, slow, *given)
        yield versus(f"{name}, prediction", partial(answers, context, *given), twin, repeats=size.repeats)
        yield versus(f"{name}, one by one", partial(one_by_one, context, *given), twin, repeats=size.repeats)
    sides = (partial(learned, module, *given) for module in (context, slow))
    yield versus(f"{name}, training", *sides, repeats=size.repeats)


def measure(options) -> Iterator[Line]:
    """All lines, from the options of `segsg bench kernels`. ValueError for images without a pair."""
    size = Size(**{name: getattr(options, name) for name in Size.__dataclass_fields__})
    if size.regions < 2:
        raise ValueError(f"--regions: {size.regions} has no pair; take 2 or more")
    torch.manual_seed(0)
    context = motifs_context(size)
    with torch.no_grad():
        yield from edge_masks(size)
        yield from decoder(size, context)
    yield from crops(size)
    yield from trees(replace(size, regions=2 * size.regions))
    yield from contexts(size, context)


if __name__ == "__main__":
    sys.exit(main("kernels", measure, other="twin", title="Kernels, and their slow twins with equal values"))
