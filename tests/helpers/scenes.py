"""Random small scenes for tests of the networks: a look of a detector that never existed, and its batch."""

from dataclasses import replace

import torch

from segsg.models.extractor import LAYOUT_CHANNELS, BoxExtractor, CropEncoder, PairChunk
from segsg.models.parts import Materials
from segsg.models.registry import names
from segsg.structures import MASK_SIDE, Batch, Look, Regions

CLASSES, PREDICATES, MASK_CLASSES, CHANNELS, STRIDE, SIDE = 6, 5, 3, 8, 8, 64
SEEING = [name for name in names() if name not in ("frequency", "names_and_boxes")]
"""models that see pixels"""


def boxes_of(regions, generator):
    corner = torch.rand(regions, 2, generator=generator) * 0.6 * SIDE
    return torch.cat([corner, corner + 8 + torch.rand(regions, 2, generator=generator) * 0.3 * SIDE], dim=1)


def make(counts, seed=0, relations=None):
    """(look, batch) of images with so many regions each; `relations` are rows (subject, object, predicate)."""
    generator = torch.Generator().manual_seed(seed)
    total, sizes = sum(counts), [(SIDE, SIDE)] * len(counts)
    boxes = boxes_of(total, generator)
    labels = torch.randint(1, CLASSES, (total,), generator=generator)
    probabilities = torch.rand(total, CLASSES, generator=generator).softmax(dim=1)
    image = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts, dtype=torch.long))
    masks = torch.randn(total, MASK_CLASSES, 28, 28, generator=generator)
    features = torch.randn(len(counts), CHANNELS, SIDE // STRIDE, SIDE // STRIDE, generator=generator)
    relations = relations or [[] for _ in counts]
    batch = Batch(
        list(range(len(counts))),
        torch.zeros(len(counts), 3, SIDE, SIDE, dtype=torch.uint8),
        sizes,
        [1.0] * len(counts),
        list(boxes.split(counts)),
        list(labels.split(counts)),
        [torch.tensor(rows, dtype=torch.long).reshape(-1, 3) for rows in relations],
    )
    return Look([features], Regions(boxes, image, labels, probabilities, sizes, masks), (STRIDE,), 14), batch


def mask_set_look(look, batch):
    """The same scene as one of the mask set: mask classes, and a true mask for each region."""
    regions, generator = look.regions, torch.Generator().manual_seed(1)
    labels = torch.randint(1, MASK_CLASSES + 1, (len(regions),), generator=generator)
    probabilities = torch.rand(len(regions), MASK_CLASSES + 1, generator=generator).softmax(dim=1)
    masks = [torch.rand(len(boxes), SIDE, SIDE, generator=generator) < 0.5 for boxes in batch.boxes]
    counts = [len(boxes) for boxes in batch.boxes]
    seen = replace(look, regions=replace(regions, labels=labels, class_probabilities=probabilities))
    return seen, replace(batch, labels=list(labels.split(counts)), masks=masks)


def values(losses):
    """Each loss as a tensor: the mean over this batch alone."""
    return {name: mean.value for name, mean in losses.items()}


class FixedDetector(torch.nn.Module):
    """Answers every batch with the same look, of the mask set with `mask_answer`."""

    channels = CHANNELS

    def __init__(self, look, mask_answer=None):
        super().__init__()
        self.answers = {"graph": look, "mask": mask_answer}

    def look(self, batch, task, domain="graph", *, masks=True):
        look = self.answers[domain]
        return look if masks else replace(look, regions=replace(look.regions, mask_logits=None))


def encoder(mask_channels, out, *, channels=CHANNELS, side=7, mask_side=MASK_SIDE, width=CHANNELS, dense=6):
    """A small encoder of crops."""
    sizes = {"channels": channels, "side": side, "mask_side": mask_side, "width": width, "dense": dense}
    return CropEncoder(mask_channels=mask_channels, out=out, **sizes)


def box_extractor(nodes, edges, *, masks=0, pair_side=MASK_SIDE, **sizes):
    """Encoders of regions and pairs to vectors of so many numbers, with room for so many mask channels."""
    of_pairs = encoder(LAYOUT_CHANNELS + masks, edges, mask_side=pair_side, **sizes)
    return BoxExtractor(encoder(masks, nodes, **sizes), of_pairs)


def materials(labels_given, *, words=7, node_width=12, pooling=10, counts=None, dropout=0.0, input_dropout=0.0):
    """What a small context model is made from."""
    counts = torch.randint(0, 5, (CLASSES, CLASSES, PREDICATES)) if counts is None else counts
    widths = {"node_width": node_width, "hidden": 16, "pooling": pooling, "position": 4}
    dropped = {"dropout": dropout, "input_dropout": input_dropout}
    return Materials(torch.randn(CLASSES, words), counts, labels_given, **widths, **dropped)


def chunk_of(pairs, side=MASK_SIDE):
    """Pairs as an extractor encodes them together, seeing masks of `side` x `side` cells."""
    unordered, row = torch.unique(pairs.sort(dim=1).values, dim=0, return_inverse=True)
    return PairChunk(pairs, unordered, row, side)
