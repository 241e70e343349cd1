"""Crops, masks and layouts to vectors."""

import pytest
import torch
from scenes import box_extractor, encoder, make
from torch.nn import functional
from torch.testing import assert_close

from segsg.kernels.boxes import all_pairs, union_boxes
from segsg.kernels.masks import resample
from segsg.models.extractor import fold
from segsg.structures import MASK_SIDE


def extractor(pair_side=14):
    torch.manual_seed(0)
    return box_extractor(5, 4, pair_side=pair_side)


def test_encoder_at_mask_resolution_is_one_convolution_of_concatenated_channels():
    torch.manual_seed(0)
    encode = encoder(2, 4, channels=3, side=MASK_SIDE, width=3)
    crops, masks = torch.randn(2, 3, MASK_SIDE, MASK_SIDE), torch.rand(2, 2, MASK_SIDE, MASK_SIDE)
    weight = torch.cat([encode.fusion.crop.weight, encode.fusion.masks.weight], dim=1)
    fused = functional.conv2d(torch.cat([crops, masks], dim=1), weight, encode.fusion.crop.bias, padding=1)
    assert_close(encode(crops, torch.arange(2), masks), encode.dense(fused.relu()))


@pytest.mark.parametrize("cells", [14, 28])
def test_no_mask_cell_is_lost_at_a_coarse_side(cells):
    torch.manual_seed(0)
    encode = encoder(1, 32, channels=3, mask_side=cells, width=3, dense=32)
    masks = torch.zeros(2, 1, cells, cells)
    masks[0, 0, 13, 8] = masks[1, 0, 13, 9] = 1
    one, other = encode(torch.zeros(1, 3, 7, 7), torch.tensor([0, 0]), masks)
    assert not torch.allclose(one, other)


@pytest.mark.parametrize("cells", [7, 14, 28])
def test_folding_is_pixel_unshuffle(cells):
    masks = torch.rand(2, 3, cells, cells)
    assert torch.equal(fold(masks, 7), functional.pixel_unshuffle(masks, cells // 7))


@pytest.mark.parametrize(("side", "cells"), [(9, 28), (14, 7)])
def test_cells_of_masks_must_fill_those_of_crops(side, cells):
    with pytest.raises(ValueError, match=f"masks of {cells} x {cells} cells cannot be folded into crops of {side}"):
        encoder(1, 4, channels=3, side=side, mask_side=cells)


@pytest.mark.parametrize("pair_side", [7, 14, 28])
def test_pairs_see_both_rectangles_in_their_union_box_subject_first(pair_side):
    look, _ = make([3])
    model, boxes = extractor(pair_side), look.regions.boxes
    seen = []
    model.edges.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[2]))
    pairs = all_pairs(look.regions.image)
    model(look, pairs)
    unions, full = union_boxes(*boxes[pairs].unbind(1)), torch.ones(len(pairs), 1, MASK_SIDE, MASK_SIDE)
    expected = [resample(full, boxes[role], unions, pair_side) for role in pairs.unbind(1)]
    assert_close(seen[0], torch.cat(expected, dim=1), atol=1e-5, rtol=1e-5)


def test_edges_one_by_one_equal_edges_together(monkeypatch):
    look, _ = make([4, 3])
    pairs, model = all_pairs(look.regions.image), extractor()
    whole = model(look, pairs)
    one_by_one = torch.cat([model(look, pair[None]).edges for pair in pairs])
    assert_close(one_by_one, whole.edges)
    assert whole.nodes.shape == (7, 5)
    shuffled = pairs[torch.randperm(len(pairs))]
    for size in (1, 3 * model._bytes()):
        monkeypatch.setattr("segsg.models.extractor.CHUNK_BYTES", size)
        assert_close(model(look, pairs).edges, whole.edges)
        places = [pairs.tolist().index(pair) for pair in shuffled.tolist()]
        assert_close(model(look, shuffled).edges, whole.edges[places])


def test_direction_of_a_pair_matters():
    look, _ = make([2])
    forth, back = extractor()(look, torch.tensor([[0, 1], [1, 0]])).edges
    assert not torch.allclose(forth, back)


def test_nothing_to_encode():
    encoded = extractor()(make([0])[0], torch.zeros(0, 2, dtype=torch.long))
    assert encoded.nodes.shape == (0, 5) and encoded.edges.shape == (0, 4) and encoded.masks is None
