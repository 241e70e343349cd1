from argparse import Namespace
from pathlib import Path

import pytest
import yaml

from segsg.files import ROOT, DataError
from segsg.pipeline import trial
from segsg.pipeline.processes import alone
from segsg.pipeline.trial import cut, paths
from segsg.study import profile
from segsg.study.params import Params, read_section


@pytest.fixture
def folders(tmp_path):
    for name in (
        "g/VG-SGG.h5",
        "g/VG-SGG-dicts-with-attri.json",
        "g/image_data.json",
        "m/annotations/instances_val2017.json",
        "v.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "g" / "VG_100K").mkdir()
    (tmp_path / "m" / "images").mkdir()
    return tmp_path / "g", tmp_path / "m", tmp_path / "v.txt"


def test_folders_become_overrides_that_the_profile_takes(folders, monkeypatch):
    monkeypatch.chdir(ROOT)
    data = profile.resolve("trial", trial.overrides(paths(*folders)))["data"]
    assert data["scene_graphs"]["vocabulary"] == str(folders[0] / "VG-SGG-dicts-with-attri.json")
    assert data["masks_train"]["photos"] == data["masks_validation"]["photos"] == str(folders[1] / "images")
    assert data["word_vectors"] == str(folders[2])


def test_a_missing_file_is_named_with_its_folder(folders):
    (folders[0] / "image_data.json").unlink()
    with pytest.raises(ValueError, match=r"/g: no image_data\.json in it"):
        paths(*folders)


def test_missing_word_vectors_are_named(folders):
    with pytest.raises(ValueError, match="no such file of word vectors"):
        paths(*folders[:2], folders[2].with_name("glove.txt"))


def test_no_image_is_no_trial(folders, tmp_path):
    with pytest.raises(ValueError, match="--images 0: a trial needs one image at least"):
        cut(paths(*folders), 0, tmp_path / "excerpt")


def test_a_copy_has_all_that_stages_need_and_nothing_that_they_made(tmp_path):
    copy = trial.create(tmp_path / "copy")
    assert all((copy / name).exists() for name in trial.SOURCES)
    assert not any((copy / name).exists() for name in ("params.yaml", "dvc.lock", "runs", "reports", ".git"))
    assert not list(copy.rglob("__pycache__"))


def test_a_copy_starts_empty(tmp_path):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "old.txt").touch()
    assert not (trial.create(tmp_path / "copy") / "old.txt").exists()


@pytest.mark.parametrize("name", ["smoke", "mini"])
def test_the_copy_runs_its_own_code(tmp_path, name):
    copy = trial.create(tmp_path / "copy")
    before = (ROOT / "params.yaml").read_text()
    assert trial.segsg(copy, "profile", "use", name) == 0
    assert f"profile: {name}" in (copy / "params.yaml").read_text()
    assert (ROOT / "params.yaml").read_text() == before


HOSTILE = ["VG #2", "a: b", "*x", "&x", "yes", "1e3", "@x", "{a}", "[a]", "'", '"', "\\", "ä 猫 🐈", "~", "a\nb", " "]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_path_reaches_the_profile_as_it_is(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    path = Path("/data") / name / name
    made = profile.text("trial", trial.overrides({"data.word_vectors": path, "data.name_pairs": Path(name)}))
    assert yaml.safe_load(made)["data"]["word_vectors"] == str(path)
    assert yaml.safe_load(made)["data"]["name_pairs"] == str(Path(name))
    assert made.count("# Written by") == 1 and made.splitlines()[1].startswith("profile: ")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder in place of the project's; commands in copies leave a report instead of a study."""

    def segsg(folder, *arguments):
        page = folder / "reports" / (profiles[-1] if profiles else "") / "html" / "index.html"
        if arguments[0] == "repro":
            page.parent.mkdir(parents=True)
            page.write_text("new")
        else:
            profiles.append(arguments[2])
        return 0

    profiles = []
    monkeypatch.setattr(trial, "ROOT", tmp_path)
    monkeypatch.setattr(trial, "create", lambda folder: folder)
    monkeypatch.setattr(trial, "segsg", segsg)
    return tmp_path


def test_the_report_of_a_smoke_run_outlives_its_copy_and_replaces_the_last(project, capsys):
    old = project / "reports" / "smoke" / "html" / "old.html"
    old.parent.mkdir(parents=True)
    old.touch()
    assert trial.run_smoke(Namespace(jobs=1)) == 0
    page = project / "reports" / "smoke" / "html" / "index.html"
    assert str(page) in capsys.readouterr().out
    assert page.read_text() == "new"
    assert not old.exists()


def test_a_second_trial_is_refused_before_it_touches_the_first(project, folders, monkeypatch):
    monkeypatch.setattr(trial, "create", lambda folder: pytest.fail("the first trial's folder is emptied"))
    graphs, masks, vectors = folders
    options = Namespace(graphs=graphs, masks=masks, word_vectors=vectors, images=None, set=[], jobs=1)
    with (
        alone(project / "work" / "trial.lock"),
        pytest.raises(ValueError, match=r"trial\.lock: process \d+ is at work"),
    ):
        trial.run_trial(options)


def tried(project, monkeypatch, check, code=0):
    """Tries a study out with another check and another end of its stages; returns what became of it."""
    begun, pages = [], []

    def segsg(folder, *arguments):
        begun.append(arguments[0])
        return code

    def write_page(report, params, **how):
        report.mkdir(parents=True, exist_ok=True)
        (report / "trial.html").touch()
        pages.append((how["ran"], how.get("error", "")))

    monkeypatch.setattr(trial, "segsg", segsg)
    monkeypatch.setattr(trial, "write_page", write_page)
    monkeypatch.setattr(trial, "of_params", lambda params: params)
    monkeypatch.setattr(trial.check_data, "check", check)
    monkeypatch.setattr(trial, "use", lambda *_: 0)
    monkeypatch.setattr(trial, "load", lambda path: read_section(Params, profile.resolve("trial"), "trial"))
    return begun, pages, lambda: trial.try_out(project / "copy", [], 1)


@pytest.mark.parametrize(("stops", "code", "begun", "ran"), [
    (True, 0, [], None), (False, 0, ["repro"], True), (False, 1, ["repro"], False),
])  # fmt: skip
def test_stages_run_only_on_files_without_a_fault(project, monkeypatch, stops, code, begun, ran):
    monkeypatch.chdir(ROOT)
    seen, pages, run = tried(project, monkeypatch, lambda files, out: stops, code)
    assert run() == (1 if stops else code)
    assert seen == begun and pages == [(ran, "")]
    assert (project / "reports/trial/trial.html").is_file()


def test_files_that_cannot_be_read_leave_a_page_that_says_so(project, monkeypatch):
    monkeypatch.chdir(ROOT)

    def check(files, out):
        raise DataError("x.h5", "file", "is bad", "mend it")

    seen, pages, run = tried(project, monkeypatch, check)
    with pytest.raises(DataError, match="is bad"):
        run()
    assert seen == [] and pages == [(None, "x.h5: file: is bad; mend it")]
    assert (project / "reports/trial/trial.html").is_file()


def test_a_trial_that_is_stopped_leaves_the_page_of_the_last(project, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (project / "reports/trial").mkdir(parents=True)
    (project / "reports/trial/trial.html").write_text("last")

    def check(files, out):
        out.mkdir(parents=True)
        raise KeyboardInterrupt

    _, _, run = tried(project, monkeypatch, check)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert (project / "reports/trial/trial.html").read_text() == "last" and capsys.readouterr().out == ""
