import dataclasses

import pytest

from segsg.files import ROOT
from segsg.pipeline import checks
from segsg.study import profile
from segsg.study.params import Params, read_section


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


def params(name):
    return read_section(Params, profile.resolve(name), name)


def test_a_drawn_world_makes_its_own_files(monkeypatch, tmp_path):
    study = params("mini")
    monkeypatch.chdir(ROOT)
    checks.check_files(study)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"not there: data\.word_vectors: .*; data\.name_pairs: [^;]*; put or link"):
        checks.check_files(study)


def test_all_that_the_papers_study_lacks_is_said_at_once(tmp_path, monkeypatch):
    study = params("paper")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError) as told:
        checks.check_files(study)
    assert str(told.value).count("data/files/") == 10 and "data.masks_train.photos" in str(told.value)
    assert "pretrained.resnext101-fpn: data/files/" in str(told.value) and "vgg16" not in str(told.value)
    here = dataclasses.replace(study.data, word_vectors=tmp_path)
    vgg = {key: row for key, row in study.detectors.items() if row.backbone == "vgg16"}
    with pytest.raises(ValueError) as told:
        checks.check_files(dataclasses.replace(study, data=here, detectors=vgg))
    assert "word_vectors" not in str(told.value) and "pretrained" not in str(told.value)
