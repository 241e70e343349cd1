import pytest

from segsg.pipeline import workspace
from segsg.pipeline.project import ROOT


def test_a_copy_has_all_that_stages_need_and_nothing_that_they_made(tmp_path):
    copy = workspace.create(tmp_path / "copy")
    assert all((copy / name).exists() for name in workspace.SOURCES)
    assert not any((copy / name).exists() for name in ("params.yaml", "dvc.lock", "runs", "reports", ".git"))
    assert not list(copy.rglob("__pycache__"))


def test_a_copy_starts_empty(tmp_path):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "old.txt").touch()
    assert not (workspace.create(tmp_path / "copy") / "old.txt").exists()


@pytest.mark.parametrize("name", ["smoke", "mini"])
def test_the_copy_runs_its_own_code(tmp_path, name):
    copy = workspace.create(tmp_path / "copy")
    before = (ROOT / "params.yaml").read_text()
    assert workspace.segsg(copy, "profile", "use", name) == 0
    assert f"profile: {name}" in (copy / "params.yaml").read_text()
    assert (ROOT / "params.yaml").read_text() == before
