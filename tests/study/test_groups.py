"""Rows of a group are trained and measured one by one, each kept while nothing of it has changed."""

import shutil
from dataclasses import replace

import pytest
from small_study import begin, parameters

from segsg.files import DIGESTS, read_metrics, to_json
from segsg.study import detectors, facts, groups, measurements, scene_graphs, shared
from segsg.training.checkpoint import save_weights

SMALL = [
    "cache_looks=false",
    "stage2.iterations=4",
    "stage2.checkpoint_every=1",
    "evaluation.resamples=5",
    "grid.tasks=[predcls]",
    "grid.methods=[baseline]",
    "grid.models=[imp, motifs]",
    "grid.frequency=true",
    "grid.ablations=[]",
]
GROUP = "smoke-fpn-predcls"
IMP, MOTIFS, FREQUENCY = (f"smoke-{name}" for name in ("imp-fpn-predcls-baseline", "motifs-fpn-predcls-baseline",
                                                      "frequency-fpn-predcls"))  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study with an untrained detector, and the folder of its one group, made once."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        params = begin(folder, patch, SMALL)
        detector = detectors.make_detector(facts.load(params), params.numbers, params.detectors["smoke-fpn"])
        save_weights(detector, detectors.folder(params, "smoke-fpn"))
        groups.make_group(params, GROUP, scene_graphs.folder(params, IMP).parent)
    return folder


@pytest.fixture
def params(study, tmp_path, monkeypatch):
    """The same study in a folder of its own."""
    shutil.copytree(study, tmp_path / "study")
    monkeypatch.chdir(tmp_path / "study")
    return parameters(SMALL)


@pytest.fixture
def out(params):
    return scene_graphs.folder(params, IMP).parent


@pytest.fixture
def done(monkeypatch):
    """(what was done, key) of each step."""
    steps = []

    def watched(module, name):
        make = getattr(module, name)

        def call(params, key, out):
            make(params, key, out)
            steps.append((name, key))

        monkeypatch.setattr(module, name, call)

    watched(scene_graphs, "train_scene_graph")
    watched(measurements, "write")
    return steps


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def only(params, *keys):
    """The study with these rows of the group alone."""
    rows = {key: params.groups[GROUP].rows[key] for key in keys}
    return replace(params, groups={GROUP: replace(params.groups[GROUP], rows=rows)})


def test_a_row_is_the_same_whatever_ran_before_it(params, out):
    before = contents(out / MOTIFS)
    assert {"model.safetensors", "early.safetensors", "history.csv", "metrics.json", "ranks.npz"} <= before.keys()
    shutil.rmtree(out)
    groups.make_group(only(params, MOTIFS), GROUP, out)
    assert contents(out / MOTIFS) == before


def test_rows_that_were_trained_say_what_the_last_quarter_brought(out):
    assert {"early", "gain"} <= read_metrics(out / MOTIFS)["validation"].keys()
    assert not {"early", "gain"} & read_metrics(out / FREQUENCY)["validation"].keys()
    assert not (out / FREQUENCY / "early.safetensors").exists()


def test_what_is_finished_is_kept_and_what_left_the_group_goes(params, out, done):
    before = contents(out / IMP)
    groups.make_group(only(params, IMP), GROUP, out)
    assert done == [] and contents(out) == {f"{IMP}/{name}": text for name, text in before.items()}


def test_a_new_row_is_trained_alone(params, out, done, capsys):
    groups.make_group(only(params, MOTIFS), GROUP, out)
    groups.make_group(only(params, MOTIFS, IMP), GROUP, out)
    assert done == [("train_scene_graph", IMP), ("write", IMP)]
    said = capsys.readouterr().out
    assert f"[1/2] {MOTIFS}: kept" in said and f"[2/2] {IMP}: trained and measured" in said


def test_another_way_of_measuring_trains_nothing(params, out, done):
    numbers = replace(params.evaluation, resamples=6)
    groups.make_group(replace(only(params, IMP), evaluation=numbers), GROUP, out)
    assert done == [("write", IMP)]


