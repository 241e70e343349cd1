import dataclasses

import pytest

from segsg.pipeline.outside import check_files
from segsg.pipeline.project import ROOT
from segsg.study.params import Params, read_section
from segsg.study.profile import resolve


def params(profile):
    return read_section(Params, resolve(profile), profile)


def test_a_drawn_world_makes_its_own_files(monkeypatch, tmp_path):
    study = params("mini")
    monkeypatch.chdir(ROOT)
    check_files(study)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"not there: data\.word_vectors: .*; data\.name_pairs: [^;]*; put or link"):
        check_files(study)


def test_all_that_the_papers_study_lacks_is_said_at_once(tmp_path, monkeypatch):
    study = params("paper")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError) as told:
        check_files(study)
    assert str(told.value).count("data/files/") == 9 and "data.masks_train.photos" in str(told.value)
    here = dataclasses.replace(study.data, word_vectors=tmp_path)
    with pytest.raises(ValueError) as told:
        check_files(dataclasses.replace(study, data=here))
    assert "word_vectors" not in str(told.value)
