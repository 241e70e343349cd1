"""Rows with `edges: contact`: one network for every source of masks, every form of masks and every backbone."""

from dataclasses import replace

import pytest
import torch
from made_graphs import MINI
from made_results import GROUNDING

from segsg.kernels.boxes import all_pairs
from segsg.photos.bundle import read_manifest
from segsg.structures import Look, Regions, one_hot
from segsg.study.facts import Facts
from segsg.study.models import grounded_extractor
from segsg.study.params import Grounding

SOURCES = ("transferred", "rectangles", "shuffled", "zero", "oracle")
LEVELS = {"fpn": (64, (4, 8, 16)), "vgg": (128, (16,))}
"""channels and strides of the feature maps of a backbone"""


@pytest.fixture(scope="module")
def known():
    return Facts.load(MINI / "facts")


@pytest.fixture(scope="module")
def network():
    return read_manifest(MINI).numbers.network


def extractor(known, network, maps=64, **changes):
    torch.manual_seed(0)
    return grounded_extractor(known, network, Grounding(**GROUNDING | {"edges": "contact"} | changes), maps)


def look_of(known, levels, mask_classes):
    torch.manual_seed(1)
    channels, strides = LEVELS[levels]
    corner = torch.rand(5, 2) * 60
    labels = torch.randint(1, known.classes, (5,))
    regions = Regions(
        torch.cat([corner, corner + 10 + corner.flip(0)], dim=1),
        torch.tensor([0, 0, 0, 1, 1]),
        labels,
        one_hot(labels, known.classes),
        [(128, 128)] * 2,
        torch.randn(5, mask_classes, 28, 28),
    )
    return Look([torch.randn(2, channels, 128 // s, 128 // s) for s in strides], regions, strides, 14)


@pytest.mark.parametrize("channels", [0, 2])
def test_all_sources_of_masks_have_one_network(channels, known, network):
    def shapes(masks):
        made = extractor(known, network, masks=masks, channels=channels)
        return {name: tuple(value.shape) for name, value in made.named_parameters()}

    transferred = shapes("transferred")
    assert all(shapes(masks) == transferred for masks in SOURCES)
    assert transferred["boxes.edges.contact.weight"] == ((network.fused + 1) // 2, 2 * 4**2, 3, 3)


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("channels", [0, 2])
@pytest.mark.parametrize("masks", SOURCES)
def test_every_source_of_masks_gives_edges(masks, channels, levels, known, network):
    look = look_of(known, levels, 1 if masks == "oracle" else len(known.mask_names))
    made = extractor(known, network, LEVELS[levels][0], masks=masks, channels=channels)
    pairs = all_pairs(look.regions.image)
    edges = made(look, pairs).edges
    assert edges.shape == (8, network.pooling) and edges.isfinite().all()
    other = replace(look, regions=replace(look.regions, mask_logits=-look.regions.mask_logits))
    assert torch.equal(made(other, pairs).edges, edges) == (masks in ("rectangles", "zero"))


def test_the_contact_frame_adds_two_weights_and_leaves_the_nodes_as_they_are(known, network):
    made = {edges: extractor(known, network, edges=edges).state_dict() for edges in ("gaussian", "contact")}
    nodes = [name for name in made["gaussian"] if name.startswith("boxes.nodes.")]
    assert nodes and all(torch.equal(made["gaussian"][name], made["contact"][name]) for name in nodes)
    own = made["contact"].keys() - made["gaussian"].keys()
    assert {name for name in own if not name.startswith("pair_masks.united.")} == {
        "boxes.edges.contact.weight",
        "boxes.edges.contact.bias",
    }
