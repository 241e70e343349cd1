"""The pixel refiner in a study: its stage, the rows that see its masks, how it is measured, and a bundle with it."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_study import begin, parameters

from segsg.evaluation.detection import decode
from segsg.figures import borrowed as figures
from segsg.files import DataError, to_json
from segsg.photos import export
from segsg.photos.bundle import load_bundle
from segsg.study import (
    borrowed,
    detectors,
    facts,
    measurements,
    named_masks,
    precision,
    refiners,
    rows,
    scene_graphs,
    sets,
)
from segsg.study.models import segmenter
from segsg.training.checkpoint import WEIGHTS, save_weights, trainable_state

JOINT, PLAIN, KEY = "smoke-fpn-joint", "smoke-fpn", "smoke-motifs-fpn-sgdet-pixels"
REFINING = "smoke-motifs-fpn-sgdet-model"
SMALL = [
    "detection.score_threshold=0.0",
    "cache_looks=false",
    "pixel_training.learning_rate=0.02",
    "grid.tasks=[sgdet]",
    "grid.ablations=[{model: motifs, detector: fpn, task: sgdet,"
    " changes: {pixels: {masks: refined}, model: {refinement: inference}}}]",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study with a trained pixel refiner; nobody trained its detectors and rows."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        params = begin(folder, patch, SMALL)
        for key, row in params.detectors.items():
            made = detectors.make_detector(facts.load(params), params.numbers, row)
            save_weights(made, detectors.folder(params, key))
            refiners.train_refiner(params, key, refiners.folder(params, key))
        for key in (KEY, REFINING):
            save_weights(untrained(params, key), scene_graphs.folder(params, key))
    return folder


@pytest.fixture
def params(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return parameters(SMALL)


def untrained(params, key=KEY):
    return scene_graphs.untrained(params, rows.row_of(params, key), facts.load(params))


def without_training(params, folder, monkeypatch):
    """Pixel refiners of the study that change nothing."""
    still = replace(params, pixel_training=replace(params.pixel_training, iterations=0))
    refiners.train_refiner(still, JOINT, folder / JOINT)
    monkeypatch.setattr(refiners, "folder", lambda params, key: folder / key)


def test_the_stage_leaves_the_refiner_and_nothing_of_the_detector(params):
    out = refiners.folder(params, JOINT)
    weights = load_file(out / WEIGHTS)
    assert {name.split(".")[0] for name in weights} == {"refiner"}
    assert weights["refiner.residual.weight"].abs().max() > 0
    assert len((out / "history.csv").read_text().splitlines()) == 1 + params.pixel_training.iterations


def test_a_plain_detector_has_a_note_in_place_of_a_refiner(params):
    assert [path.name for path in refiners.folder(params, PLAIN).iterdir()] == ["README"]


def test_a_row_sees_masks_of_the_trained_refiner_and_does_not_keep_it(params):
    model, weights = untrained(params), load_file(refiners.folder(params, JOINT) / WEIGHTS)
    for name, value in model.detector.refiner.state_dict().items():
        assert torch.equal(value, weights[f"refiner.{name}"])
    assert not any(parameter.requires_grad for parameter in model.detector.parameters(SMALL))
    assert not [name for name in trainable_state(model) if "refiner" in name]
    batch = next(sets.all_batches(params, sets.scene_graph_set(params, "test")))
    assert model.look(batch).regions.mask_logits.shape[1] == 1


def test_another_refiner_is_another_training(params):
    path, row = refiners.folder(params, JOINT) / WEIGHTS, rows.row_of(params, KEY)
    other = replace(row, grounding=replace(row.grounding, masks="transferred"))
    before = [scene_graphs._depends_on(params, one) for one in (row, other)]
    saved = path.read_bytes()
    save_file({name: value + 1 for name, value in load_file(path).items()}, path)
    after = [scene_graphs._depends_on(params, one) for one in (row, other)]
    path.write_bytes(saved)
    assert after[0] != before[0] and after[1] == before[1]


def test_a_missing_refiner_names_its_stage(params, tmp_path, monkeypatch):
    monkeypatch.setattr(refiners, "folder", lambda params, key: tmp_path)
    with pytest.raises(DataError, match="run its stage"):
        untrained(params)


def test_refined_masks_are_measured_beside_the_ways_of_transfer(params, tmp_path, monkeypatch):
    qualities = borrowed.transfer_quality(params)["transfer_quality"]
    own = params.grounding.transfer
    assert qualities["refined"].keys() == qualities[own].keys()
    assert qualities["refined"] != qualities[own]
    without_training(params, tmp_path, monkeypatch)
    unchanged = borrowed.transfer_quality(params)["transfer_quality"]
    assert unchanged["refined"] == unchanged[own] == qualities[own]


def one_batch(params):
    return next(sets.all_batches(params, sets.judged_mask_set(params)))


def test_a_look_at_all_detections_has_the_masks_of_the_detector(params):
    detector, batch = detectors.load_detector(params, JOINT), one_batch(params)
    found = detector.detect(batch, "mask")
    named = list(named_masks.named_masks(named_masks.detections(detector, batch), batch))
    for one, other in zip(found, named, strict=True):
        assert len(one["labels"]) > 1
        assert torch.equal(one["labels"], other["labels"]) and torch.equal(one["scores"], other["scores"])
        assert torch.allclose(one["boxes_original"], other["boxes_original"], atol=1e-4)
        assert (one["masks"].numpy() != decode(other["masks"])).mean() < 1e-3


def test_mask_precision_is_measured_in_every_protocol_before_and_after(params, tmp_path, monkeypatch):
    measured = named_masks.detector_masks(params, JOINT)["mask_precision"]
    assert list(measured) == ["detections", "predcls", "sgcls", "sgdet"]
    assert measured["detections"]["masks"]["AP"] == pytest.approx(
        precision.evaluate_detector(params, JOINT)["masks"]["AP"]
    )
    assert any(both["masks"] != both["pixel_masks"] for both in measured.values())
    without_training(params, tmp_path, monkeypatch)
    for protocol, both in named_masks.detector_masks(params, JOINT)["mask_precision"].items():
        assert same(both["pixel_masks"], both["masks"]) and same(both["masks"], measured[protocol]["masks"])


def same(one, other):
    return to_json(one) == to_json(other)


def test_a_detector_without_masks_has_no_mask_precision(params):
    assert named_masks.detector_masks(params, PLAIN) == {}


def test_the_pixel_refiner_comes_after_a_models_own_refinement(params):
    measured = measurements.mask_precision(params, REFINING)
    assert list(measured) == ["unrefined_masks", "masks", "pixel_masks"]
    # An untrained model refines nothing, so that its masks are the detector's.
    of_detector = named_masks.detector_masks(params, JOINT)["mask_precision"]["sgdet"]
    assert same(measured["masks"], measured["unrefined_masks"]) and same(measured["masks"], of_detector["masks"])
    assert same(measured["pixel_masks"], of_detector["pixel_masks"])
    assert measurements.mask_precision(params, KEY) == {}


def test_photos_show_borrowed_refined_and_true_masks_of_true_regions(params):
    choice, shown = figures.borrowed_photos(params, JOINT, each=1)
    shown, known = list(shown), facts.load(params)
    assert len(shown) == len(choice.gains + choice.losses + choice.random) > 0
    detector, way = detectors.load_detector(params, JOINT), segmenter(known, params.grounding)
    images = {batch.image_ids[0]: (batch, regions) for batch, regions in single(params, detector)}
    for (picture, masks, _), image_id in zip(shown, choice.gains + choice.losses + choice.random, strict=True):
        batch, regions = images[image_id]
        ((true, own, _),) = borrowed.true_and_borrowed(batch, regions, way)
        assert str(image_id) in picture.title
        assert list(masks) == ["borrowed", "pixel-refined", "true"]
        assert torch.equal(masks["borrowed"], own) and torch.equal(masks["true"], true)
    assert any((masks["borrowed"] != masks["pixel-refined"]).any() for _, masks, _ in shown)


def single(params, detector):
    photos = sets.with_true_masks(params, sets.scene_graph_set(params, "test"), "test")
    for batch in sets.all_batches(params, photos, images=1):
        yield batch, detector.look(batch, "predcls").regions


def test_without_true_masks_photos_are_drawn(params):
    graphs = replace(params.data.scene_graphs, true_masks=None)
    unknown = replace(params, data=replace(params.data, scene_graphs=graphs))
    choice, shown = figures.borrowed_photos(unknown, JOINT, each=2)
    assert (choice.gains, choice.losses, len(choice.random)) == ([], [], 2)
    assert [list(masks) for _, masks, _ in shown] == [["borrowed", "pixel-refined"]] * 2


def test_a_bundle_has_the_refiner_inside(params, tmp_path, monkeypatch):
    model = export.trained_model(params, KEY)
    test = sets.scene_graph_set(params, "test")
    batch = next(sets.all_batches(params, test))
    photos = [(params.data.scene_graphs.photos / f"{image_id}.jpg").absolute() for image_id in test.image_ids]
    out = export.export(params, KEY, tmp_path / "made", half=False)
    monkeypatch.chdir(tmp_path)
    bundle = load_bundle(out, "cpu")
    assert torch.equal(bundle._network("sgdet").look(batch).regions.mask_logits, model.look(batch).regions.mask_logits)
    assert any(region.mask is not None for graph in bundle.predict_all(photos, top=1) for region in graph.regions)
