"""Files of a drawn world: same bytes for any number of workers, and the layouts of Visual Genome and COCO."""

import hashlib
import json

import h5py
import numpy as np
import pytest
from pycocotools.coco import COCO

from segsg.world.classes import GRAPH_CLASSES, MASK_CLASSES, ORACLE, PREDICATES
from segsg.world.draw import Settings, draw

SIZES = {"train": 30, "validation": 3, "test": 6, "masks_train": 30, "masks_validation": 2}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world") / "one"
    draw(folder, **SIZES, workers=1)
    return folder


@pytest.fixture(scope="module")
def graphs(world):
    with h5py.File(world / "scene_graphs/VG-SGG.h5") as file:
        return {key: values[:] for key, values in file.items()}


def digests(folder):
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_two_workers_write_the_same_bytes(world, tmp_path):
    draw(tmp_path / "two", **SIZES, workers=2)
    assert digests(tmp_path / "two") == digests(world)


def test_another_seed_is_another_world(tmp_path):
    few = {"train": 1, "validation": 0, "test": 1, "masks_train": 1, "masks_validation": 0, "workers": 1}
    for seed in (0, 1):
        draw(tmp_path / str(seed), **few, seed=seed)
    assert not set(digests(tmp_path / "0").values()) & set(
        value for name, value in digests(tmp_path / "1").items() if name.endswith(".jpg")
    )


def test_a_world_is_replaced_but_nothing_else_is(world, tmp_path):
    few = {"train": 1, "validation": 0, "test": 0, "masks_train": 1, "masks_validation": 0, "workers": 1}
    draw(tmp_path / "world", **few)
    draw(tmp_path / "world", **few | {"train": 2})
    assert len(list((tmp_path / "world/scene_graphs/VG_100K").iterdir())) == 2
    other = tmp_path / "photos"
    other.mkdir()
    (other / "mine.jpg").write_bytes(b"precious")
    with pytest.raises(ValueError, match="remove it or name another folder"):
        draw(other, **few)
    assert (other / "mine.jpg").read_bytes() == b"precious"


def test_more_shared_images_than_mask_images_is_an_error():
    with pytest.raises(ValueError, match="raise masks_train or lower shared"):
        Settings(train=40, validation=0, test=0, masks_train=3, masks_validation=0).places()


def test_ranges_are_inclusive_and_cover_all_rows(graphs):
    for kind, rows in (("box", "labels"), ("rel", "predicates")):
        first, last = graphs[f"img_to_first_{kind}"], graphs[f"img_to_last_{kind}"]
        has = first >= 0
        assert ((last == -1) == ~has).all() and (~has).any()
        assert (last[has] >= first[has]).all()
        covered = np.concatenate([np.arange(a, b + 1) for a, b in zip(first[has], last[has], strict=True)])
        assert (covered == np.arange(len(graphs[rows]))).all()


def test_relation_rows_stay_in_their_image(graphs):
    for i in np.flatnonzero(graphs["img_to_first_rel"] >= 0):
        pairs = graphs["relationships"][graphs["img_to_first_rel"][i] : graphs["img_to_last_rel"][i] + 1]
        assert pairs.min() >= graphs["img_to_first_box"][i] and pairs.max() <= graphs["img_to_last_box"][i]
        assert (pairs[:, 0] != pairs[:, 1]).all()


def test_labels_start_at_one_and_boxes_lie_in_the_photo(graphs):
    assert graphs["labels"].min() >= 1 and graphs["labels"].max() <= len(GRAPH_CLASSES)
    assert graphs["predicates"].min() >= 1 and graphs["predicates"].max() <= len(PREDICATES)
    for longer in (1024, 512):
        boxes = graphs[f"boxes_{longer}"]
        corner = boxes[:, :2] - boxes[:, 2:] / 2
        assert boxes.dtype == np.int32 and boxes[:, 2:].min() >= longer * 2 / 160
        assert np.trunc(corner).min() >= 0 and (np.trunc(corner) + boxes[:, 2:]).max() <= longer


def test_validation_rows_come_first_and_all_have_relations(world, graphs):
    split, usable = graphs["split"], graphs["img_to_first_rel"] >= 0
    assert split.tolist() == [0] * 33 + [2] * 6
    assert usable[:3].all() and usable[33:].all()
    true = json.loads((world / "scene_graphs/true_masks.json").read_text())
    assert [image["id"] for image in true["images"]] == [1, 2, 3, *range(34, 40)]
    training = json.loads((world / "scene_graphs/true_masks_train.json").read_text())
    assert [image["id"] for image in training["images"]] == list(range(4, 34))


def test_vocabulary_numbers_names_from_one(world):
    vocabulary = json.loads((world / "scene_graphs/VG-SGG-dicts.json").read_text())
    assert [vocabulary["idx_to_label"][str(i + 1)] for i in range(26)] == list(GRAPH_CLASSES)
    assert vocabulary["predicate_to_idx"] == {name: i + 1 for i, name in enumerate(PREDICATES)}


@pytest.mark.parametrize("name", ["true_masks.json", "true_masks_train.json"])
def test_true_masks_agree_with_boxes_and_labels(world, graphs, name):
    true = COCO(world / "scene_graphs" / name)
    for image_id in (i for i in true.getImgIds() if true.getAnnIds(i)):
        rows = range(graphs["img_to_first_box"][image_id - 1], graphs["img_to_last_box"][image_id - 1] + 1)
        annotations = [true.anns[i] for i in sorted(true.getAnnIds(image_id))]
        assert [a["category_id"] for a in annotations] == graphs["labels"][rows, 0].tolist()
        for row, annotation in zip(rows, annotations, strict=True):
            ys, xs = np.nonzero(true.annToMask(annotation))
            cx, cy, w, h = graphs["boxes_1024"][row] * 160 / 1024
            edges = np.abs(
                [cx - w / 2 - xs.min(), cy - h / 2 - ys.min(), cx + w / 2 - xs.max() - 1, cy + h / 2 - ys.max() - 1]
            )
            assert edges.max() < 8


def test_mask_set_decodes_and_shares_images(world):
    training = COCO(world / "masks/annotations/instances_train2017.json")
    assert [c["name"] for c in training.loadCats(training.getCatIds())] == list(MASK_CLASSES)
    assert {a["iscrowd"] for a in training.anns.values()} == {0, 1}
    kinds = {type(a["segmentation"]) for a in training.anns.values()}
    assert kinds == {dict, list}
    for annotation in training.anns.values():
        assert abs(training.annToMask(annotation).sum() - annotation["area"]) <= 0.12 * annotation["area"] + 6
    shared = [r for r in json.loads((world / "scene_graphs/image_data.json").read_text()) if r["coco_id"]]
    assert len(shared) == 3
    for record in shared:
        photo = world / f"masks/train2017/{record['coco_id']:012d}.jpg"
        assert photo.read_bytes() == (world / f"scene_graphs/VG_100K/{record['image_id']}.jpg").read_bytes()


def test_every_oracle_is_a_mask_class():
    assert set(ORACLE.values()) <= set(MASK_CLASSES) and set(ORACLE) < set(GRAPH_CLASSES)
    assert len(set(GRAPH_CLASSES) & set(MASK_CLASSES)) >= 3
