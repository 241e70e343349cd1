import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_masks

from segsg.data import coco_file
from segsg.data.coco import MaskSet
from segsg.data.coco_file import run_lengths
from segsg.data.views import without_images
from segsg.files import DataError


def annotation(files, place=0, **values):
    files.record["annotations"][place].update(values)


def test_images_without_instances_are_for_judging_only(mask_files):
    masks = MaskSet(*mask_files.write())
    assert masks.image_ids == [5, 6, 7]
    trained = masks.with_instances()
    assert trained.image_ids == [5] and trained[0].image_id == 5 and trained[0].size == (10, 20)
    assert masks.vocabulary.classes == ("bicycle", "dog") and masks.vocabulary.predicates == ()


def test_crowds_are_apart_from_instances(mask_files):
    masks = MaskSet(*mask_files.write())
    for empty in (masks.annotation(1), masks.annotation(2), masks.crowds(0), masks.crowds(1)):
        assert [part.shape for part in empty] == [(0, 4), (0,), (0, 10, 20)]
    boxes, labels, crowd = masks.crowds(2)
    assert boxes.tolist() == [[0, 0, 1, 10]] and labels.tolist() == [1] and crowd.shape == (1, 10, 20)
    assert masks[2].masks.shape == (0, 10, 20) and masks[2].labels.dtype == torch.int64


def test_a_sample_has_boxes_labels_and_masks_in_file_order(mask_files):
    sample = MaskSet(*mask_files.write())[0]
    assert sample.boxes.tolist() == [[2, 1, 6, 7], [1, 0, 2, 10]]
    assert sample.labels.tolist() == [2, 1]
    assert sample.relations.shape == (0, 3)
    polygon, runs = sample.masks
    expected = torch.zeros(10, 20, dtype=torch.bool)
    expected[1:7, 2:6] = True
    assert torch.equal(polygon, expected)
    expected = torch.zeros(10, 20, dtype=torch.bool)
    expected[:, 1] = True
    assert torch.equal(runs, expected)


def test_compressed_runs_and_several_polygons(mask_files):
    truth = np.zeros((10, 20), dtype=np.uint8, order="F")
    truth[2:5, 3:9] = 1
    runs = coco_masks.encode(truth)
    annotation(mask_files, 0, segmentation={"size": runs["size"], "counts": runs["counts"].decode()})
    annotation(mask_files, 1, segmentation=[[0, 0, 2, 0, 2, 2, 0, 2], [10, 5, 14, 5, 14, 9, 10, 9]])
    masks = MaskSet(*mask_files.write())[0].masks
    assert torch.equal(masks[0], torch.from_numpy(truth.astype(bool)))
    assert masks[1].sum() == 4 + 16


def test_boxes_without_height_are_no_instances(mask_files):
    annotation(mask_files, 0, bbox=[2, 1, 4, 0])
    assert MaskSet(*mask_files.write())[0].labels.tolist() == [1]


def test_boxes_are_clipped_to_the_photo(mask_files):
    annotation(mask_files, 0, bbox=[-1, 1, 30, 6])
    assert MaskSet(*mask_files.write()).annotation(0)[0][0].tolist() == [0, 1, 20, 7]


def test_without_images_that_another_set_has(mask_files):
    annotation(mask_files, 2, iscrowd=0)
    left = without_images(MaskSet(*mask_files.write()).with_instances(), {5, 99})
    assert left.image_ids == [7] and len(left) == 1 and left[0].image_id == 7


