"""A bundle of a finder, a masker and a relater: what joins them, and what is said of a folder that is damaged."""

import json

import numpy as np
import pytest
import torch
from made_photo_bundle import FAKES, changed, made_bundle
from safetensors.torch import save_file

from segsg.files import DataError, digest
from segsg.photos.found import Found, nothing
from segsg.photos.graph import runs_of
from segsg.photos.photo_bundle import load_photo_bundle

PHOTO = np.random.default_rng(0).integers(0, 256, (20, 40, 3), dtype=np.uint8)
CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    return made_bundle(tmp_path / "fakes")


def loaded(folder):
    return load_photo_bundle(folder, CPU, FAKES)


def test_three_parts_make_a_graph(folder):
    graph = loaded(folder).predict(PHOTO)
    assert [(r.name, r.score, r.box, r.mask_from) for r in graph.regions] == [
        ("man", 0.5, (0, 0, 20, 20), "found"),
        ("horse", 0.25, (20, 0, 40, 20), "found"),
    ]
    assert [region.mask.sum() for region in graph.regions] == [400, 400]
    assert graph.regions[1].mask[:, 20:].all()
    (first,) = graph.relations  # the other way round 0.1 * 0.5 * 0.25 is below the threshold
    assert (first.subject, first.predicate, first.object) == (0, "riding", 1)
    assert first.score == pytest.approx(0.8 * 0.5 * 0.25)


def test_top_and_threshold(folder):
    bundle = loaded(folder)
    both = bundle.predict(PHOTO, threshold=0.0).relations
    assert [(r.subject, r.predicate, r.object) for r in both] == [(0, "riding", 1), (1, "on", 0)]
    assert bundle.predict(PHOTO, top=1, threshold=0.0).relations == both[:1]
    with pytest.raises(ValueError, match="between 0 and 1"):
        bundle.predict(PHOTO, threshold=2.0)


def test_without_a_masker_boxes_stand_for_masks(tmp_path):
    graph = loaded(made_bundle(tmp_path / "b", steps=("finder", "relater"))).predict(PHOTO)
    assert [(r.runs, r.mask_from) for r in graph.regions] == [(None, "box")] * 2


def test_given_regions_keep_their_masks_and_others_get_one(folder):
    mask = np.zeros((20, 40), dtype=bool)
    mask[3:9, 2:7] = True
    boxes, runs = np.array([[0.0, 0, 10, 10], [10, 0, 30, 20]]), runs_of(mask)
    found = Found(("man", "horse"), np.ones(2), boxes, (runs, None))
    graph, empty = loaded(folder).relate_all([PHOTO, PHOTO], [found, nothing()])
    assert [r.mask_from for r in graph.regions] == ["given", "found"]
    assert graph.regions[0].runs == runs
    assert graph.relations[0].score == pytest.approx(0.8)
    assert empty.regions == () and empty.relations == ()


def test_masks_of_another_finder_are_found_and_not_given(folder):
    runs, boxes = runs_of(np.eye(20, 40, dtype=bool)), np.array([[0.0, 0, 20, 20], [20, 0, 40, 20]])

    class Masked:
        def find(self, photos):
            return [Found(("man", "horse"), np.ones(2), boxes, (runs, None)) for _ in photos]

    bundle = loaded(folder)
    other = bundle.with_finder(Masked(), "other", "its digest")
    graph = other.predict(PHOTO)
    assert [region.mask_from for region in graph.regions] == ["found", "found"]
    assert graph.regions[0].runs == runs
    assert graph.origin.bundle == "fakes + other" and other.identity != bundle.identity


def test_names_and_tasks_that_it_does_not_know(folder):
    bundle, found = loaded(folder), Found(("car",), np.ones(1), np.array([[0.0, 0, 5, 5]]), (None,))
    assert bundle.knows("man") and not bundle.knows("car")
    with pytest.raises(ValueError, match="'car' is no name"):
        bundle.relate_all([PHOTO], [found])
    with pytest.raises(ValueError, match="task sgcls: on given regions the bundle fakes answers predcls"):
        bundle.relate_all([PHOTO], [found], task="sgcls")


def test_its_identity_changes_with_its_files(folder):
    before = loaded(folder).identity
    (folder / "NOTICE").write_text("somebody's\n")
    files = json.loads((folder / "bundle.json").read_text())["files"]
    changed(folder, files=files | {"NOTICE": digest(folder / "NOTICE")})
    assert loaded(folder).identity != before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "moon"}, "kind: is 'moon', not study or photos"),
        ({"version": 4}, "this segsg reads version 5"),
        ({"finder": {"kind": "yolo", "settings": {}}}, "finder: kind 'yolo' is unknown; this segsg knows fake"),
        ({"finder": None}, "contents: finder"),
        ({"files": {"../secret": "0"}}, "does not list MODEL_CARD.md"),
        ({"name": "../x"}, "contents: name"),
        ({"warning": 3}, "contents: warning"),
    ],
)
def test_a_bad_manifest_is_one_line(folder, change, said):
    changed(folder, **change)
    with pytest.raises(DataError, match=said):
        loaded(folder)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "finder/../../x", "C:/x", "finder/deep/x", "masker\\x"])
def test_a_bundle_cannot_point_out_of_its_folder(folder, name):
    files = json.loads((folder / "bundle.json").read_text())["files"]
    changed(folder, files=files | {name: "0"})
    with pytest.raises(DataError, match="is no file of a bundle; do not trust"):
        loaded(folder)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"weight": torch.zeros(3)}, "do not fit the model of bundle.json"),
        ({"other": torch.zeros(2)}, "do not fit the model of bundle.json"),
        ({"weight": torch.tensor([1.0, float("inf")])}, "are not all finite numbers"),
    ],
)
def test_weights_of_something_else_are_refused(folder, weights, said):
    path = folder / "relater" / "weights.safetensors"
    save_file(weights, path)
    with pytest.raises(DataError, match="has another SHA-256"):
        loaded(folder)
    files = json.loads((folder / "bundle.json").read_text())["files"]
    changed(folder, files=files | {"relater/weights.safetensors": digest(path)})
    with pytest.raises(DataError, match=said):
        loaded(folder)
