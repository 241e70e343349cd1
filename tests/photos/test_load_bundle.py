"""The bundle that comes with the project, and what is said of one that is damaged."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_graphs import MINI
from PIL import Image
from safetensors.torch import load_file, save_file
from scenes import SEEING

from segsg.files import DataError, digest
from segsg.photos.bundle import load_bundle, made, read_manifest
from segsg.study.facts import Facts

SAMPLES = sorted((MINI / "samples").glob("*.jpg"))


@pytest.fixture(scope="module")
def mini():
    return load_bundle(MINI, "cpu")


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(MINI, tmp_path / "copy")


def test_the_bundle_of_the_project_is_small_and_has_three_samples():
    assert sum(path.stat().st_size for path in MINI.rglob("*") if path.is_file()) <= 10_000_000
    assert len(SAMPLES) == 3


def test_it_says_what_it_has_seen(mini):
    assert "only ever seen drawings" in mini.warning
    card = (MINI / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert mini.warning in card
    assert all(part in card for part in ("## How it was trained", "## How good it is", "## Licence", "mR@50"))


def test_a_sample_has_a_grounded_graph_whoever_opened_it(mini):
    graph = mini.predict(SAMPLES[0])
    assert graph.size == (160, 160)
    assert graph.relations
    assert [r.score for r in graph.relations] == sorted((r.score for r in graph.relations), reverse=True)
    for relation in graph.relations:
        assert relation.predicate in mini.names.predicates
        assert relation.where.weights.shape == (28, 28)
        masks = [graph.regions[i].mask for i in (relation.subject, relation.object)]
        assert all(mask.shape == (160, 160) for mask in masks)
    for photo in (Image.open(SAMPLES[0]), np.asarray(Image.open(SAMPLES[0]))):
        assert mini.predict(photo).relations[0].score == graph.relations[0].score


def test_masks_lie_in_their_boxes(mini):
    for region in mini.predict(SAMPLES[1]).regions:
        left, top, right, bottom = region.box
        rows, columns = region.mask.nonzero()
        assert 0 <= left <= right <= 160
        assert not len(rows) or (top - 1 <= rows.min() and rows.max() <= bottom + 1)
        assert not len(rows) or (left - 1 <= columns.min() and columns.max() <= right + 1)


def test_a_photo_says_the_same_beside_others_of_other_sizes(mini):
    wide = np.asarray(Image.open(SAMPLES[1]).resize((400, 200)))
    together = mini.predict_all([SAMPLES[0], wide, SAMPLES[2]])
    alone = [mini.predict(photo) for photo in (SAMPLES[0], wide, SAMPLES[2])]
    assert together[1].size == (200, 400)
    for a, b in zip(together, alone, strict=True):
        assert [r.name for r in a.regions] == [r.name for r in b.regions]
        np.testing.assert_allclose([r.score for r in a.relations], [r.score for r in b.relations], rtol=1e-4)


def test_top_and_threshold_limit_relations(mini):
    everything = mini.predict(SAMPLES[0], top=1000, threshold=0.0).relations
    assert len(mini.predict(SAMPLES[0], top=3, threshold=0.0).relations) == 3
    middle = everything[len(everything) // 2].score
    assert all(r.score >= middle for r in mini.predict(SAMPLES[0], 1000, middle).relations)
    assert mini.predict(SAMPLES[0], top=0).relations == ()
    for wrong in ({"top": -1}, {"threshold": 1.5}, {"threshold": float("nan")}):
        with pytest.raises(ValueError, match=r"at least 0|between 0 and 1"):
            mini.predict(SAMPLES[0], **wrong)


def test_a_photo_without_anything_and_one_of_a_single_pixel(mini):
    for photo in (np.full((40, 40), 128, np.uint8), np.zeros((1, 1, 3), np.uint8), np.zeros((2, 300, 3), np.uint8)):
        assert mini.predict(photo, threshold=1.0).relations == ()


def test_no_photo_at_all_is_no_graph(mini):
    assert mini.predict_all([]) == []


def changed(folder, **entries):
    manifest = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(manifest | entries))


def test_a_changed_file_is_noticed_by_its_digest(copy):
    weights = copy / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x07")
    with pytest.raises(DataError, match=r"weights\.safetensors: file: has another SHA-256 than bundle\.json says"):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["weights.safetensors", "MODEL_CARD.md", "facts/names.json"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(DataError, match=rf"{name}: file: is missing, but bundle\.json lists it"):
        load_bundle(copy)


def test_a_folder_without_bundle_and_no_folder_at_all(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError, match=r"bundle\.json: file: cannot be read .*give a folder with bundle\.json"):
            load_bundle(folder)


def test_another_version_or_format_is_refused(copy):
    changed(copy, version=4)
    with pytest.raises(DataError, match="version: is 4, this segsg reads version 5; use the segsg that wrote it"):
        load_bundle(copy)
    changed(copy, format="zip")
    with pytest.raises(DataError, match="is not a manifest of the format segsg-bundle"):
        load_bundle(copy)


def test_a_manifest_that_is_torn_or_lacks_something_is_refused(copy):
    changed(copy, world="moon")
    with pytest.raises(DataError, match="contents: world: 'moon' is not one of drawn, photos"):
        load_bundle(copy)
    changed(copy, world="drawn", files={})
    with pytest.raises(DataError, match="files: does not list"):
        load_bundle(copy)
    (copy / "bundle.json").write_text('{"format": ')
    with pytest.raises(DataError, match="is not JSON"):
        load_bundle(copy)


@pytest.mark.parametrize("task", ["predcls", "sgcls"])
def test_a_model_of_given_regions_is_no_bundle(copy, task):
    experiment = json.loads((copy / "bundle.json").read_text())["experiment"]
    changed(copy, experiment=experiment | {"task": task})
    with pytest.raises(DataError, match=f"contents: experiment: task {task} finds no regions, only sgdet does; copy"):
        load_bundle(copy)


def test_a_bundle_cannot_point_out_of_its_folder(copy):
    manifest = json.loads((copy / "bundle.json").read_text())
    changed(copy, files=manifest["files"] | {"../secret": "0"})
    with pytest.raises(DataError, match="is no file of a bundle"):
        load_bundle(copy)


def test_a_link_out_of_the_folder_is_not_followed(copy, tmp_path):
    shutil.copyfile(copy / "MODEL_CARD.md", tmp_path / "secret")
    (copy / "MODEL_CARD.md").unlink()
    (copy / "MODEL_CARD.md").symlink_to(tmp_path / "secret")
    with pytest.raises(DataError, match="is a link that leaves the bundle"):
        load_bundle(copy)


def test_numbers_that_ask_for_endless_memory_are_held_against_the_weights(copy):
    numbers = json.loads((copy / "bundle.json").read_text())["numbers"]
    changed(copy, numbers=numbers | {"network": numbers["network"] | {"dense": 65536}})
    with pytest.raises(DataError, match=r"weights '.*': do not fit the model of bundle.json: are"):
        load_bundle(copy)


@pytest.mark.parametrize("model", SEEING)
@pytest.mark.parametrize(
    "grounding", [{}, {"refinement": "inference"}, {"edges": "union"}, {"edges": "contact"}, {"masks": "shuffled"}]
)
def test_shapes_of_every_model_are_known_without_memory(model, grounding):
    manifest, known = read_manifest(MINI), Facts.load(MINI / "facts")
    manifest = replace(manifest, experiment=replace(manifest.experiment, model=model, grounding=grounding))
    with torch.device("meta"):
        bodiless = made(manifest, known.to("meta")).state_dict()
    real = made(manifest, known).state_dict()
    assert {name: value.shape for name, value in bodiless.items()} == {n: v.shape for n, v in real.items()}
    assert all(value.is_meta for value in bodiless.values())


def test_weights_that_are_no_numbers_are_refused(copy):
    weights = load_file(copy / "weights.safetensors")
    name = next(name for name, value in weights.items() if value.dtype == torch.float16)
    weights[name].view(-1)[0] = float("nan")
    save_file(weights, copy / "weights.safetensors")
    files = json.loads((copy / "bundle.json").read_text())["files"]
    changed(copy, files=files | {"weights.safetensors": digest(copy / "weights.safetensors")})
    with pytest.raises(DataError, match=f"weights '{name}': are not all finite numbers"):
        load_bundle(copy)


def test_a_bundle_of_photos_has_no_warning(copy):
    changed(copy, world="photos")
    assert load_bundle(copy, "cpu").warning is None
