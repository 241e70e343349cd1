"""Crops, masks and layouts to vectors."""

import pytest
import torch
from scenes import crop, make
from torch.nn import functional
from torch.testing import assert_close

from segsg.kernels.boxes import all_pairs, union_boxes
from segsg.models.extractor import LAYOUT_CHANNELS, MASK_SIDE, BoxExtractor, CropEncoder, fold, layout, shared_boxes


def extractor(side=7):
    torch.manual_seed(0)
    return BoxExtractor(crop, CropEncoder(8, 0, side, 8, 6, 5), CropEncoder(8, LAYOUT_CHANNELS, side, 8, 6, 4))


def test_encoder_at_mask_resolution_is_one_convolution_of_concatenated_channels():
    torch.manual_seed(0)
    encoder = CropEncoder(3, 2, MASK_SIDE, 3, 6, 4)
    crops, masks = torch.randn(2, 3, MASK_SIDE, MASK_SIDE), torch.rand(2, 2, MASK_SIDE, MASK_SIDE)
    weight = torch.cat([encoder.fusion.crop.weight, encoder.fusion.masks.weight], dim=1)
    fused = functional.conv2d(torch.cat([crops, masks], dim=1), weight, encoder.fusion.crop.bias, padding=1)
    assert_close(encoder(crops, torch.arange(2), masks), encoder.dense(fused.relu()))


def test_no_mask_cell_is_lost_at_a_coarse_side():
    torch.manual_seed(0)
    encoder = CropEncoder(3, 1, 7, 3, 32, 32)
    masks = torch.zeros(2, 1, MASK_SIDE, MASK_SIDE)
    masks[0, 0, 13, 8] = masks[1, 0, 13, 9] = 1
    one, other = encoder(torch.zeros(1, 3, 7, 7), torch.tensor([0, 0]), masks)
    assert not torch.allclose(one, other)


def test_folding_is_pixel_unshuffle():
    masks = torch.rand(2, 3, MASK_SIDE, MASK_SIDE)
    assert torch.equal(fold(masks, 7), functional.pixel_unshuffle(masks, 4))


def test_side_must_divide_the_mask():
    with pytest.raises(ValueError, match="use 7, 14 or 28"):
        CropEncoder(3, 1, 9, 3, 4, 4)


def test_pairs_share_the_crop_of_their_union_box():
    unordered, rows = shared_boxes(torch.tensor([[2, 0], [1, 0], [0, 2]]))
    assert unordered.tolist() == [[0, 1], [0, 2]] and rows.tolist() == [1, 0, 1]


def test_layout_tells_subject_from_object():
    subjects, objects = torch.tensor([[0.0, 0, 28, 14]]), torch.tensor([[0.0, 14, 28, 28]])
    drawn = layout(subjects, objects, union_boxes(subjects, objects))
    assert_close(drawn[0, 0], torch.cat([torch.ones(14, 28), torch.zeros(14, 28)]))
    assert_close(drawn[0, 1], 1 - drawn[0, 0])


def test_edges_one_by_one_equal_edges_together(monkeypatch):
    look, _ = make([4, 3])
    pairs, model = all_pairs(look.regions.image), extractor()
    nodes, edges = model(look, pairs)
    monkeypatch.setattr("segsg.models.extractor.PAIRS_AT_ONCE", 5)
    assert_close(model(look, pairs)[1], edges)
    one_by_one = torch.cat([model(look, pair[None])[1] for pair in pairs])
    assert_close(one_by_one, edges)
    assert nodes.shape == (7, 5)


def test_direction_of_a_pair_matters():
    look, _ = make([2])
    forth, back = extractor()(look, torch.tensor([[0, 1], [1, 0]]))[1]
    assert not torch.allclose(forth, back)


def test_nothing_to_encode():
    nodes, edges = extractor()(make([0])[0], torch.zeros(0, 2, dtype=torch.long))
    assert nodes.shape == (0, 5) and edges.shape == (0, 4)
