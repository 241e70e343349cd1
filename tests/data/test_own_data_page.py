"""docs/own_data.md, followed word for word."""

import re

import pytest
import yaml

from segsg.data.visual_genome import SceneGraphSet
from segsg.files import ROOT
from segsg.study import profile
from segsg.study.params import MaskFiles, Params, SceneGraphFiles, read_section

PAGE = (ROOT / "docs/own_data.md").read_text(encoding="utf-8")


def block(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python"), "own_data.md", "exec"), {})
    return read_section(SceneGraphFiles, yaml.safe_load(block("yaml"))["data"]["scene_graphs"], "own_data.md")


@pytest.mark.parametrize(("split", "ids"), [("train", [2, 3, 4, 5]), ("validation", [1]), ("test", [6, 7, 8])])
def test_the_files_that_it_writes_are_read(own, split, ids):
    found = SceneGraphSet(own.annotations, own.vocabulary, own.images, own.photos, split, validation_images=1)
    assert found.image_ids == ids
    sample = found[0]
    assert sample.boxes.tolist() == [[20, 60, 100, 100], [40, 30, 70, 60]]
    assert sample.labels.tolist() == [1, 2] and sample.relations.tolist() == [[1, 0, 1]]
    assert found.vocabulary.classes == ("table", "cup") and found.vocabulary.predicates == ("on",)


def test_every_array_that_it_writes_is_explained():
    described = set(re.findall(r"`(\w+)`", PAGE.split("| array |")[1].split("\n\n")[0]))
    written = set(re.findall(r'^    "(\w+)": ', block("python"), re.MULTILINE))
    assert written == described


def test_its_profile_is_a_study(tmp_path, monkeypatch):
    (tmp_path / "base.yaml").write_text((ROOT / "profiles/base.yaml").read_text())
    (tmp_path / "own.yaml").write_text(block("yaml"))
    monkeypatch.setattr(profile, "PROFILES", tmp_path)
    values = profile.resolve("own")
    params = read_section(Params, values, "own")
    assert values["world"] is None, "dvc.yaml reads the section, so it has to be there"
    assert isinstance(params.data.masks_train, MaskFiles)
    assert set(params.experiments) == {"own-motifs-fpn-predcls-baseline", "own-motifs-fpn-predcls-seg"}
