"""A study with cached looks: rows read no pixels, and their refined and true masks are computed once in a process."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_study import begin, parameters

from segsg.data.photos import is_blank, read_photo
from segsg.detection.looks import from_steps, to_steps
from segsg.grounding.segmenter import TrueMaskDetector
from segsg.study import detectors, facts, kept, refiners, rows, scene_graphs, sets
from segsg.training.checkpoint import WEIGHTS, save_weights

JOINT, PIXELS, ORACLE = "smoke-fpn-joint", "smoke-motifs-fpn-predcls-pixels", "smoke-motifs-fpn-predcls-oracle"
SMALL = [
    "detection.score_threshold=0.0",
    "cache_looks=true",
    "pixel_training.learning_rate=0.02",
    "grid.tasks=[predcls]",
    "grid.ablations=[{model: motifs, detector: fpn, task: predcls,"
    " changes: {pixels: {masks: refined}, oracle: {masks: oracle}}}]",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study with a trained pixel refiner and the looks of a detector that nobody trained."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        params = begin(folder, patch, SMALL)
        patch.setattr(detectors, "tqdm", lambda batches, *_, **__: batches)  # type checks in tests take no bar
        made = detectors.make_detector(facts.load(params), params.numbers, params.detectors[JOINT])
        save_weights(made, detectors.folder(params, JOINT))
        detectors.cache_looks(params, JOINT, detectors.looks_folder(params, JOINT))
        refiners.train_refiner(params, JOINT, refiners.folder(params, JOINT))
    return folder


@pytest.fixture
def params(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(kept, "_tables", {})
    return parameters(SMALL)


def untrained(params, key):
    return scene_graphs.untrained(params, rows.row_of(params, key), facts.load(params))


def live(params, key):
    """The masks of a row as they come at every step without a table, from photos and true masks."""
    row, detector = rows.row_of(params, key), detectors.look_at(params, JOINT)
    seeing = TrueMaskDetector(detector) if row.sees_truth else detector
    return scene_graphs.on_detector(params, row, facts.load(params), seeing)


@pytest.mark.parametrize("key", [PIXELS, ORACLE])
@pytest.mark.parametrize("split", ["train", "test"])
def test_kept_masks_are_those_of_every_step_in_eighths(params, key, split):
    row = rows.row_of(params, key)
    model, without = untrained(params, key), live(params, key)
    read = sets.all_batches(params, scene_graphs.images(params, row, split), 3)
    unread = sets.all_batches(params, scene_graphs.read_images(params, row, split), 3)
    for photos, blanks in zip(read, unread, strict=True):
        assert is_blank(blanks.images) and blanks.masks is None
        found, expected = model.look(blanks).regions, without.look(photos).regions
        # Alone and in company the refiner's sums may differ in their last bits, which moves a few values by a step.
        difference = (found.mask_logits - from_steps(to_steps(expected.mask_logits))).abs()
        assert difference.max() <= 1 / 8 and (difference > 0).float().mean() < 0.01
        assert torch.equal(found.boxes, expected.boxes)
        assert torch.equal(found.class_probabilities, expected.class_probabilities)


def test_rows_share_one_pass_and_no_step_reads_a_photo(params, monkeypatch):
    read = []
    seen = sets.stage2_set

    def counted(params, split, read_with=read_photo):
        read.append((split, read_with))
        return seen(params, split, read_with)

    monkeypatch.setattr(sets, "stage2_set", counted)
    looks = []
    for _ in range(2):
        model, row = untrained(params, PIXELS), rows.row_of(params, PIXELS)
        for batch in sets.all_batches(params, scene_graphs.read_images(params, row, "train")):
            looks.append(model.look(batch).regions.mask_logits)
    assert torch.equal(torch.cat(looks[: len(looks) // 2]), torch.cat(looks[len(looks) // 2 :]))
    assert [each for each in read if each[1] is read_photo] == [("train", read_photo)]


def test_an_image_has_the_same_masks_in_any_batch(params):
    model, row = untrained(params, PIXELS), rows.row_of(params, PIXELS)
    images = scene_graphs.read_images(params, row, "test")
    together, alone = (
        torch.cat([model.look(batch).regions.mask_logits for batch in sets.all_batches(params, images, count)])
        for count in (4, 1)
    )
    assert torch.equal(together, alone)


def test_another_refiner_makes_another_table(params):
    path = refiners.folder(params, JOINT) / WEIGHTS
    saved, before = path.read_bytes(), untrained(params, PIXELS).detector.masks_of.table
    assert untrained(params, PIXELS).detector.masks_of.table is before
    save_file({name: value + 1 for name, value in load_file(path).items()}, path)
    after = untrained(params, PIXELS).detector.masks_of.table
    path.write_bytes(saved)
    assert after is not before


def test_an_image_of_no_split_has_no_masks(params):
    with pytest.raises(ValueError, match="image 123456789 is in no split"):
        untrained(params, ORACLE).detector.masks_of(123456789)


@pytest.mark.parametrize("key", [PIXELS, ORACLE])
def test_a_row_trains_and_predicts(params, key, tmp_path, monkeypatch):
    monkeypatch.setattr(scene_graphs, "folder", lambda params, key: tmp_path)
    scene_graphs.train_scene_graph(params, key, tmp_path)
    assert len(list(scene_graphs.predict(params, key))) == 4
