import json
from pathlib import Path

import pytest
import yaml

from segsg.files import ROOT, DataError, read_yaml
from segsg.study import params as parameters
from segsg.study import profile
from segsg.study.names import MODELS, PAPER_DETECTORS, TASKS
from segsg.study.params import Params, read_section


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A folder with the project's profiles and nothing else."""
    (tmp_path / "profiles").mkdir()
    for path in (ROOT / "profiles").glob("*.yaml"):
        (tmp_path / "profiles" / path.name).write_text(path.read_text())
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", profile.names() or ["mini", "paper", "smoke", "trial"])
def test_every_profile_loads(name, copy):
    profile.use(name)
    params = parameters.load()
    assert params.report == name and params.profile == name.removesuffix("-seeds")
    assert params.experiments.keys() >= {next(iter(params.experiments))}
    assert {row.detector for row in params.experiments.values()} == params.detectors.keys()


BROKEN = {
    "an open list": b"profile: [1",
    "an alias without anchor": b"profile: *nobody",
    "a control character": b"profile: \x01",
    "another encoding": b"\xff\xfe\x00",
    "endless nesting": b"profile: " + b"[" * 5000 + b"]" * 5000,
    "an object of Python": b"profile: !!python/object/apply:os.getcwd []",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_of_parameters_is_one_clear_line(copy, kind):
    parameters.PARAMS_FILE.write_bytes(BROKEN[kind])
    with pytest.raises(DataError, match=r"^params\.yaml: file: is not YAML \(.*\).*segsg profile use NAME") as caught:
        parameters.load()
    assert "\n" not in str(caught.value)


def test_absent_parameters_and_folders_in_their_place(copy):
    with pytest.raises(DataError, match=r"params\.yaml: file: cannot be read \(No such file"):
        parameters.load()
    parameters.PARAMS_FILE.mkdir()
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory\)"):
        parameters.load()


def test_an_override_that_is_not_yaml_is_named(copy):
    with pytest.raises(ValueError, match=r"override 'seed=\[1': the value is not YAML"):
        profile.use("smoke", ["seed=[1"])


def test_an_override_is_applied_and_remembered(copy):
    profile.use("smoke", ["stage2.learning_rate=0.5", "data.word_vectors=/tmp/my vectors.txt"])
    params = parameters.load()
    assert params.stage2.learning_rate == 0.5
    assert str(params.data.word_vectors) == "/tmp/my vectors.txt"
    name, overrides = profile.written_by()
    assert profile.text(name, overrides) == parameters.PARAMS_FILE.read_text()


def test_a_profile_that_is_like_another_has_its_numbers_and_folders_of_its_own(copy):
    Path("profiles/small.yaml").write_text("like: mini\nseed: 7\nworld: {train: 10}\n")
    small, mini = profile.resolve("small"), profile.resolve("mini")
    assert (small["profile"], small["report"], small["seed"]) == ("small", "small", 7)
    assert small["world"] == mini["world"] | {"train": 10}
    assert small["stage2"] == mini["stage2"]
    assert small["data"]["scene_graphs"]["photos"].startswith("data/small/")
    assert len(small["groups"]) == len(mini["groups"])
    Path("profiles/more.yaml").write_text("extends: small\ngrid: {tasks: [predcls]}\n")
    more = profile.resolve("more")
    assert (more["profile"], more["report"], more["world"]["train"]) == ("small", "more", 10)


@pytest.mark.parametrize("other", ["quick", "mini-seeds"])
def test_a_profile_is_like_one_that_stands_on_no_other(other, copy):
    Path("profiles/small.yaml").write_text(f"like: {other}\n")
    with pytest.raises(ValueError, match=r"profile small: it stands on a profile with `(like|extends)`"):
        profile.resolve("small")


def report_of(name, values):
    """A finished study's report, as far as this module looks at it."""
    Path("reports", name).mkdir(parents=True)
    Path("reports", name, "passport.json").write_text(json.dumps({"parameters": values}))


CHANGE = "stage2.learning_rate=0.5"


def test_no_study_takes_the_place_of_a_report_of_other_numbers(copy):
    profile.use("mini")
    report_of("mini", read_yaml(parameters.PARAMS_FILE))
    profile.use("mini")  # its own numbers, perhaps newer ones
    before = parameters.PARAMS_FILE.read_bytes()
    with pytest.raises(ValueError, match=r"^reports/mini: it holds the report of other .*`--name NAME` \(with DVC"):
        profile.use("mini", [CHANGE])
    with pytest.raises(ValueError, match=r"^--name smoke: a profile has this name"):
        profile.use("mini", [CHANGE, "report=smoke"])
    assert parameters.PARAMS_FILE.read_bytes() == before
    profile.use("mini", [CHANGE, "report=fast"])
    params = parameters.load()
    assert (params.profile, params.report, params.stage2.learning_rate) == ("mini", "fast", 0.5)


