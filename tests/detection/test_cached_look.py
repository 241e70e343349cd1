from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from segsg.detection.backbones import BACKBONES
from segsg.detection.detector import Detector
from segsg.detection.looks import CachedDetector, RaggedReader, RaggedWriter, write_looks
from segsg.detection.proposals import DetectionNumbers
from segsg.files import seal
from segsg.structures import TASKS, Batch

NUMBERS = DetectionNumbers(60, 60, 40, 20, 64, 32, 0.4, 0.26, 0.5, 6, 5)


def some_batch(image_ids: list[int], regions: list[int], sizes: list[tuple[int, int]]) -> Batch:
    g = torch.Generator().manual_seed(image_ids[0])
    boxes = [torch.rand(n, 4, generator=g).sort(1).values[:, [0, 1, 2, 3]] * 40 + torch.arange(4) for n in regions]
    return Batch(
        image_ids,
        torch.randint(0, 255, (len(image_ids), 3, 64, 64), dtype=torch.uint8, generator=g),
        sizes,
        [1.0] * len(image_ids),
        boxes,
        [torch.randint(1, 4, (n,), generator=g) for n in regions],
        [torch.zeros(0, 3, dtype=torch.long)] * len(image_ids),
    )


@pytest.fixture(scope="module")
def batches() -> list[Batch]:
    return [some_batch([7, 3], [2, 0], [(64, 64), (64, 64)]), some_batch([12, 5], [3, 1], [(64, 64), (64, 64)])]


@pytest.fixture(scope="module", params=["resnext-tiny-fpn", "vgg-tiny"])
def detector(request) -> Detector:
    torch.manual_seed(0)
    return Detector(BACKBONES[request.param], 4, 3, NUMBERS)


@pytest.mark.parametrize("task", TASKS)
def test_a_cached_look_is_the_look(detector, batches, task, tmp_path):
    write_looks(detector, batches, tmp_path, task=task)
    cached = CachedDetector(detector, tmp_path)
    for batch in batches:
        look, again = detector.look(batch, task), cached.look(batch, task)
        for level, other in zip(look.features, again.features, strict=True):
            assert level.shape == other.shape
            assert_close(other, level, atol=2e-3, rtol=2e-3)
        for name in ("boxes", "image", "labels", "class_probabilities"):
            assert torch.equal(getattr(again.regions, name), getattr(look.regions, name))
        assert_close(again.regions.mask_logits.sigmoid(), look.regions.mask_logits.sigmoid(), atol=0.016, rtol=0)
        assert_close(again.region_crops(7), look.region_crops(7), atol=4e-3, rtol=4e-3)


def test_a_look_without_masks_is_the_same_but_for_them(detector, batches, tmp_path):
    write_looks(detector, batches, tmp_path, task="sgcls")
    for looking in (detector, CachedDetector(detector, tmp_path)):
        look, without = looking.look(batches[0], "sgcls"), looking.look(batches[0], "sgcls", masks=False)
        assert look.regions.mask_logits is not None and without.regions.mask_logits is None
        assert torch.equal(without.regions.boxes, look.regions.boxes)
        assert torch.equal(without.regions.class_probabilities, look.regions.class_probabilities)
        assert all(torch.equal(*levels) for levels in zip(without.features, look.features, strict=True))


def test_images_may_come_in_another_order(detector, batches, tmp_path):
    write_looks(detector, batches, tmp_path, task="sgcls")
    mixed = replace(
        batches[0],
        image_ids=[5, 7],
        images=torch.stack([batches[1].images[1], batches[0].images[0]]),
        boxes=[batches[1].boxes[1], batches[0].boxes[0]],
        labels=[batches[1].labels[1], batches[0].labels[0]],
    )
    look = CachedDetector(detector, tmp_path).look(mixed, "sgcls")
    assert look.regions.image.tolist() == [0, 1, 1]
    assert_close(look.regions.class_probabilities, detector.look(mixed, "sgcls").regions.class_probabilities)


def test_tasks_share_feature_maps_and_given_regions(detector, batches, tmp_path):
    write_looks(detector, batches, tmp_path, task="predcls")
    written = (tmp_path / "graph-features" / "level0.raw").stat().st_mtime_ns
    write_looks(detector, batches, tmp_path, task="sgdet")
    assert (tmp_path / "graph-features" / "level0.raw").stat().st_mtime_ns == written
    cached = CachedDetector(detector, tmp_path)
    given = {task: cached.look(batches[0], task).regions.class_probabilities for task in ("predcls", "sgcls")}
    assert given["predcls"].max() == 1 and given["sgcls"].max() < 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["graph-detected", "graph-features", "graph-given"]


def test_the_mask_set_has_looks_of_its_own(detector, batches, tmp_path):
    write_looks(detector, batches, tmp_path, task="sgcls", domain="mask")
    cached = CachedDetector(detector, tmp_path)
    assert cached.look(batches[0], "sgcls", "mask").regions.class_probabilities.shape[1] == 4
    with pytest.raises(ValueError, match=r"graph-given.*write_looks"):
        cached.look(batches[0], "sgcls")


