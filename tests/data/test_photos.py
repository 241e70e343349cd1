import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from segsg.data import photos
from segsg.data.photos import FORMATS, find_photo, read_photo
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


def test_the_first_frame_of_a_moving_picture(tmp_path):
    frames = [Image.new("RGB", (6, 4), colour) for colour in ((250, 0, 0), (0, 0, 250))]
    frames[0].save(tmp_path / "photo.gif", save_all=True, append_images=frames[1:])
    assert read_photo(tmp_path / "photo.gif")[:, 0, 0].tolist() == [250, 0, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_pixels_of_which_nobody_knows_what_is_white(tmp_path, dtype):
    Image.fromarray(np.ones((4, 5), dtype=dtype)).save(tmp_path / "photo.tif")
    with pytest.raises(DataError, match=r"photo\.tif: photo: cannot be decoded \(pixels of 32 bits"):
        read_photo(tmp_path / "photo.tif")


def test_sixteen_bits_of_both_byte_orders(tmp_path):
    for name, order in (("little.tif", "<u2"), ("big.tif", ">u2")):
        Image.fromarray(np.full((4, 5), 200 * 256, dtype=order)).save(tmp_path / name)
        assert read_photo(tmp_path / name).unique().tolist() == [200]


def test_a_photo_of_too_many_pixels_is_not_decoded(tmp_path, monkeypatch):
    Image.new("1", (50, 40)).save(tmp_path / "photo.png")
    monkeypatch.setattr(photos, "MOST_PIXELS", 1999)
    with pytest.raises(DataError, match="it has 50 x 40 pixels, more than 1999"):
        read_photo(tmp_path / "photo.png")
    monkeypatch.setattr(photos, "MOST_PIXELS", 2000)
    assert read_photo(tmp_path / "photo.png").shape == (3, 40, 50)


@pytest.mark.parametrize(
    "content", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 2 2\n", b"P6 2 2 255 " + bytes(12), b""]
)
def test_only_the_common_formats_are_opened(tmp_path, content):
    (tmp_path / "photo.jpg").write_bytes(content)
    with pytest.raises(DataError, match=r"of no known format.*as BMP, GIF, JPEG, PNG, TIFF, WEBP"):
        read_photo(tmp_path / "photo.jpg")
    assert "EPS" not in FORMATS


@pytest.mark.parametrize("name", ["a" * 300 + ".jpg", "folder"])
def test_a_name_that_no_file_has(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="photo: is missing"):
        find_photo(tmp_path, name)


@pytest.mark.parametrize("kind", ["jpg", "png", "gif", "bmp", "webp", "tif"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_other_bytes_are_a_photo_or_one_line(tmp_path, kind, data):
    path = tmp_path / f"photo.{kind}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 12), dtype=np.uint8)).save(path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        assert read_photo(path).dtype == torch.uint8
    except DataError as error:
        assert str(path) in str(error) and "\n" not in str(error)
