import pytest

from segsg.files import ROOT
from segsg.pipeline import trial
from segsg.pipeline.trial import cut, paths
from segsg.study import profile


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
    overrides = [f"{key}={path}" for key, path in paths(*folders).items()]
    data = profile.resolve("trial", overrides)["data"]
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