NAN = float("nan")
BAD = {
    "no images": (lambda files: files.record.pop("images"), "file: has no list 'images'"),
    "image without name": (lambda files: files.record["images"][1].pop("file_name"), "image 6: has no 'file_name'"),
    "image of no size": (lambda files: files.record["images"][1].update(width=0), "image 6: 'width' is 0, less than 1"),
    "copied image": (lambda files: files.record["images"][1].update(id=5), "image 5: appears more than once"),
    "copied annotation": (lambda files: annotation(files, 1, id=1), "annotation 1: appears more than once"),
    "copied category": (lambda files: files.record["categories"][1].update(id=18), "category 18: appears more than"),
    "no id": (lambda files: files.record["annotations"][1].pop("id"), "annotation at place 1: has no 'id'"),
    "category": (lambda files: annotation(files, 1, category_id=3), "annotation 2: category 3 is not in"),
    "image": (lambda files: annotation(files, 1, image_id=9), "annotation 2: image 9 is not in"),
    "polygon": (lambda files: annotation(files, segmentation=[[1, 1, 2, 2]]), "annotation 1: a polygon needs"),
    "odd polygon": (lambda files: annotation(files, segmentation=[[1, 1, 2, 2, 3, 3, 4]]), "a polygon needs"),
    "no polygon": (lambda files: annotation(files, segmentation=[]), "a polygon needs"),
    "number": (lambda files: annotation(files, segmentation=3), "annotation 1: 'segmentation' is 3"),
    "runs of another size": (
        lambda files: annotation(files, 1, segmentation={"size": [20, 10], "counts": [200]}),
        r"annotation 2: run lengths are for size \(20, 10\), the image is \(10, 20\)",
    ),
    "runs too short": (
        lambda files: annotation(files, 2, segmentation={"size": [10, 20], "counts": [5, 5]}),
        "annotation 3: run lengths cover 10 pixels of 200",
    ),
    "negative box": (lambda files: annotation(files, bbox=[2, 1, -4, 6]), "annotation 1: bbox .* is not x, y"),
    "polygon of null": (lambda files: annotation(files, segmentation=[[None, 1, 6, 1, 6, 7]]), "all finite, in a flat"),
    "polygon of nan": (lambda files: annotation(files, segmentation=[[NAN, 1, 6, 1, 6, 7]]), "all finite, in a flat"),
    "polygon of words": (lambda files: annotation(files, segmentation=[["2", 1, 6, 1, 6, 7]]), "all finite, in a flat"),
    "polygon of truth values": (lambda files: annotation(files, segmentation=[[True, 1, 6, 1, 6, 7]]), "all finite"),
    "polygon of pairs": (lambda files: annotation(files, segmentation=[[[2, 1]] * 6]), "all finite, in a flat list"),
    "flat polygon": (lambda files: annotation(files, segmentation=[2, 1, 6, 1, 6, 7]), "all finite, in a flat list"),
    "polygon outside": (
        lambda files: annotation(files, segmentation=[[100, 100, 120, 100, 120, 120]]),
        "a polygon from .* lies outside its image",
    ),
    "endless polygon": (lambda files: annotation(files, segmentation=[[0, 0, 1e9, 0, 1e9, 1e9]]), "lies outside its"),
    "box of nan": (lambda files: annotation(files, bbox=[NAN, 1, 4, 6]), "annotation 1: bbox .* is not x, y"),
    "box of truth values": (lambda files: annotation(files, bbox=[True, 1, 4, 6]), "annotation 1: bbox .* is not x, y"),
    "box outside": (lambda files: annotation(files, bbox=[100, 100, 4, 6]), "annotation 1: bbox .* lies outside its"),
    "crowd list": (
        lambda files: annotation(files, iscrowd=[0]),
        r"'iscrowd' is \[0\], not a whole number",
    ),
    "crowd word": (lambda files: annotation(files, iscrowd="0"), "annotation 1: 'iscrowd' is '0', not a whole number"),
    "crowd share": (lambda files: annotation(files, iscrowd=1.0), "annotation 1: 'iscrowd' is 1.0, not a whole number"),
    "runs of words": (
        lambda files: annotation(files, segmentation={"size": [10, 20], "counts": ["0", "200"]}),
        "annotation 1: run lengths are not whole numbers from 0",
    ),
    "negative runs": (
        lambda files: annotation(files, segmentation={"size": [10, 20], "counts": [205, -5]}),
        "annotation 1: run lengths are not whole numbers from 0",
    ),
    "compressed runs too long": (
        lambda files: annotation(files, segmentation={"size": [10, 20], "counts": "PPPPo0"}),
        "annotation 1: run lengths",
    ),
    "compressed runs of other text": (
        lambda files: annotation(files, segmentation={"size": [10, 20], "counts": "abc"}),
        "annotation 1: run lengths",
    ),
    "no compressed runs": (
        lambda files: annotation(files, segmentation={"size": [10, 20], "counts": ""}),
        "annotation 1: run lengths cover 0 pixels of 200",
    ),
    "size of words": (
        lambda files: annotation(files, segmentation={"size": ["10", "20"], "counts": [200]}),
        "annotation 1: run lengths are for size",
    ),
    "two categories of one name": (
        lambda files: files.record["categories"][1].update(name=files.record["categories"][0]["name"]),
        "category: 'dog': appears more than once",
    ),
    "photo above its folder": (
        lambda files: files.record["images"][0].update(file_name="../secret.png"),
        r"image 5: file_name '\.\./secret\.png' lies outside",
    ),
    "photo anywhere": (
        lambda files: files.record["images"][0].update(file_name="/etc/hostname"),
        "image 5: file_name '/etc/hostname' lies outside",
    ),
    "id of true": (
        lambda files: annotation(files, 1, id=True),
        "annotation at place 1: 'id' is True, not a whole number",
    ),
    "id of a share": (lambda files: annotation(files, 1, image_id=5.0), "annotation 2: 'image_id' is 5.0, not a whole"),
    "id beyond 64 bits": (
        lambda files: files.record["images"][0].update(id=2**63),
        "image at place 0: 'id' is .*, more",
    ),
    "category beyond": (lambda files: annotation(files, category_id=10**30), "annotation 1: 'category_id' is .*, more"),
    "number beyond floats": (
        lambda files: annotation(files, bbox=[10**400, 1, 4, 6]),
        "annotation 1: bbox .* is not x, y",
    ),
    "box without end": (
        lambda files: annotation(files, bbox=[0, 1, float("inf"), 6]),
        "annotation 1: bbox .* is not x, y",
    ),
    "image of billions of pixels": (
        lambda files: files.record["images"][0].update(width=10**6, height=10**6),
        "image 5: has more than 89478485 pixels",
    ),
    "runs of billions of pixels": (
        lambda files: annotation(files, 1, segmentation={"size": [10**6, 10**6], "counts": [10**12]}),
        r"annotation 2: run lengths are for size \[1000000, 1000000\], which is no height",
    ),
    "two entries of one photo": (
        lambda files: files.record["images"][1].update(file_name="5.png"),
        r"photo '5\.png': appears more than once",
    ),
    "photo of two lines": (
        lambda files: files.record["images"][0].update(file_name="a\n.png"),
        "image 5: .* is no name",
    ),
    "category without name": (lambda files: files.record["categories"][0].update(name=" "), "' ' is no name"),
    "background": (lambda files: files.record["categories"][0].update(name="background"), "is the name of label 0"),
    "no list of annotations": (lambda files: files.record.update(annotations={}), "file: has no list 'annotations'"),
    "entries that are no objects": (lambda files: files.record["annotations"].append(3), "at place 3: has no 'id'"),
    "short box": (lambda files: annotation(files, bbox=[2, 1, 4]), "annotation 1: bbox .* is not x, y"),
}


