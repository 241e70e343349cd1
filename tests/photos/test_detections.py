"""Files of detections: each format says the same, each photo finds its own, each bad value is one clear line."""

import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_masks

from segsg.files import DataError
from segsg.photos.finders.detections import read_detections
from segsg.photos.finders.entries import MOST_REGIONS
from segsg.photos.found import nothing
from segsg.photos.graph import runs_of

SIZE = (40, 80)
"""(height, width)"""
MASK = np.zeros(SIZE, dtype=bool)
MASK[10:30, 8:24] = True
RUNS = runs_of(MASK)
POLYGON = [8, 10, 24, 10, 24, 30, 8, 30]


def written(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def result(**changes):
    return {"image_id": 7, "category_id": 18, "bbox": [8, 10, 16, 20], "score": 0.9, "segmentation": RUNS} | changes


def region(**changes):
    return {"class": "dog", "box": [8, 10, 24, 30], "score": 0.9, "mask": RUNS} | changes


def truth(rows):
    images = [{"id": 7, "file_name": "dog.jpg", "height": 40, "width": 80}]
    return {"images": images, "annotations": rows, "categories": [{"id": 18, "name": "dog"}]}


def is_the_dog(found, masked=True):
    assert found.names == ("dog",)
    np.testing.assert_allclose(found.scores, [0.9])
    np.testing.assert_allclose(found.boxes, [[8, 10, 24, 30]], atol=1e-9)
    assert (found.masks[0] is not None) == masked
    if masked:
        np.testing.assert_array_equal(coco_masks.decode(found.masks[0]).astype(bool), MASK)


@pytest.mark.parametrize("mask", [RUNS, [POLYGON], {"size": [40, 80], "counts": [330, *[20, 20] * 15, 20, 2250]}])
@pytest.mark.parametrize(
    ("content", "photo"),
    [
        (lambda mask: [result(segmentation=mask)], "000007.jpg"),
        (lambda mask: truth([result(segmentation=mask)]), "dog.jpg"),
        (lambda mask: {"dog.jpg": [region(mask=mask)]}, "dog.jpg"),
    ],
    ids=["results", "dataset", "plain"],
)
def test_all_json_formats_say_the_same(content, photo, mask, tmp_path):
    file = written(tmp_path / "d.json", content(mask))
    is_the_dog(read_detections(file).found(tmp_path / "photos" / photo, SIZE))


def test_a_folder_of_yolo_says_the_same_without_masks(tmp_path):
    written(tmp_path / "labels" / "dog.txt", "16 0.2 0.5 0.2 0.5 0.9\n\n")
    is_the_dog(read_detections(tmp_path / "labels").found(tmp_path / "dog.jpg", SIZE), masked=False)


@pytest.mark.parametrize("first", ["classes.txt", "--classes"])
def test_yolos_classes_count_from_zero_and_cocos_from_one(first, tmp_path):
    names = written(tmp_path / "labels" / "classes.txt" if first == "classes.txt" else tmp_path / "n.txt", "cat\ndog\n")
    written(tmp_path / "labels" / "dog.txt", "1 0.2 0.5 0.2 0.5 0.9")
    given = None if first == "classes.txt" else names
    is_the_dog(read_detections(tmp_path / "labels", given).found(Path("dog.jpg"), SIZE), masked=False)
    file = written(tmp_path / "r.json", [result(category_id=2)])
    is_the_dog(read_detections(file, names).found(Path("7.jpg"), SIZE))


def test_a_coco_file_of_classes_also_names_photos(tmp_path):
    file = written(tmp_path / "r.json", [result()])
    classes = written(tmp_path / "c.json", {key: truth([])[key] for key in ("images", "categories")})
    detections = read_detections(file, classes)
    is_the_dog(detections.found(Path("dog.jpg"), SIZE))
    assert detections.key(Path("7.jpg")) is None


def test_a_photo_is_found_by_the_longest_end_of_its_path(tmp_path):
    entries = {"a/x.jpg": [region()], "b/x.jpg": [], "y.jpg": [region()]}
    detections = read_detections(written(tmp_path / "d.json", entries))
    assert detections.key(Path("/photos/a/x.jpg")) == "a/x.jpg"
    assert detections.key(Path("/elsewhere/y.jpg")) == "y.jpg"
    assert detections.missing([Path("/photos/a/x.jpg"), Path("/photos/z.jpg")]) == (1, 2)
    with pytest.raises(DataError, match="is in several folders"):
        detections.key(Path("/photos/c/x.jpg"))
    with pytest.raises(DataError, match=r"'y\.jpg': is the name of .*write their folders"):
        detections.keys([Path("/p/y.jpg"), Path("/q/y.jpg")])


def test_a_photo_without_entry_has_nothing_and_an_empty_file_says_nothing(tmp_path):
    for content in ({}, []):
        detections = read_detections(written(tmp_path / "d.json", content))
        assert len(detections) == 0
        assert detections.found(Path("7.jpg"), SIZE).names == nothing().names
        assert detections.missing([Path("7.jpg")]) == (1, 0)


def test_regions_are_surest_first_clipped_and_at_most_so_many(tmp_path):
    many = [region(score=k / 200, box=[-3, 5, 90, 50], mask=None) for k in range(MOST_REGIONS + 5)]
    flat = region(box=[5, 5, 5, 20], mask=None)
    detections = read_detections(written(tmp_path / "d.json", {"x.jpg": [*many, flat]}))
    found = detections.found(Path("x.jpg"), SIZE)
    assert len(found) == MOST_REGIONS
    assert found.scores[0] == 104 / 200
    assert (np.diff(found.scores) < 0).all()
    np.testing.assert_array_equal(found.boxes[0], [0, 5, 80, 40])
    assert [line.split(": ")[1][:9] for line in detections.remarks()] == ["1 regions", "5 regions"]


def test_without_score_a_person_drew_it(tmp_path):
    row = region()
    del row["score"], row["mask"]
    assert read_detections(written(tmp_path / "d.json", {"x.jpg": [row]})).found(Path("x.jpg"), SIZE).scores == [1.0]


def test_crowds_are_no_regions(tmp_path):
    file = written(tmp_path / "d.json", truth([result(iscrowd=1), result(iscrowd=0)]))
    assert len(read_detections(file).found(Path("dog.jpg"), SIZE)) == 1


NAN, HUGE = float("nan"), 10**400
BAD_RESULTS = [
    ({"image_id": "7"}, "'image_id' is '7', not a whole number"),
    ({"image_id": -1}, "less than 0"),
    ({"category_id": 12}, "category 12 is none of COCO's 80 classes; name the classes with --classes"),
    ({"category_id": True}, "not a whole number"),
    ({"bbox": [1, 2, 3]}, "not four finite numbers"),
    ({"bbox": [1, 2, NAN, 3]}, "not four finite numbers"),
    ({"bbox": [1, 2, HUGE, 3]}, "not four finite numbers"),
    ({"bbox": [1, 2, -3, 3]}, "is not x, y, width, height"),
    ({"score": 90}, "not a number from 0 to 1; give probabilities"),
    ({"score": None}, "not a number from 0 to 1"),
    ({"segmentation": [[1, 2, 3]]}, "a polygon is a flat list"),
    ({"segmentation": [[1, 2, 3, NAN, 5, 6]]}, "a polygon is a flat list"),
    ({"segmentation": "x"}, "a polygon is a flat list"),
    ({"segmentation": {"size": [40, 80], "counts": "~~"}}, "run lengths are not whole numbers"),
    ({"segmentation": {"size": [40, 80], "counts": [5]}}, "cover 5 pixels of 3200"),
    ({"segmentation": {"size": [-40, 80], "counts": [5]}}, "no height and width"),
    ({"segmentation": {"counts": [5]}}, "has no 'size'"),
]


@pytest.mark.parametrize(("change", "said"), BAD_RESULTS)
def test_a_bad_result_is_named_before_any_photo_is_opened(change, said, tmp_path):
    file = written(tmp_path / "d.json", [result(), result(**change)])
    with pytest.raises(DataError) as raised:
        read_detections(file)
    line = str(raised.value)
    assert said in line
    assert line.startswith(f"{file}: detection at place 1: ")
    assert "; " in line and "\n" not in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"x.jpg": {"dets": []}}, "photo 'x.jpg': is not a list of regions; write"),
        ({"x.jpg": [region(box=[9, 1, 3, 4])]}, "photo 'x.jpg': region 0: box .* has x2 < x1"),
        ({"x.jpg": [region(label="dog")]}, "has an unknown key 'label'; keys are class, box"),
        ({"x.jpg": [region(**{"class": 3})]}, "'class' is 3, not text"),
        ({"x.jpg": [5]}, "has no 'class'"),
        ('"text"', "holds no detections"),
        ({"annotations": [result()], "images": []}, "image 7 is not in the list of images"),
        ({"annotations": 5}, "'annotations' is 5, not a list"),
        ("{", "is not JSON"),
    ],
)
def test_a_bad_file_is_one_line(content, said, tmp_path):
    with pytest.raises(DataError, match=said):
        read_detections(written(tmp_path / "d.json", content))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 0.5 0.5 0.1", "line 1: .* has not four finite numbers"),
        ("0 0.5 nan 0.1 0.1", "has not four finite numbers"),
        ("dog 0.5 0.5 0.1 0.1", "is no line of numbers"),
        ("80 0.5 0.5 0.1 0.1", "class 80 is not among the 80 classes, which count from 0"),
        ("0 320 240 20 20", "no shares of a photo"),
        ("0 0.5 0.5 0.1 0.1 7", "score 7.0 is not a number from 0 to 1"),
        ("0 0.1 0.1 0.2 0.1 0.2 0.2 0.3", "outlines are not read"),
    ],
)
def test_a_bad_line_of_yolo_is_named(line, said, tmp_path):
    written(tmp_path / "x.txt", line)
    with pytest.raises(DataError, match=said):
        read_detections(tmp_path)