def test_a_smaller_image_is_stored_without_its_padding(detector, batches, tmp_path):
    small = some_batch([30], [1], [(40, 64)])
    write_looks(detector, [small], tmp_path, task="sgcls")
    stride = detector.record.strides[0]
    assert RaggedReader(tmp_path / "graph-features").read(30, "level0").shape[:2] == (40 // stride, 64 // stride)
    look, direct = CachedDetector(detector, tmp_path).look(small, "sgcls"), detector.look(small, "sgcls")
    assert look.features[0].shape == direct.features[0].shape
    inside = 40 // stride
    assert_close(look.features[0][:, :, :inside], direct.features[0][:, :, :inside], atol=2e-3, rtol=2e-3)


def test_a_crop_at_the_border_does_not_depend_on_what_else_is_in_the_batch(detector, tmp_path):
    alone = some_batch([30], [2], [(44, 52)])
    alone = replace(alone, boxes=[torch.tensor([[3.0, 5.0, 52.0, 44.0], [30.0, 20.0, 52.0, 40.0]])])
    other = some_batch([31], [1], [(64, 64)])
    write_looks(detector, [alone, other], tmp_path, task="sgcls")
    cached = CachedDetector(detector, tmp_path)
    with_neighbour = replace(
        alone,
        **{name: getattr(alone, name) + getattr(other, name) for name in ("image_ids", "sizes", "scales", "boxes")},
        labels=alone.labels + other.labels,
        relations=alone.relations + other.relations,
        images=torch.cat([alone.images, other.images]),
    )
    narrow = replace(alone, images=alone.images[..., :44, :52])
    crops = [cached.look(batch, "sgcls").region_crops(7)[:2] for batch in (with_neighbour, narrow)]
    assert_close(*crops, atol=1e-5, rtol=1e-5)


def test_two_images_of_one_id_are_an_error(tmp_path):
    writer = RaggedWriter(tmp_path / "some")
    writer.add(9, {"a": np.zeros(2)})
    with pytest.raises(ValueError, match="two images have the id 9; give each photo of a set an id of its own"):
        writer.add(9, {"a": np.ones(2)})


def test_mirrored_or_unknown_images_are_an_error(detector, batches, tmp_path):
    write_looks(detector, batches[:1], tmp_path, task="sgcls")
    cached = CachedDetector(detector, tmp_path)
    with pytest.raises(ValueError, match="image 12"):
        cached.look(batches[1], "sgcls")
    mirrored = replace(batches[0], boxes=[64 - b[:, [2, 1, 0, 3]] for b in batches[0].boxes])
    with pytest.raises(ValueError, match="without flipping"):
        cached.look(mirrored, "sgcls")


def test_a_baseline_has_no_mask_logits(batches, tmp_path):
    detector = Detector(BACKBONES["vgg-tiny"], 4, None, NUMBERS)
    write_looks(detector, batches, tmp_path, task="sgcls")
    assert CachedDetector(detector, tmp_path).look(batches[0], "sgcls").regions.mask_logits is None


def test_ragged_arrays_come_back_as_they_were(tmp_path):
    arrays = {9: np.arange(6.0).reshape(2, 3), 4: np.zeros((0, 3)), 1: np.ones((1, 3))}
    writer = RaggedWriter(tmp_path / "some")
    for key, array in arrays.items():
        writer.add(key, {"a": array})
    assert not (tmp_path / "some").exists()
    writer.close()
    reader = RaggedReader(tmp_path / "some")
    for key, array in arrays.items():
        assert np.array_equal(reader.read(key, "a"), array)
    with pytest.raises(ValueError, match="image 5"):
        reader.read(5, "a")


def test_one_flipped_bit_of_a_stored_array_is_refused_when_that_is_read(tmp_path):
    folder = tmp_path / "look" / "fpn" / "some"
    writer = RaggedWriter(folder)
    for key in (3, 5):
        writer.add(key, {"a": np.arange(key, dtype=np.float32)})
    writer.close()
    content = bytearray((folder / "a.raw").read_bytes())
    content[-1] ^= 1
    (folder / "a.raw").write_bytes(content)
    reader = RaggedReader(folder)
    assert reader.read(3, "a").tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match=r"a\.raw: image 5: is not what was written; delete .*look/fpn "):
        reader.read(5, "a")


def test_a_sealed_index_that_has_changed_is_refused(tmp_path):
    writer = RaggedWriter(tmp_path / "some")
    writer.add(3, {"a": np.ones(2)})
    writer.close()
    seal(tmp_path)
    index = tmp_path / "some" / "index.json"
    index.write_text(index.read_text().replace("3", "4", 1))
    with pytest.raises(ValueError, match=r"index\.json: file: is not what its stage has left"):
        RaggedReader(tmp_path / "some")


def test_an_array_is_compared_with_its_checksum_once(tmp_path):
    writer = RaggedWriter(tmp_path / "some")
    writer.add(3, {"a": np.zeros(2, dtype=np.float32)})
    writer.close()
    reader = RaggedReader(tmp_path / "some")
    reader.read(3, "a")
    (tmp_path / "some" / "a.raw").write_bytes(np.ones(2, dtype=np.float32).tobytes())
    reader.read(3, "a")
    with pytest.raises(ValueError, match="image 3: is not what was written"):
        RaggedReader(tmp_path / "some").read(3, "a")


def test_a_look_is_what_is_stored_to_the_last_bit(detector, tmp_path):
    several = [some_batch([30, 31, 32], [1, 0, 2], [(44, 52), (64, 64), (64, 36)])]
    write_looks(detector, several, tmp_path, task="sgcls")
    look = CachedDetector(detector, tmp_path).look(several[0], "sgcls")
    regions, maps = (RaggedReader(tmp_path / f"graph-{name}") for name in ("given", "features"))
    logits = np.concatenate([regions.read(image, "mask_logits") for image in (30, 31, 32)])
    assert np.array_equal(look.regions.mask_logits.numpy(), logits.astype(np.float32) / 8)
    for level, seen in enumerate(look.features):
        for image, map_ in zip((30, 31, 32), seen.permute(0, 2, 3, 1).numpy(), strict=True):
            stored = maps.read(image, f"level{level}")
            margins = [(0, whole - part) for whole, part in zip(map_.shape, stored.shape, strict=True)]
            assert np.array_equal(map_, np.pad(stored, margins, mode="edge").astype(np.float32))
