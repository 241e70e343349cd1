import numpy as np
import pytest
import torch
from PIL import Image

from segsg.data.photos import read_photo
from segsg.files import DataError


@pytest.mark.parametrize(
    "mode, colour, expected",
    [
        ("RGB", (10, 20, 30), (10, 20, 30)),
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("P", 3, None),
        ("LA", (77, 5), (77, 77, 77)),
        ("RGBA", (10, 20, 30, 5), (10, 20, 30)),
        ("I;16", 200 * 256 + 9, (200, 200, 200)),
    ],
)
def test_every_mode_is_read_as_rgb(tmp_path, mode, colour, expected):
    photo = Image.new(mode, (5, 4), colour)
    if mode == "P":
        photo.putpalette([0] * 9 + [1, 2, 3])
        expected = (1, 2, 3)
    photo.save(tmp_path / "photo.png")
    pixels = read_photo(tmp_path / "photo.png")
    assert pixels.shape == (3, 4, 5) and pixels.dtype == torch.uint8 and pixels.is_contiguous()
    assert pixels[:, 2, 3].tolist() == list(expected)


def test_cmyk_jpeg(tmp_path):
    Image.new("RGB", (16, 16), (200, 40, 90)).convert("CMYK").save(tmp_path / "photo.jpg", quality=95)
    assert (read_photo(tmp_path / "photo.jpg")[:, 8, 8] - torch.tensor([200, 40, 90])).abs().max() < 6


def test_exif_orientation_is_ignored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 4)).save(tmp_path / "photo.jpg", exif=exif)
    assert read_photo(tmp_path / "photo.jpg").shape == (3, 4, 6)


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_a_photo_cut_anywhere_is_an_error(tmp_path, kind):
    path = tmp_path / f"photo.{kind}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(path)
    whole = path.read_bytes()
    for share in (0, 0.01, 0.3, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(DataError, match=f"photo.{kind}: photo: cannot be decoded"):
            read_photo(path)