def test_other_numbers_of_training_train_and_measure(params, out, done):
    numbers = replace(params.stage2, learning_rate=0.002)
    groups.make_group(replace(only(params, IMP), stage2=numbers), GROUP, out)
    assert done == [("train_scene_graph", IMP), ("write", IMP)]


@pytest.mark.parametrize(
    ("name", "trained", "measured"),
    [
        ("model.safetensors", False, True),
        ("early.safetensors", False, True),
        ("history.csv", False, True),
        ("metrics.json", True, False),
        ("ranks.npz", True, False),
        (DIGESTS, False, False),
        (groups.MADE_OF, False, False),
    ],
)
@pytest.mark.parametrize("damage", ["cut", "missing"])
def test_a_damaged_file_says_what_is_not_done(damage, name, trained, measured, params, out):
    wanted = scene_graphs.fingerprint(params, IMP), measurements.fingerprint(params, IMP)
    assert groups.is_trained(out / IMP, wanted[0]) and groups.is_measured(out / IMP, wanted[1])
    path = out / IMP / name
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[:-9])
    assert groups.is_trained(out / IMP, wanted[0]) is trained
    assert groups.is_measured(out / IMP, wanted[1]) is measured


def test_a_damaged_row_is_made_again(params, out, done):
    before, path = contents(out / IMP), out / IMP / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    groups.make_group(only(params, IMP), GROUP, out)
    assert contents(out / IMP) == before
    assert done == [("train_scene_graph", IMP), ("write", IMP)]


def test_what_was_left_half_measured_is_measured_and_not_trained(params, out, done):
    before, path = contents(out / IMP), out / IMP
    (path / groups.MADE_OF).write_text(to_json({"weights": scene_graphs.fingerprint(params, IMP)}))
    (path / ".metrics.json.part").write_text("{")
    groups.make_group(only(params, IMP), GROUP, out)
    assert done == [("write", IMP)] and contents(path) == before


def test_an_interrupted_group_keeps_what_is_done_and_goes_on_in_the_middle_of_a_row(params, out, done, monkeypatch):
    before = contents(out)
    shutil.rmtree(out)
    losses = scene_graphs.SceneGraphModel.losses
    calls = []

    def interrupted(model, batch):
        calls.append(1)
        if len(calls) == 4 + 3:
            raise KeyboardInterrupt
        return losses(model, batch)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(scene_graphs.SceneGraphModel, "losses", interrupted)
        groups.make_group(params, GROUP, out)
    assert done == [("train_scene_graph", IMP), ("write", IMP)]
    steps = []
    monkeypatch.setattr(
        scene_graphs.SceneGraphModel, "losses", lambda model, batch: steps.append(1) or losses(model, batch)
    )
    groups.make_group(params, GROUP, out)
    assert len(steps) == 2 and done[2:4] == [("train_scene_graph", MOTIFS), ("write", MOTIFS)]
    assert contents(out) == before


def test_one_row_can_be_made_anew(params, out, done):
    before = contents(out)
    groups.make_group(params, GROUP, out, MOTIFS)
    assert done == [("train_scene_graph", MOTIFS), ("write", MOTIFS)] and contents(out) == before


def test_an_unknown_group_or_row_is_named_with_those_there_are(params, out):
    with pytest.raises(ValueError, match=f"'nobody' is no group of profile smoke; choose one of {GROUP}"):
        groups.make_group(params, "nobody", out)
    with pytest.raises(ValueError, match=f"'nobody' is no row of group {GROUP}; choose one of all, {IMP}"):
        groups.make_group(params, GROUP, out, "nobody")


def test_what_rows_share_is_opened_once_within_a_group_and_anew_outside(params):
    with shared.opened_once():
        assert facts.load(params) is facts.load(params)
        assert facts.load(params) is not facts.load(replace(params))
    assert facts.load(params) is not facts.load(params)
