"""`segsg compare` of evaluations with a cut file: one line that names it, wherever it was cut."""

import shutil

import pytest
from made_evaluations import evaluations

from segsg import cli

SHARES = (0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
"""of the bytes that are left"""
CUT = {
    "ranks/default.npz": "is not a file of ranks (",
    "results.json": "is not JSON (",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return evaluations(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("system", ["a", "b"])
@pytest.mark.parametrize("file", CUT)
def test_a_cut_file_is_named_in_one_line(whole, tmp_path, monkeypatch, capsys, file, system):
    for name in "ab":
        shutil.copytree(whole / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    content = (whole / system / file).read_bytes().rstrip()
    lengths = {int(share * len(content)) for share in SHARES} | {len(content) - left for left in (1, 2, 22, 50)}
    for length in sorted(lengths):
        (tmp_path / system / file).write_bytes(content[:length])
        assert cli.main(["compare", "a", "b", "--out", "out", "--resamples", "9"]) == 1, length
        said = capsys.readouterr()
        assert said.err.count("\n") == 1 and said.out == "", length
        assert said.err.startswith(f"{tmp_path / system / file}: file: {CUT[file]}"), said.err
        assert "; " in said.err and not (tmp_path / "out").exists()


def test_ranks_of_a_study_are_named_too(whole, tmp_path, capsys):
    content = (whole / "a/ranks/default.npz").read_bytes()
    for name, length in (("a", len(content)), ("b", len(content) // 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ranks.npz").write_bytes(content[:length])
    assert cli.main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "b/ranks.npz: file: is not a file of ranks" in said
    assert said.rstrip().endswith("evaluate the predictions again")