def test_a_changed_study_may_run_again_under_its_own_name(copy):
    profile.use("mini", [CHANGE, "report=fast"])
    report_of("fast", read_yaml(parameters.PARAMS_FILE))
    profile.use("mini", [CHANGE, "report=fast"])
    with pytest.raises(ValueError, match=r"^reports/fast: it holds the report of other numbers"):
        profile.use("mini", ["stage2.learning_rate=0.25", "report=fast"])


def test_numbers_changed_by_dvc_need_a_report_of_their_own(copy):
    profile.use("mini")
    report_of("mini", read_yaml(parameters.PARAMS_FILE) | {"seed": 17})
    profile.check_numbers()  # mini's own numbers may replace older ones of its own
    written = parameters.PARAMS_FILE.read_text()
    changed = written.replace("learning_rate: 0.001", "learning_rate: 0.25")
    assert changed != written
    parameters.PARAMS_FILE.write_text(changed)
    with pytest.raises(ValueError, match=r"^reports/mini: it holds the report of other numbers"):
        profile.check_numbers()
    parameters.PARAMS_FILE.write_text(changed.replace("report: mini", "report: mine"))
    profile.check_numbers()


def test_merging_replaces_values_and_lists_but_not_sections():
    below = {"a": {"x": 1, "y": [1, 2]}, "b": 1, "w": {"k": 1}}
    above = {"a": {"y": [3]}, "c": 2, "w": None}
    assert profile.merge(below, above) == {"a": {"x": 1, "y": [3]}, "b": 1, "c": 2, "w": None}


def test_the_profile_names_its_folders():
    assert profile.resolve("smoke")["data"]["scene_graphs"]["photos"].startswith("data/smoke/")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["stage2.learning_rat=1"], "unknown key 'learning_rat'; did you mean 'learning_rate'"),
        (["stage2.learning_rate=fast"], "stage2: learning_rate: expected float, got 'fast'"),
        (["stage2"], "override 'stage2': write it as section.key=value"),
        (["grid.methods=[masks]"], "'masks' is not one of"),
        (["network.region_side=28"], "network.pair_side: 14 is no multiple of region_side, 28"),
    ],
)
def test_a_wrong_override_is_an_error_that_says_what_is_right(overrides, message):
    with pytest.raises(ValueError, match=message):
        profile.resolve("smoke", overrides)


def test_an_unknown_profile_is_an_error_that_lists_the_others():
    with pytest.raises(ValueError, match=rf"no profile 'huge'; there are {', '.join(profile.names())}"):
        profile.resolve("huge")


def test_a_file_written_by_hand_is_noticed(tmp_path):
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"profile": "mini"}))
    with pytest.raises(ValueError, match="its first line is not"):
        profile.written_by(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{edgse: none}", "grounding of smoke-vctree-fpn-sgcls-wrong: unknown key 'edgse'; did you mean 'edges'"),
        ("{masks: rectangle}", "masks: 'rectangle' is not one of transferred, refined"),
        ("{masks: zero, refinement: training}", "masks: zero cannot be refined; set refinement: none or"),
    ],
)
def test_a_wrong_change_of_a_row_is_found_before_anything_runs(change, message):
    place = f"{{model: vctree, detector: fpn, task: sgcls, changes: {{wrong: {change}}}}}"
    with pytest.raises(ValueError, match=message):
        profile.resolve("smoke", [f"grid.ablations=[{place}]"])


