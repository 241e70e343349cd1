import hashlib
import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from segsg.files import ROOT
from segsg.pipeline import passport


def test_files_of_the_section_data_have_checksums(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "b.json").write_bytes(b"two")
    (tmp_path / "a.txt").write_bytes(b"one")
    data = {"graphs": {"annotations": "b.json", "photos": "photos"}, "words": "a.txt", "again": "a.txt", "side": 160}
    found = passport.passport({"profile": "mini", "data": data, "detectors": {}, "groups": {}}, [])["files"]
    assert found == [
        {"path": "a.txt", "bytes": 3, "sha256": hashlib.sha256(b"one").hexdigest()},
        {"path": "b.json", "bytes": 3, "sha256": hashlib.sha256(b"two").hexdigest()},
    ]


def test_parameters_are_kept_whole_and_in_their_order(tmp_path):
    parameters = {"profile": "mini", "data": {}, "detectors": {}, "b": {"z": 1, "a": [1, 2]}, "groups": {}}
    found = passport.passport(parameters, [tmp_path])
    assert json.dumps(found["parameters"]) == json.dumps(parameters)
    assert found.keys() == {"profile", "commit", "machine", "versions", "files", "stages", "parameters"}


def test_the_command_writes_the_same_file_twice(tmp_path):
    out = tmp_path / "reports" / "passport.json"
    command = [sys.executable, "-m", "segsg.pipeline.passport", str(out), str(tmp_path), str(tmp_path)]
    texts = []
    for _ in range(2):
        subprocess.run(command, cwd=ROOT, check=True)
        texts.append(out.read_text(encoding="utf-8"))
    assert texts[0] == texts[1] and json.loads(texts[0])["profile"]
    assert [path.name for path in out.parent.iterdir()] == ["passport.json"]


def executed(folder, name: str, **noted) -> None:
    (folder / name).write_text(json.dumps({"cells": [], "metadata": {"papermill": noted} if noted else {}}))


def test_stage_row_and_seconds_are_read(tmp_path):
    executed(tmp_path, "30_rows-mini-fpn-predcls.ipynb", duration=12.345, end_time="2026-11-24T22:00:00")
    executed(tmp_path, "10_data.ipynb", duration=1.0, end_time="2026-11-24T21:00:00")
    assert passport.durations([tmp_path], {"mini-fpn-predcls", "a", "b"}) == [
        {"stage": "data", "row": "", "seconds": 1.0, "ended": "2026-11-24T21:00:00"},
        {"stage": "rows", "row": "mini-fpn-predcls", "seconds": 12.3, "ended": "2026-11-24T22:00:00"},
    ]


def test_unfinished_notebooks_are_no_runs(tmp_path):
    executed(tmp_path, "10_data.part.ipynb", duration=1.0, end_time="2026-11-24T21:00:00")
    executed(tmp_path, "20_detector-a.ipynb", duration=None, end_time=None)
    executed(tmp_path, "20_detector-b.ipynb")
    assert passport.durations([tmp_path], {"mini-fpn-predcls", "a", "b"}) == []


def test_rows_of_other_reports_are_left_out_and_a_reports_own_tables_count(tmp_path):
    shared, own = tmp_path / "mini", tmp_path / "mini-seeds"
    for folder, seconds in ((shared, 1.0), (own, 2.0)):
        folder.mkdir()
        executed(folder, "50_table-table1.ipynb", duration=seconds, end_time="2026-11-24T21:00:00")
    executed(shared, "20_detector-other.ipynb", duration=1.0, end_time="2026-11-24T21:00:00")
    found = passport.durations([shared, own], {"mine"})
    assert [(entry["stage"], entry["row"], entry["seconds"]) for entry in found] == [("table", "table1", 2.0)]


def test_a_machine_where_nothing_ran_has_no_minutes(tmp_path):
    assert passport.durations([tmp_path / "nowhere"], []) == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"metadata": []}'])
def test_a_file_that_is_no_notebook_is_named(tmp_path, text):
    (tmp_path / "10_data.ipynb").write_text(text)
    with pytest.raises(ValueError, match=r"10_data\.ipynb: no notebook"):
        passport.durations([tmp_path], [])


def git(folder, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    return subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def checkout(tmp_path):
    """A repository with a source and a report, committed."""
    if not shutil.which("git"):
        pytest.skip("no git on this machine")
    git(tmp_path, "init")
    for name in ("segsg/a.py", "reports/mini/results.json", "params.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def test_the_commit_that_is_checked_out_is_named(checkout):
    assert passport.commit(checkout) == {"id": git(checkout, "rev-parse", "HEAD").strip(), "changed": 0}


def test_changed_and_new_sources_are_counted_and_reports_are_not(checkout):
    (checkout / "segsg" / "a.py").write_text("2\n")
    (checkout / "segsg" / "b.py").write_text("2\n")
    (checkout / "reports" / "mini" / "results.json").write_text("2\n")
    assert passport.commit(checkout)["changed"] == 2


def test_a_copy_within_a_checkout_has_no_commit_of_its_own(checkout):
    assert passport.commit(checkout / "segsg") is None


def test_without_git_there_is_no_commit(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert passport.commit(checkout) is None


def test_a_repository_without_commits_has_none(tmp_path, checkout):
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    git(fresh, "init")
    assert passport.commit(fresh) is None


def test_versions_of_what_a_study_asks_for_are_found(monkeypatch):
    requires = ["numpy>=2", 'torch>=2; extra == "photos"', "segsg[photos]; extra == 'study'", "tqdm; extra == 'study'"]
    own = SimpleNamespace(requires=[*requires, 'ruff; extra == "dev"', "nowhere-to-be-found>=1"])
    found = passport.metadata.distributions
    monkeypatch.setattr(
        passport.metadata, "distributions", lambda name: [own] if name == passport.PROJECT else found(name=name)
    )
    versions = passport.versions()
    assert versions.keys() == {"python", "numpy", "torch", "tqdm"}
    assert versions["python"].startswith("3.") and versions["numpy"]


def test_the_machine_is_described_without_naming_it(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = passport.machine()
    assert found["cores"] >= 1 and found["threads"] == "1" and isinstance(found["gpus"], list)
    assert passport.platform.node() not in found.values()
