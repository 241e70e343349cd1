"""Photos of which nothing but the size is read: all else of a sample and of a batch is as with the photo."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from segsg.data.coco import MaskSet
from segsg.data.loading import Batches, collate, padded, resize
from segsg.data.photos import MEAN_COLOUR, blank, blank_photo, is_blank, read_photo
from segsg.data.visual_genome import SceneGraphSet
from segsg.files import DataError


def sets(files, *arguments):
    return [SceneGraphSet(*files.write(), "train", *arguments, read=read) for read in READS]


READS = read_photo, blank_photo
EQUAL = ("image_ids", "sizes", "scales", "photo_sizes", "seeds")


def same(one, other):
    """Whether two batches are equal but for their pixels."""
    tensors = all(
        torch.equal(*both)
        for name in ("boxes", "labels", "relations")
        for both in zip(getattr(one, name), getattr(other, name), strict=True)
    )
    return tensors and all(getattr(one, name) == getattr(other, name) for name in EQUAL)


@pytest.mark.parametrize("listed", [(80, 40), (801, 401), (157, 79)])
@pytest.mark.parametrize("sides", [(40, 80), (31, 1000), (600, 73), (97, 97)])
def test_all_but_pixels_is_as_with_the_photo(graph_files, listed, sides):
    for image in graph_files.images:  # most photos are scaled copies of what the list says
        image.update(width=listed[0], height=listed[1])
    batches = [Batches(one, 2, 0, False, [sides[0]], sides[1]).batch(0) for one in sets(graph_files)]
    assert same(*batches)
    assert batches[0].images.shape == batches[1].images.shape and is_blank(batches[1].images)


def test_a_blank_photo_is_the_mean_colour_and_takes_no_memory(graph_files):
    _, unread = sets(graph_files)
    sample = resize(unread[0], 600, 1000)
    batch = collate([sample, resize(unread[1], 300, 1000)])
    assert sample.size == (500, 1000) and is_blank(sample.image)
    wide = padded(batch, 600, 1100)
    for images in (sample.image[None], batch.images, wide.images):
        assert images.untyped_storage().nbytes() == 3
        assert images[-1, :, -1, 0].tolist() == list(MEAN_COLOUR)
    assert wide.images.shape == (2, 3, 600, 1100)


def test_blank_and_real_photos_go_in_one_batch(graph_files):
    read, unread = sets(graph_files)
    mixed, real = collate([unread[0], read[1]]), collate([read[0], read[1]])
    assert torch.equal(mixed.images[1], real.images[1]) and torch.equal(mixed.images[0], blank(1, 64, 96)[0])
    assert not is_blank(real.images)
    assert torch.equal(padded(mixed, 96, 96).images[1, :, :64], real.images[1])


def test_one_stored_pixel_of_another_colour_is_a_photo(graph_files):
    white = torch.full((3, 1, 1), 255, dtype=torch.uint8).expand(3, 40, 80)
    sample = replace(sets(graph_files)[0][0], image=white)
    assert not is_blank(white)
    assert (collate([resize(sample, 20, 40)]).images[0, :, :20, :40] == 255).all()


def test_missing_and_unreadable_photos_are_found(graph_files):
    _, unread = sets(graph_files)
    path = graph_files.folder / "photos" / "11.jpg"
    path.write_bytes(b"no photo")
    with pytest.raises(DataError, match=r"11\.jpg: photo: cannot be decoded"):
        unread[0]
    path.unlink()
    with pytest.raises(DataError, match=r"11\.jpg: photo: is missing"):
        unread[0]
    graph_files.photo("11.jpg", (40, 80))
    with pytest.raises(DataError, match=r"11\.jpg: photo: is \(80, 40\)"):
        unread[0]


def test_a_mask_set_without_pixels(mask_files):
    read, unread = (MaskSet(*mask_files.write(), *more) for more in ((), (blank_photo,)))
    batches = [collate([resize(dataset[0], 30, 50)]) for dataset in (read, unread)]
    assert same(*batches) and torch.equal(batches[0].masks[0], batches[1].masks[0]) and is_blank(batches[1].images)
    Image.new("RGB", (20, 11)).save(mask_files.arguments[1] / "5.png")
    with pytest.raises(DataError, match=r"5\.png: photo: is \(11, 20\)"):
        unread[0]
