"""A checkpoint is of one run: whatever decides a result changes its fingerprint."""

from dataclasses import replace

import pytest
import torch

from segsg.study import runs, sets
from segsg.study.params import Params, read_section
from segsg.study.profile import resolve

PARAMS = read_section(Params, resolve("smoke"), "test")


@pytest.fixture
def files(tmp_path):
    """The section data with every file and folder of a training in a temporary folder."""
    for name in ("annotations", "vocabulary", "images", "masks"):
        (tmp_path / name).write_text(name)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_bytes(b"one")
    paths = {name: tmp_path / name for name in ("annotations", "vocabulary", "images", "photos")}
    graphs = replace(PARAMS.data.scene_graphs, **paths)
    masks = replace(PARAMS.data.masks_train, annotations=tmp_path / "masks", photos=tmp_path / "photos")
    return replace(PARAMS, data=replace(PARAMS.data, scene_graphs=graphs, masks_train=masks))


@pytest.mark.parametrize("changed", ["annotations", "vocabulary", "images", "masks", "photos/1.jpg", "photos/2.jpg"])
def test_a_changed_file_or_photo_is_another_training(changed, files, tmp_path):
    before = sets.trained_on(files)
    assert sets.trained_on(files) == before
    (tmp_path / changed).write_text("something else")
    assert sets.trained_on(files) != before


def test_threads_and_versions_count(monkeypatch):
    before = runs.fingerprint(runs.surroundings())
    assert runs.fingerprint(runs.surroundings()) == before
    for change in (
        lambda patch: patch.setattr(torch, "__version__", "0"),
        lambda patch: patch.setattr(torch, "get_num_threads", lambda: 99),
    ):
        with monkeypatch.context() as patch:
            change(patch)
            assert runs.fingerprint(runs.surroundings()) != before
