import numpy as np
import pytest
from PIL import Image

from segsg.files import DataError
from segsg.photos.input import read, sample

RED, BLUE = (250, 10, 10), (10, 10, 250)


@pytest.fixture
def upright():
    """Red above, blue below; taller than wide."""
    image = Image.new("RGB", (20, 40), RED)
    image.paste(BLUE, (0, 20, 20, 40))
    return image


def test_a_file_an_image_and_an_array_are_the_same_photo(upright, tmp_path):
    upright.save(tmp_path / "a.png")
    expected = np.asarray(upright)
    for photo in (tmp_path / "a.png", str(tmp_path / "a.png"), upright, expected):
        assert np.array_equal(read(photo), expected)


def test_a_photo_that_the_camera_turned_stands_upright(upright, tmp_path):
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "a.jpg", exif=exif, quality=95)
    pixels = read(tmp_path / "a.jpg")
    assert pixels.shape == (40, 20, 3)
    assert np.abs(pixels.astype(int) - np.asarray(upright)).mean() < 5


def test_transparency_becomes_white_not_what_hides_below(tmp_path):
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png") == 255).all()
    half = read(np.full((3, 3, 4), (0, 0, 0, 128), dtype=np.uint8))
    assert ((half > 120) & (half < 135)).all()


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA"])
def test_every_mode_becomes_three_channels(mode, upright, tmp_path):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    upright.convert(mode).save(path)
    assert read(path).shape == (40, 20, 3)


def test_grey_of_sixteen_bits_keeps_its_greys(tmp_path):
    Image.fromarray(np.full((4, 4), 0x8000, dtype=np.uint16)).save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png") == 0x80).all()
    assert read(np.full((4, 5), 7, dtype=np.uint8)).tolist() == [[[7, 7, 7]] * 5] * 4


def test_a_damaged_file_names_itself(tmp_path, upright):
    (tmp_path / "a.jpg").write_text("no photo")
    with pytest.raises(DataError, match=r"a\.jpg: photo: cannot be decoded \(of no known format\)"):
        read(tmp_path / "a.jpg")
    upright.resize((300, 300)).save(tmp_path / "b.jpg")
    (tmp_path / "b.jpg").write_bytes((tmp_path / "b.jpg").read_bytes()[:900])
    with pytest.raises(DataError, match=r"b\.jpg: photo: cannot be decoded"):
        read(tmp_path / "b.jpg")
    with pytest.raises(DataError, match=r"c\.jpg: photo: no such file; correct the path"):
        read(tmp_path / "c.jpg")


@pytest.mark.parametrize("array", [np.zeros((4, 4, 3)), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8)])
def test_an_array_of_another_kind_is_refused(array):
    with pytest.raises(ValueError, match="a photo is uint8"):
        read(array)


def test_a_sample_has_pixels_and_no_truth(upright):
    made = sample(read(upright))
    assert made.size == (40, 20)
    assert made.image[:, 0, 0].tolist() == list(RED)
    assert (len(made.boxes), len(made.labels), len(made.relations)) == (0, 0, 0)