@pytest.mark.parametrize("change, message", BAD.values(), ids=BAD)
def test_bad_files(mask_files, change, message):
    change(mask_files)
    with pytest.raises(DataError, match=message):
        MaskSet(*mask_files.write())


def test_a_missing_photo(mask_files):
    masks = MaskSet(*mask_files.write())
    (mask_files.folder / "photos" / "5.png").unlink()
    with pytest.raises(DataError, match=r"5\.png: photo: is missing"):
        masks[0]


def test_a_photo_of_another_size(mask_files):
    masks = MaskSet(*mask_files.write())
    Image.new("RGB", (10, 20)).save(mask_files.folder / "photos" / "5.png")
    with pytest.raises(DataError, match=r"5\.png: photo: is \(20, 10\)"):
        masks[0]


def test_real_masks_lie_in_their_boxes(real):
    masks = MaskSet(real / "coco" / "annotations" / "instances_val2017.json", real / "coco" / "images")
    assert (
        len(masks) == 32
        and len(masks.with_instances()) == 30
        and len(masks.vocabulary.classes) == 80
        and masks.vocabulary.class_name(80) == "toothbrush"
    )
    assert sum(len(masks.annotation(index)[1]) for index in range(len(masks))) == 245
    assert sum(len(masks.crowds(index)[1]) for index in range(len(masks))) == 4
    sample = masks.with_instances()[3]
    for box, mask in zip(sample.boxes, sample.masks, strict=True):
        rows, columns = mask.nonzero().unbind(1)
        found = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        assert (found - box).abs().max() < 5


