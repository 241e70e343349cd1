"""Sources of scene graphs become folders that the reader of studies gives back as they were."""

import json
import os
import re
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from segsg import cli
from segsg.data.visual_genome import SceneGraphSet, decode
from segsg.formats import coco_relations, csv_tables, visual_genome, vrd
from segsg.formats.annotated import NO_AREA, OF_THESE, REPEATED, WITH_ITSELF, centres_outside, kept, photo

SIZES = {"a.jpg": (64, 48), "b.png": (30, 60), "c.jpg": (64, 48)}
CLASSES, PREDICATES = ["cup", "table"], ["on", "under"]
CUP, TABLE = (0, [10, 30, 20, 40]), (1, [30, 46, 4, 60])  # VRD: category, [ymin, ymax, xmin, xmax]


def corners(box):
    top, bottom, left, right = box
    return [left, top, right, bottom]


def relation(subject, predicate, object_):
    ends = {role: {"category": c, "bbox": b} for role, (c, b) in (("subject", subject), ("object", object_))}
    return {**ends, "predicate": predicate}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    for name, size in SIZES.items():
        Image.new("RGB", size, (200, 100, 50)).save(tmp_path / "photos" / name)
    return tmp_path


def as_vrd(folder, train=None, test=None):
    train = {"a.jpg": [relation(CUP, 0, TABLE), relation(TABLE, 1, CUP)], "c.jpg": []} if train is None else train
    test = {"b.png": [relation((0, [1, 9, 2, 12]), 0, (0, [10, 59, 0, 29]))]} if test is None else test
    for name, content in (("train", train), ("test", test), ("classes", CLASSES), ("predicates", PREDICATES)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    return [f"--{n}={folder / n}.json" for n in ("train", "test", "classes", "predicates")]


def as_coco(folder, **changes):
    names = {"categories": CLASSES, "rel_categories": PREDICATES}
    named = {k: [{"id": 7 * i, "name": n} for i, n in enumerate(v)] for k, v in names.items()}
    train = {
        "images": [
            {"id": 5, "file_name": "a.jpg", "width": 64, "height": 48, "coco_id": 99},
            {"id": 6, "file_name": "c.jpg", "width": 64, "height": 48},
        ],
        "annotations": [
            {"id": 1, "image_id": 5, "category_id": 0, "bbox": [20, 10, 20, 20], "iscrowd": 0},
            {"id": 9, "image_id": 5, "category_id": 7, "bbox": [4, 30, 56, 16]},
        ],
        "rel_annotations": [
            {"id": 0, "image_id": 5, "subject_id": 1, "predicate_id": 0, "object_id": 9},
            {"id": 1, "image_id": 5, "subject_id": 9, "predicate_id": 7, "object_id": 1},
        ],
    }
    test = {
        "images": [{"id": 5, "file_name": "b.png", "width": 30, "height": 60}],
        "annotations": [
            {"id": 1, "image_id": 5, "category_id": 0, "bbox": [2, 1, 10, 8]},
            {"id": 2, "image_id": 5, "category_id": 0, "bbox": [0, 10, 29, 49]},
        ],
        "rel_annotations": [{"image_id": 5, "subject_id": 1, "predicate_id": 0, "object_id": 2}],
    }
    for name, content in (("train", train), ("test", test)):
        (folder / f"{name}.json").write_text(json.dumps(named | content | (changes if name == "train" else {})))
    return [f"--{n}={folder / n}.json" for n in ("train", "test")]


BOXES = """image,box,class,x1,y1,x2,y2,split
a.jpg,1,cup,20,10,40,30,train
a.jpg,2,table, 4,30,60,46,train
b.png,x,cup,2,1,12,9,test
b.png,y,cup,0,10,29,59,test
"""
RELATIONS = "image,subject,predicate,object\na.jpg,1,on,2\na.jpg,2,under,1\nb.png,x,on,y\n"


def as_csv(folder, boxes=BOXES, relations=RELATIONS):
    (folder / "boxes.csv").write_text(boxes)
    (folder / "relations.csv").write_text(relations)
    return [f"--{n}={folder / n}.csv" for n in ("boxes", "relations")]


SOURCES = {"vrd": as_vrd, "coco-relations": as_coco, "csv": as_csv}


def convert(folder, source, files, *more):
    photos = ["--photos", str(folder / "photos")]
    return cli.main(["convert", "--from", source, *files, *photos, "--out", str(folder / "out"), *more])


def opened(folder, split, **more):
    names = ("VG-SGG.h5", "VG-SGG-dicts.json", "image_data.json", "VG_100K")
    return SceneGraphSet(*(folder / "out" / name for name in names), split, **more)


@pytest.mark.parametrize("source", SOURCES)
def test_the_reader_of_studies_gives_back_what_a_source_says(folder, source):
    assert convert(folder, source, SOURCES[source](folder)) == 0
    train, test = opened(folder, "train"), opened(folder, "test")
    assert train.vocabulary.classes == ("cup", "table") and train.vocabulary.predicates == ("on", "under")
    assert len(train) == len(test) == 1
    sample = train[0]
    np.testing.assert_allclose(sample.boxes, [corners(CUP[1]), corners(TABLE[1])], atol=64 / 1024)
    assert sample.labels.tolist() == [1, 2] and sample.relations.tolist() == [[0, 1, 1], [1, 0, 2]]
    assert sample.size == (48, 64) and test[0].size == (60, 30)
    assert test[0].labels.tolist() == [1, 1] and test[0].relations.tolist() == [[0, 1, 1]]
    assert train.shared_ids == [99 if source == "coco-relations" else None]


def test_photos_without_a_box_keep_their_row(folder):
    assert convert(folder, "vrd", as_vrd(folder)) == 0
    listed = json.loads((folder / "out/image_data.json").read_text())
    assert [entry["file_name"] for entry in listed] == ["a.jpg", "c.jpg", "b.png"]


def test_a_box_that_several_relations_have_is_one(folder):
    assert vrd.read(*vrd_arguments(folder)).photos[0].boxes.tolist() == [corners(CUP[1]), corners(TABLE[1])]


def test_a_relation_of_a_box_with_itself_is_counted_once(folder):
    read = vrd.read(*vrd_arguments(folder, train={"a.jpg": [relation(CUP, 0, CUP), relation(CUP, 0, TABLE)]}))
    assert read.left_out == {WITH_ITSELF: 1} and read.photos[0].relations.tolist() == [[0, 1, 1]]


def vrd_arguments(folder, **changes):
    as_vrd(folder, **changes)
    splits = {split: folder / f"{split}.json" for split in ("train", "test")}
    return splits, folder / "classes.json", folder / "predicates.json"


def test_what_no_study_can_use_is_left_out_and_counted():
    boxes = [[0, 0, 5, 5], [2, 2, 9, 9], [3, 3, 3, 8], [40, 0, 50, 9]]
    relations = [[0, 1, 1], [0, 1, 1], [0, 1, 2], [1, 1, 1], [0, 2, 1], [3, 0, 1], [1, 0, 1]]
    whole, counts = kept(photo("a", "train", boxes, [1, 2, 3, 4], relations), (20, 30))
    assert whole.boxes.tolist() == boxes[:2] and whole.labels.tolist() == [1, 2]
    assert whole.relations.tolist() == [[0, 1, 1], [0, 1, 2], [1, 0, 1]]
    assert counts == {NO_AREA: 2, OF_THESE: 2, WITH_ITSELF: 1, REPEATED: 1}


def test_rows_of_kept_boxes_move_up():
    whole, _ = kept(photo("a", "train", [[1, 1, 1, 1], [0, 0, 5, 5], [2, 2, 9, 9]], [1, 2, 3], [[2, 1, 1]]), (20, 20))
    assert whole.relations.tolist() == [[1, 0, 1]] and whole.labels.tolist() == [2, 3]


def test_a_photo_without_anything_stays_one():
    whole, counts = kept(photo("a", "train", [], [], []), (20, 20))
    assert whole.boxes.shape == (0, 4) and whole.relations.shape == (0, 3) and counts == Counter()
    assert centres_outside(whole, (20, 20)) == 0


@pytest.mark.parametrize("size", [(480, 640), (1024, 1024), (37, 1999), (3000, 10)])
def test_corners_move_by_a_pixel_of_1024_at_most(size):
    height, width = size
    random = np.random.default_rng(0)
    first = random.uniform(0, [width - 2, height - 2], (500, 2))
    boxes = np.hstack([first, random.uniform(first + 1, [width, height])])
    read = decode(visual_genome.encode(boxes, height, width), height, width)
    assert np.abs(read - boxes).max() <= max(height, width) / 1024 + 1e-3


BAD_VRD = {
    "no bbox": ({"a.jpg": [{"subject": {"category": 0}, "object": {}, "predicate": 0}]}, "relation 0: has no 'bbox'"),
    "no list": ({"a.jpg": {}}, r"photo 'a\.jpg': is not a list of relations"),
    "class": ({"a.jpg": [relation((2, [1, 2, 1, 2]), 0, CUP)]}, "'category' is 2, more than 1"),
    "predicate": ({"a.jpg": [relation(CUP, 2, TABLE)]}, "relation 0: 'predicate' is 2, more than 1"),
    "xyxy": (
        {"a.jpg": [relation((0, [30, 10, 1, 2]), 0, CUP)]},
        r"\[30, 10, 1, 2\] is not \[y1, y2, x1, x2\] with y1 <= y2 and x1 <= x2",
    ),
    "words": (
        {"a.jpg": [relation((0, ["1", 2, 3, 4]), 0, CUP)]},
        r"is not \[y1, y2, x1, x2\] with y1 <= y2 and x1 <= x2",
    ),
    "boolean": (
        {"a.jpg": [relation((0, [True, 2, 3, 4]), 0, CUP)]},
        r"is not \[y1, y2, x1, x2\] with y1 <= y2 and x1 <= x2",
    ),
    "a list": ([], r"is not an object \{photo: relations\}"),
    "nothing": ({}, r"is not an object \{photo: relations\}"),
    "name": ({" a.jpg": []}, "is no name"),
    "twice": ({"b.png": []}, r"photo 'b\.png': appears more than once"),
    "outside": ({"a.jpg": [relation((0, [100, 140, 1, 2]), 0, CUP)]}, "1 of 4 box centres lie outside their photos"),
    "missing": ({"d.jpg": []}, r"d\.jpg: photo: is missing; put it there"),
    "path": ({"../a.jpg": []}, "leads out of the folder"),
}


@pytest.mark.parametrize("case", BAD_VRD)
def test_a_bad_vrd_file_is_one_clear_line(folder, case, capsys):
    content, words = BAD_VRD[case]
    files = as_vrd(folder, train=content)
    one_line(folder, "vrd", files, words, capsys)


def one_line(folder, source, files, words, capsys):
    assert convert(folder, source, files) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and re.search(words, said), said
    assert not (folder / "out").exists() and not list(folder.glob(".out*"))


def joined(image=5, subject=1, predicate=0):
    return {"rel_annotations": [{"image_id": image, "subject_id": subject, "object_id": 9, "predicate_id": predicate}]}


def boxed(*bbox):
    return {"annotations": [{"id": 1, "image_id": 5, "category_id": 0, "bbox": list(bbox)}], "rel_annotations": []}


TURNED = [{"id": 5, "file_name": "a.jpg", "width": 48, "height": 64}]
OTHER_PREDICATES = [{"id": 0, "name": "of"}, {"id": 7, "name": "by"}]
BAD_COCO = {
    "owner": (joined(image=6), "not both of image 6"),
    "unknown": (joined(subject=3), "'subject_id' is 3, which the file does not list"),
    "predicate": (joined(predicate=1), "'predicate_id' is 1, which the file does not list"),
    "size": ({"images": TURNED}, "is 64 x 48, and its annotation says 48 x 64"),
    "no names": ({"rel_categories": []}, "'rel_categories': has no name"),
    "other names": ({"rel_categories": OTHER_PREDICATES}, "its names are not those of"),
    "box": (boxed(1, 2, -3, 4), "a negative size"),
    "three": (boxed(1, 2, 3), "not four numbers"),
    "ids": ({"categories": [{"id": 0, "name": "cup"}, {"id": 0, "name": "table"}]}, "appears more than once"),
    "no list": ({"images": {}}, "'images' is {}, not a list"),
}


@pytest.mark.parametrize("case", BAD_COCO)
def test_a_bad_coco_file_is_one_clear_line(folder, case, capsys):
    changes, words = BAD_COCO[case]
    one_line(folder, "coco-relations", as_coco(folder, **changes), words, capsys)


def test_crowds_and_their_relations_are_left_out(folder):
    crowd = {"id": 1, "image_id": 5, "category_id": 0, "bbox": [20, 10, 20, 20], "iscrowd": 1}
    table = {"id": 9, "image_id": 5, "category_id": 7, "bbox": [4, 30, 56, 16]}
    as_coco(folder, annotations=[crowd, table])
    found = coco_relations.read({split: folder / f"{split}.json" for split in ("train", "test")})
    assert found.photos[0].labels.tolist() == [2] and len(found.photos[0].relations) == 0
    assert found.left_out == {coco_relations.CROWDS: 1, coco_relations.OF_CROWDS: 2}


BAD_CSV = {
    "head": ("image,box,x1,y1,x2,y2\n", RELATIONS, "line 1: its first line does not name class"),
    "number": (BOXES.replace("40,30", "forty,30"), RELATIONS, "line 2: 'x2' is 'forty', not a finite number"),
    "infinite": (BOXES.replace("40,30", "inf,30"), RELATIONS, "not a finite number"),
    "corner": (BOXES.replace("40,30", "4,30"), RELATIONS, "first corner is right of or below the other"),
    "cells": (BOXES.replace("40,30,train", "40,30"), RELATIONS, "line 2: has more or fewer cells"),
    "empty": (BOXES.replace("1,cup", "1,"), RELATIONS, "line 2: has nothing under class"),
    "twice": (BOXES.replace("a.jpg,2", "a.jpg,1"), RELATIONS, "line 3: box '1' of 'a.jpg' stands there already"),
    "split": (BOXES.replace("46,train", "46,test"), RELATIONS, "line 3: 'a.jpg' is for test here"),
    "no split": (BOXES.replace("46,train", "46,both"), RELATIONS, "neither train nor test"),
    "end": (BOXES, RELATIONS.replace("a.jpg,1", "a.jpg,7"), "line 2: 'subject' is '7', and the table"),
    "image": (BOXES, RELATIONS.replace("b.png", "z.png"), "no such box of 'z.png'"),
    "nothing": (BOXES, "image,subject,predicate,object\n", "column 'predicate': has no name"),
}


@pytest.mark.parametrize("case", BAD_CSV)
def test_a_bad_table_is_one_clear_line(folder, case, capsys):
    boxes, relations, words = BAD_CSV[case]
    one_line(folder, "csv", as_csv(folder, boxes, relations), words, capsys)


def test_a_table_that_is_no_text_is_one_clear_line(folder, capsys):
    files = as_csv(folder)
    (folder / "boxes.csv").write_bytes(b"image,\xff\xfe\n")
    one_line(folder, "csv", files, "is no table of comma-separated values", capsys)


def test_without_a_column_every_fifth_photo_is_for_testing(tmp_path):
    rows = "".join(f"{n:02}.jpg,1,cup,0,0,5,5\n{n:02}.jpg,2,cup,0,0,6,6\n" for n in range(11))
    as_csv(tmp_path, "image,box,class,x1,y1,x2,y2\n" + rows, "image,subject,predicate,object\n00.jpg,1,on,2\n")
    found = csv_tables.read(tmp_path / "boxes.csv", tmp_path / "relations.csv")
    assert [each.name for each in found.photos if each.split == "test"] == ["04.jpg", "09.jpg"]


def test_options_of_another_source_are_refused(folder, capsys):
    assert convert(folder, "csv", [*as_csv(folder), "--train=x"]) == 1
    assert "--from csv: takes no --train; it is read from --boxes, --relations" in capsys.readouterr().err
    assert convert(folder, "csv", as_csv(folder)[:1]) == 1
    assert "--from csv: needs --relations" in capsys.readouterr().err


def test_missing_photos_may_be_left_out(folder, capsys):
    (folder / "photos/c.jpg").unlink()
    assert convert(folder, "vrd", as_vrd(folder), "--skip-missing") == 0
    assert "left out: 1 photos that are not there" in capsys.readouterr().out
    assert len(json.loads((folder / "out/image_data.json").read_text())) == 2


def test_photos_are_links_where_the_disk_has_them(folder, monkeypatch):
    assert convert(folder, "vrd", as_vrd(folder)) == 0
    assert (folder / "out/VG_100K/1.jpg").samefile(folder / "photos/a.jpg")

    def refuse(*_):
        raise OSError("another disk")

    monkeypatch.setattr(os, "link", refuse)
    assert convert(folder, "vrd", as_vrd(folder)) == 0
    copy = folder / "out/VG_100K/1.jpg"
    assert not copy.samefile(folder / "photos/a.jpg")
    assert copy.read_bytes() == (folder / "photos/a.jpg").read_bytes()


@pytest.mark.parametrize("name", ["mine.txt", "VG_100K/mine.jpg"])
def test_what_it_did_not_write_stays(folder, name, capsys):
    assert convert(folder, "vrd", as_vrd(folder)) == convert(folder, "vrd", as_vrd(folder)) == 0
    (folder / "out" / name).touch()
    assert convert(folder, "vrd", as_vrd(folder)) == 1
    assert f"{Path(name).name}: would be lost" in capsys.readouterr().err
    assert (folder / "out" / name).exists()


def test_a_folder_of_somebody_else_is_refused(folder, capsys):
    (folder / "out").mkdir()
    (folder / "out/VG-SGG.h5").touch()
    assert convert(folder, "vrd", as_vrd(folder)) == 1
    assert "holds something that no `segsg convert` wrote" in capsys.readouterr().err


@pytest.fixture
def shared():
    folder = Path(__file__).resolve().parents[3] / "shared" / "real"
    if not (folder / "vrd").is_dir():
        pytest.skip("needs VRD's annotations in ../shared/real, which are not part of the project")
    return folder


def test_the_whole_of_vrd(shared, tmp_path):
    """Photos are blank ones in the sizes that the boxes need, and for seven photos in their true size."""
    sizes, names = {}, shared / "vrd_in_vg_layout/VG-SGG-dicts.json"
    splits = {split: shared / f"vrd/annotations_{split}.json" for split in ("train", "test")}
    source = vrd.read(splits, names, names)
    for each in source.photos:
        ends = np.ceil(each.boxes[:, 2:].max(axis=0, initial=1)).astype(int)
        sizes[each.name] = tuple((-(-ends // 64) * 64).tolist())
    old = {entry["coco_id"]: entry for entry in json.loads((shared / "vrd_in_vg_layout/image_data.json").read_text())}
    both = json.loads((shared / "vrd/coco_overlap.json").read_text())
    sevens = {both[str(image_id)]["vrd"]: entry for image_id, entry in old.items()}
    for name, entry in sevens.items():
        scale = (320 if name.endswith("_o.jpg") else 1024) / max(entry["width"], entry["height"])
        sizes[name] = (round(entry["width"] * scale), round(entry["height"] * scale))
    (tmp_path / "blank").mkdir()
    (tmp_path / "photos").mkdir()
    for name, size in sizes.items():
        blank = tmp_path / "blank" / f"{size[0]}x{size[1]}.png"
        if not blank.exists():
            Image.new("1", size).save(blank)
        os.link(blank, tmp_path / "photos" / name)
    left_out = visual_genome.write(tmp_path / "out", source, [tmp_path / "photos"], skip_missing=False, made_of={})
    train, test = (opened(tmp_path, split, keep_empty=True) for split in ("train", "test"))
    pairs = sum(len(dataset.annotation(i)[2]) for dataset in (train, test) for i in range(len(dataset)))
    assert pairs + left_out[REPEATED] + left_out[WITH_ITSELF] + left_out[OF_THESE] == 30355 + 7638
    listed = json.loads((tmp_path / "out/image_data.json").read_text())
    numbers = {entry["file_name"]: entry["image_id"] for entry in listed}
    with h5py.File(shared / "vrd_in_vg_layout/VG-SGG.h5") as file:
        before = {name: file[name][()] for name in file}
    with h5py.File(tmp_path / "out/VG-SGG.h5") as file:
        after = {name: file[name][()] for name in file}
    for row, image_id in enumerate(old):
        name = both[str(image_id)]["vrd"]
        assert relations_of(before, row) == relations_of(after, numbers[name] - 1), name
        mine, theirs = boxes_of(after, numbers[name] - 1), boxes_of(before, row)
        assert mine.shape == theirs.shape
        assert all(np.abs(theirs - box).max(axis=1).min() <= 1 for box in mine), name


def rows_of(arrays, kind, row):
    first, last = (int(arrays[f"img_to_{end}_{kind}"][row]) for end in ("first", "last"))
    return slice(first, last + 1) if first >= 0 else slice(0, 0)


def boxes_of(arrays, row):
    """Boxes with their class."""
    rows = rows_of(arrays, "box", row)
    return np.hstack([arrays["boxes_1024"][rows], 100 * arrays["labels"][rows].reshape(-1, 1)])


def relations_of(arrays, row):
    """(subject class, predicate, object class) of an image's distinct relations, counted."""
    rows, labels = rows_of(arrays, "rel", row), arrays["labels"].reshape(-1)
    joined = np.column_stack([arrays["relationships"][rows], arrays["predicates"][rows].reshape(-1)])
    return Counter((int(labels[s]), int(p), int(labels[o])) for s, o, p in np.unique(joined, axis=0))
