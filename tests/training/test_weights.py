"""What a training leaves is whole when it is read, or it is named."""

import pytest
import torch
from torch import nn

from segsg.files import DIGESTS, seal
from segsg.training.checkpoint import WEIGHTS, load_weights, save_weights


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    save_weights(nn.Linear(3, 2), tmp_path)
    seal(tmp_path)
    return tmp_path


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_weights_come_back_with_a_seal_and_without(folder):
    torch.manual_seed(0)
    first, second = nn.Linear(3, 2), nn.Linear(3, 2)
    load_weights(second, folder)
    assert torch.equal(first.weight, second.weight) and torch.equal(first.bias, second.bias)
    (folder / DIGESTS).unlink()
    load_weights(nn.Linear(3, 2), folder)


@pytest.mark.parametrize("place", [0, 20, -1, -20])
def test_one_flipped_bit_is_refused_with_what_to_do(folder, place):
    flip(folder / WEIGHTS, place)
    with pytest.raises(ValueError, match=r"model\.safetensors: file: is not what its stage has left .*segsg verify"):
        load_weights(nn.Linear(3, 2), folder)


@pytest.mark.parametrize("left", [0, 5, 100])
def test_a_cut_file_is_named_even_without_a_seal(folder, left):
    (folder / DIGESTS).unlink()
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:left])
    with pytest.raises(ValueError, match=r"model\.safetensors: weights: cannot be used"):
        load_weights(nn.Linear(3, 2), folder)


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"model\.safetensors: weights: cannot be used"):
        load_weights(nn.Linear(3, 2), tmp_path)