@given(st.lists(st.integers(0, 2**20), min_size=1, max_size=12))
def test_compressed_run_lengths_are_those_that_pycocotools_wrote(lengths):
    pixels = sum(lengths)
    runs = coco_masks.frPyObjects({"size": [1, pixels], "counts": lengths}, 1, pixels)
    assert run_lengths(runs["counts"].decode()) == lengths


def test_a_photo_in_a_format_of_another_program_is_not_opened(mask_files):
    masks = MaskSet(*mask_files.write())
    (mask_files.folder / "photos" / "5.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 10\n{} loop\n"
    )
    with pytest.raises(DataError, match=r"5\.png: photo: cannot be decoded"):
        masks[0]


def test_what_nobody_uses_may_be_anything(mask_files):
    annotation(mask_files, area=NAN, score=None)
    mask_files.record["info"] = {"year": NAN}
    mask_files.record["licenses"] = [[], "x", NAN]
    assert len(MaskSet(*mask_files.write())[0].labels) == 2


def test_masks_of_an_image_that_would_fill_the_memory(mask_files, monkeypatch):
    monkeypatch.setattr(coco_file, "MOST_MASK_PIXELS", 400)
    assert len(MaskSet(*mask_files.write())) == 3
    monkeypatch.setattr(coco_file, "MOST_MASK_PIXELS", 399)
    with pytest.raises(DataError, match="annotation 1: is one of so many in its image that their masks take 400 bytes"):
        MaskSet(*mask_files.write())


@pytest.mark.parametrize(("corners", "refused"), [(10_000, False), (400_000, True)])
def test_an_outline_that_would_fill_the_memory(mask_files, corners, refused):
    """To and fro over 20 pixels: 100 points a corner."""
    annotation(mask_files, segmentation=[[0, 0, 20, 10] * (corners // 2)])
    if refused:
        with pytest.raises(DataError, match="annotation 1: the outlines of its polygons are too long to be drawn"):
            MaskSet(*mask_files.write())
    else:
        assert MaskSet(*mask_files.write()).annotation(0)[2].shape == (2, 10, 20)


def test_polygons_are_drawn_from_the_numbers_of_the_file(mask_files):
    polygons = [[2.25, 1.5, 6.1, 1, 6, 7.75], [0.333333333333, 0, 9, 0, 9, 9, 0, 9]]
    annotation(mask_files, segmentation=polygons)
    runs = coco_masks.merge(coco_masks.frPyObjects(polygons, 10, 20))
    masks = MaskSet(*mask_files.write()).annotation(0)[2]
    assert np.array_equal(masks[0].numpy(), coco_masks.decode(runs).astype(bool))


def test_an_annotation_without_width_is_left_out_and_said(mask_files):
    mask_files.record["annotations"][0]["bbox"][2] = 0
    masks = MaskSet(*mask_files.write())
    assert [len(masks.annotation(index)[0]) for index in range(3)] == [1, 0, 0]
    assert [remark.partition(": ")[2] for remark in masks.remarks] == [
        "1 annotations without width or height, left out"
    ]