def test_what_does_not_fit_the_photo_is_said_when_it_is_opened(tmp_path):
    cases = {
        "a.jpg": (region(box=[100, 5, 120, 30]), "lies outside the photo of 80 x 40; masks have to be of the upright"),
        "b.jpg": (region(mask=runs_of(MASK.T)), r"its mask is of size \(80, 40\), the photo is \(40, 80\)"),
        "c.jpg": (region(mask=[[900, 10, 950, 10, 950, 90]]), "a polygon from .* lies outside the photo"),
        "d.jpg": (region(mask=[[0, 0, 80, 40] * 200_000]), "too long to be drawn"),
    }
    detections = read_detections(written(tmp_path / "d.json", {name: [row] for name, (row, _) in cases.items()}))
    for name, (_, said) in cases.items():
        with pytest.raises(DataError, match=rf"photo '{name}': region 0: .*{said}"):
            detections.found(Path(name), SIZE)
    dataset = read_detections(written(tmp_path / "e.json", truth([result()])))
    with pytest.raises(DataError, match=r"photo 'dog\.jpg': is \(40, 80\) \(height, width\) in it, and \(80, 40\)"):
        dataset.found(Path("dog.jpg"), (80, 40))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("", "has no name in it"),
        ("dog\n\ncat", "line 2: '' is no name"),
        ("dog\ndog", "appears more than once"),
        ("\x00\x01", "line 1: .* is no name"),
    ],
)
def test_a_bad_file_of_names_is_one_line(names, said, tmp_path):
    with pytest.raises(DataError, match=said):
        read_detections(written(tmp_path / "d.json", [result()]), written(tmp_path / "n.txt", names))


def test_classes_beside_a_file_that_has_names_are_refused(tmp_path):
    with pytest.raises(DataError, match="are not needed"):
        read_detections(written(tmp_path / "d.json", {}), written(tmp_path / "n.txt", "dog"))
    with pytest.raises(DataError, match=r"nowhere\.txt: file: cannot be read"):
        read_detections(written(tmp_path / "d.json", []), tmp_path / "nowhere.txt")
