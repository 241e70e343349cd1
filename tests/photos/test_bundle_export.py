import json
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from small_study import begin, parameters

from segsg.files import DataError
from segsg.photos import export as bundle
from segsg.photos.bundle import FACTS, load_bundle, read_manifest
from segsg.photos.export import best_experiment
from segsg.study import detectors, facts, scene_graphs, sets
from segsg.study.detectors import make_detector
from segsg.study.facts import Facts
from segsg.study.models import make_model
from segsg.study.params import Group
from segsg.study.rows import rows
from segsg.training.checkpoint import save_weights

KEY, BASELINE = "smoke-motifs-fpn-sgdet-seg", "smoke-motifs-fpn-sgdet-baseline"
SMALL = [
    "world.train=8",
    "world.test=6",
    "detection.score_threshold=0.0",
    "grid.tasks=[sgdet, predcls]",
    "grid.ablations=[]",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study whose models are there, though nobody trained them."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        params = begin(folder, patch, SMALL)
        known, numbers = facts.load(params), params.numbers
        for key, row in params.detectors.items():
            save_weights(make_detector(known, numbers, row), detectors.folder(params, key))
        for key, row in rows(params).items():
            model = make_model(known, numbers, row, make_detector(known, numbers, row.detector))
            save_weights(model, scene_graphs.folder(params, key))
    return folder


@pytest.fixture
def params(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return parameters(SMALL)


@pytest.mark.parametrize("key", [KEY, BASELINE])
def test_a_bundle_says_what_the_study_says_with_no_study_at_hand(key, params, tmp_path, monkeypatch):
    test = sets.scene_graph_set(params, "test")
    photos = [(params.data.scene_graphs.photos / f"{image_id}.jpg").absolute() for image_id in test.image_ids]
    model = bundle.trained_model(params, key)
    expected = [graph for batch in sets.all_batches(params, test) for graph in model.predict(batch)]
    out = bundle.export(params, key, tmp_path / "made", half=False)
    monkeypatch.chdir(tmp_path)
    label_of = {name: label for label, name in enumerate(Facts.load(out / FACTS).names.classes, start=1)}
    graphs = load_bundle(out, "cpu").predict_all(photos, top=3, threshold=0.0)
    assert sum(len(graph.regions) for graph in graphs) > 0
    for graph, said in zip(graphs, expected, strict=True):
        assert [label_of[region.name] for region in graph.regions] == said.labels.tolist()
        torch.testing.assert_close(torch.tensor([r.box for r in graph.regions]).reshape(-1, 4), said.boxes_original)
        assert [r.score for r in graph.regions] == said.scores.tolist()
        best = (said.predicate_probabilities[:, 1:].amax(1) * said.scores[said.pairs].prod(1)).sort(descending=True)
        assert [r.score for r in graph.relations] == best.values[:3].tolist()
        assert all((region.mask is None) == (key == BASELINE) for region in graph.regions)


def test_the_same_study_gives_the_same_bytes_and_half_precision_half_of_them(params, tmp_path):
    first = bundle.export(params, KEY, tmp_path / "first", samples=2)
    second = bundle.export(params, KEY, tmp_path / "second", samples=2)
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert [(first / file).read_bytes() for file in files] == [(second / file).read_bytes() for file in files]
    assert len(list((first / "samples").glob("*.jpg"))) == 2
    full = bundle.export(params, KEY, tmp_path / "full", half=False)
    shorter, longer = ((folder / "weights.safetensors").stat().st_size for folder in (first, full))
    assert shorter < 0.6 * longer


def test_what_half_precision_cannot_hold_stays_as_it_is():
    model = torch.nn.BatchNorm1d(2)
    model.running_var.fill_(1e6)
    kept = bundle.stored(model, half=True)
    assert kept["running_var"].dtype == torch.float32
    assert kept["weight"].dtype == torch.float16
    assert kept["num_batches_tracked"].dtype == torch.int64


def test_loading_leaves_the_random_numbers_of_its_user_alone(params, tmp_path):
    out = bundle.export(params, KEY, tmp_path / "made")
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    load_bundle(out, "cpu")
    assert torch.equal(torch.rand(1), expected)


def test_a_bundle_has_everything_and_lists_it(params, tmp_path):
    out = bundle.export(params, KEY, tmp_path / "made")
    manifest = json.loads((out / "bundle.json").read_text())
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert manifest["files"].keys() == found - {"bundle.json"}
    weights = load_file(out / "weights.safetensors")
    assert {"context.bias.table", "extractor.segmenter.transfer", "context.soft_labels.table"} <= weights.keys()
    assert str(tmp_path) not in (out / "bundle.json").read_text()
    assert not list(tmp_path.glob("*.part"))


def test_an_older_bundle_is_replaced_but_nothing_else(params, tmp_path):
    out = bundle.export(params, KEY, tmp_path / "made", samples=1)
    bundle.export(params, BASELINE, out)
    assert read_manifest(out).name == BASELINE
    assert not (out / "samples").exists()
    for folder in (tmp_path / "mine", out):
        folder.mkdir(exist_ok=True)
        (folder / "letter").touch()
        with pytest.raises(ValueError, match="letter: would be lost, and is of no bundle"):
            bundle.export(params, KEY, folder)
        assert (folder / "letter").exists()


def test_a_folder_beside_the_bundle_stays(params, tmp_path):
    (tmp_path / "made.part").mkdir()
    bundle.export(params, KEY, tmp_path / "made")
    assert (tmp_path / "made.part").is_dir()


def test_an_experiment_that_no_photo_can_feed_is_refused(params, tmp_path):
    with pytest.raises(ValueError, match="take an sgdet row"):
        bundle.export(params, "smoke-motifs-fpn-predcls-seg", tmp_path / "made")
    with pytest.raises(ValueError, match=r"no experiment 'nobody' in params\.yaml; there are smoke-motifs"):
        bundle.export(params, "nobody", tmp_path / "made")


def test_an_experiment_that_is_not_trained_names_the_command(params, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="missing; train it with `dvc repro detector@smoke-fpn-joint`"):
        bundle.export(params, KEY, tmp_path / "made")


def test_weights_of_another_model_are_refused(params, tmp_path):
    out, other = (bundle.export(params, key, tmp_path / key) for key in (KEY, BASELINE))
    shutil.copyfile(other / "weights.safetensors", out / "weights.safetensors")
    manifest = json.loads((out / "bundle.json").read_text())
    manifest["files"]["weights.safetensors"] = json.loads((other / "bundle.json").read_text())["files"][
        "weights.safetensors"
    ]
    (out / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=r"weights\.safetensors: weights '.*': do not fit the model"):
        load_bundle(out, "cpu")


def evaluated(params, key, validation, **more):
    path = scene_graphs.folder(params, key) / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = {"metrics": {"mR@50": {"value": validation, "low": 0.1, "high": 0.9}}}
    path.write_text(json.dumps({"images": 6, "validation": {"images": 2} | numbers} | numbers | more))


def with_rows(params, rows):
    """The study with these rows alone, all of one group."""
    return replace(params, groups={"all": Group("smoke-fpn-joint", rows)})


def test_validation_images_choose_among_grounded_models_that_could_be_used(params, tmp_path, monkeypatch):
    grounded, row = params.experiments[KEY], {"sgdet-shuffled": "shuffled", "sgdet-none": "transferred"}
    more = {key: replace(grounded, grounding={"masks": masks}) for key, masks in row.items()}
    params = with_rows(params, params.experiments | more)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="no seg-grounded sgdet experiment has validation numbers; run `segsg repro`"):
        best_experiment(params)
    without = {key: row for key, row in params.experiments.items() if row.grounding is None}
    with pytest.raises(ValueError, match="the study has no seg-grounded sgdet experiment; `segsg profile use mini`"):
        best_experiment(with_rows(params, without))
    for key, value in {KEY: 0.3, BASELINE: 0.9, "sgdet-shuffled": 0.8, "sgdet-none": 0.4}.items():
        evaluated(params, key, value)
    assert best_experiment(params) == "sgdet-none"


def test_the_card_of_an_evaluated_model_has_its_numbers(params, tmp_path):
    evaluated(params, KEY, 0.25, unshared={"images": 5})
    card = (bundle.export(params, KEY, tmp_path / "made") / "MODEL_CARD.md").read_text()
    (scene_graphs.folder(params, KEY) / "metrics.json").unlink()
    assert "on 6 test images of the same kind, in per cent with 95 % intervals" in card
    assert "| mR@50 | 25.0 [10.0, 90.0] |" in card
    assert "(1 of the 6 test images below are among these)" in card


def test_the_card_says_what_the_model_has_seen(params, tmp_path):
    card = (bundle.export(params, KEY, tmp_path / "made") / "MODEL_CARD.md").read_text()
    assert "only ever seen drawings" in card
    assert f"{len(sets.training_set(params))} images with scene graphs" in card
    assert "It was not evaluated" in card
