import pytest

from segsg.pipeline import checks
from segsg.pipeline.project import ROOT
from segsg.study import profile


@pytest.fixture
def copy(tmp_path, monkeypatch):
    for name in ("pyproject.toml", "environment.yml", "profiles/base.yaml", "profiles/smoke.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    monkeypatch.chdir(tmp_path)
    profile.use("smoke")
    return tmp_path


def test_the_project_itself_is_in_order(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert checks.problems() == []


def test_a_requirement_in_one_file_alone_is_noticed(copy):
    path = copy / "environment.yml"
    path.write_text(path.read_text().replace("h5py>=3.16", "h5py>=3.15"))
    (problem,) = checks.check_environment()
    assert "h5py>=3.15, h5py>=3.16" in problem


def test_a_hand_edit_of_params_is_noticed(copy):
    path = copy / "params.yaml"
    path.write_text(path.read_text().replace("iterations: 20", "iterations: 21"))
    (problem,) = checks.check_params()
    assert "run `segsg profile use smoke`" in problem


def test_a_saved_notebook_is_noticed(copy):
    (copy / "notebooks").mkdir()
    (copy / "notebooks" / "a.ipynb").write_text('{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}')
    saved, no_parameters = checks.check_notebooks(copy / "notebooks")
    assert "run `segsg clean`" in saved
    assert "0 cells have the tag" in no_parameters