@pytest.mark.parametrize(
    "override",
    [
        "stage1.iterations=-5", "stage2.images=0", "stage2.mask_images=-1", "stage1.learning_rate=0",
        "stage1.learning_rate=-1", "stage1.learning_rate=.nan", "stage1.learning_rate=.inf", "stage2.weight_decay=-0.1",
        "stage2.clip_norm=0", "stage1.warmup=-1", "stage1.steps=[5, 3]", "stage1.checkpoint_every=0",
        "detection.nms_threshold=7", "detection.score_threshold=-0.1", "detection.box_positive_fraction=2",
        "detection.regions=0", "detection.regions=100000", "sampling.pairs=0", "sampling.positive_fraction=1.5",
        "network.dropout=5", "network.hidden=0", "network.region_side=9", "grounding.kernel=4", "grounding.channels=-1",
        "network.input_dropout=1", "network.pair_side=21",
        "grounding.transfer_threshold=2", "refinement.width=0", "evaluation.ks=[]", "evaluation.ks=[50, 20]",
        "evaluation.ks=[20, 20]", "evaluation.ks=[0]", "evaluation.iou=7", "evaluation.iou=0",
        "evaluation.confidence=2",
        "evaluation.resamples=0", "evaluation.late_nms=-1", "evaluation.figures=0", "data.short_side=0",
        "data.long_side=1", "data.short_sides=[0]", "data.short_sides=[9, 8]",
        "data.validation_images=-1", "world.train=0", "world.shared=1.1", "world.side=1", "seed=-1",
        "seed=1.5", "seed=true", "network.hidden='64'", "data.distant_relations=1",
    ],
)  # fmt: skip
def test_an_impossible_number_is_refused_by_its_name(override):
    section = override.partition("=")[0]
    with pytest.raises(ValueError) as told:
        profile.resolve("smoke", [override])
    assert section.rpartition(".")[2] in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["a b", "../up", "a;touch x", "$(touch x)", "-rf", ".hidden", "a/b", "", "ä", "a\nb"])
def test_names_that_could_not_stand_in_a_path_or_a_command_are_refused(name):
    values = profile.resolve("smoke")
    group = next(iter(values["groups"].values()))
    renamed = group | {"rows": {name: next(iter(group["rows"].values()))}}
    sections = ({"groups": {name: group}}, {"groups": {"a": renamed}}, {"detectors": {name: {}}})
    for changed in ({"profile": name}, {"report": name}, *sections):
        with pytest.raises(ValueError, match="is not plain"):
            read_section(Params, values | changed, "test")


def test_a_row_of_a_profile_cannot_reach_the_shell():
    row = "{model: motifs, detector: fpn, method: baseline, task: predcls}"
    with pytest.raises(ValueError, match="is not plain"):
        profile.resolve("smoke", [f"grid.rows={{'a; touch x': {row}}}"])


@pytest.mark.parametrize("name", ["x$(touch pwned)", "../../../../..pwned", "x`touch pwned`", "x & touch pwned", "x|y"])
def test_a_profile_with_a_hostile_row_writes_nothing_and_names_the_row(copy, name):
    hostile = yaml.safe_load(Path("profiles/smoke.yaml").read_text())
    row = {"model": "motifs", "detector": "fpn", "method": "baseline", "task": "predcls"}
    hostile["grid"] = {**hostile["grid"], "rows": {name: row}}
    Path("profiles/hostile.yaml").write_text(yaml.safe_dump(hostile))
    assert profile.names() and read_yaml(Path("profiles/hostile.yaml")) == hostile  # so YAML is not what is refused
    with pytest.raises(ValueError, match="is not plain") as told:
        profile.use("hostile")
    assert name in str(told.value) and "\n" not in str(told.value)
    assert not Path("params.yaml").exists() and not Path("pwned").exists()


def test_a_profile_that_extends_another_shares_its_runs_and_reports_on_its_own():
    mini, more = profile.resolve("mini"), profile.resolve("mini-seeds")
    assert more["profile"] == "mini" and more["report"] == "mini-seeds"
    assert mini["detectors"] == more["detectors"] and mini["data"] == more["data"]
    assert mini["groups"].items() < more["groups"].items()
    others = [group for name, group in more["groups"].items() if name not in mini["groups"]]
    added = [row for group in others for row in group["rows"].values()]
    assert {row["seed"] for row in added} == {1, 2}
    compared = {
        (row["model"], row["detector"], row["task"], row["method"]) for row in added if not row.get("grounding")
    }
    assert {
        (m, f"mini-{d}", t, "baseline")
        for m in ("motifs", "vctree")
        for d in ("fpn", "fpn-joint")
        for t in ("predcls", "sgcls", "sgdet")
    } <= compared


@pytest.mark.parametrize("name", ["mini", "paper"])
def test_masks_are_refined_wherever_the_paper_refines_them(name):
    params = read_section(Params, profile.resolve(name), "test")
    refined = {
        (row.model, params.detectors[row.detector].backbone, row.task)
        for row in params.experiments.values()
        if row.grounding == {"refinement": "inference"}
    }
    printed = {(MODELS.get(model), PAPER_DETECTORS[backbone], task) for model, backbone, task in refined}
    values = read_yaml(ROOT / "data" / "facts" / "paper_values.yaml")["table2"]
    assert printed == {(row["model"], row["detector"], task) for row in values if row["model"] for task in TASKS}
