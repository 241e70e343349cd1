import re
import shutil
import subprocess
import tomllib

import pytest

from segsg.pipeline import surroundings
from segsg.pipeline.project import ROOT


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
    assert surroundings.commit(checkout) == {"id": git(checkout, "rev-parse", "HEAD").strip(), "changed": 0}


def test_changed_and_new_sources_are_counted_and_reports_are_not(checkout):
    (checkout / "segsg" / "a.py").write_text("2\n")
    (checkout / "segsg" / "b.py").write_text("2\n")
    (checkout / "reports" / "mini" / "results.json").write_text("2\n")
    assert surroundings.commit(checkout)["changed"] == 2


def test_a_copy_within_a_checkout_has_no_commit_of_its_own(checkout):
    assert surroundings.commit(checkout / "segsg") is None


def test_without_git_there_is_no_commit(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert surroundings.commit(checkout) is None


def test_a_repository_without_commits_has_none(tmp_path, checkout):
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    git(fresh, "init")
    assert surroundings.commit(fresh) is None


def test_packages_are_those_that_the_project_asks_for():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert set(surroundings.PACKAGES) == {re.split(r"[=><]", name)[0] for name in wanted}


def test_versions_of_what_is_installed_are_found():
    found = surroundings.versions()
    assert found["python"].startswith("3.") and found["numpy"] and found.keys() <= {"python", *surroundings.PACKAGES}


def test_the_machine_is_described_without_naming_it(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = surroundings.machine()
    assert found["cores"] >= 1 and found["threads"] == "1" and isinstance(found["gpus"], list)
    assert surroundings.platform.node() not in found.values()
