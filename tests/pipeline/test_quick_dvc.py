"""A lock file means the same to DVC and to what reads and writes it in its place."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.utils import serialize

from segsg.pipeline import quick_dvc

ROOT = Path(__file__).parents[2]
TRICKY = {
    "strings": [
        "on",
        "no",
        "1e-05",
        "0123",
        "12",
        "1_000",
        "1:30",
        "null",
        "~",
        "",
        "true",
        "2026-11-25",
        "0x1f",
        "<<",
        "é",
    ],
    "others": [1e-05, 0.001, 3.0, 12, -4, True, False, None, float("inf"), [], {}],
    "a long line": "python -m something " + "-p key value " * 20,
    "on": {"no": "off", "1": 1},
}


def written(content, write) -> str:
    stream = io.StringIO()
    write(content, stream)
    return stream.getvalue()


def test_the_lock_of_the_study_is_read_as_dvc_reads_it():
    text = (ROOT / "dvc.lock").read_text()
    assert quick_dvc.parse(text, "dvc.lock") == serialize.parse_yaml(text, "dvc.lock")


@pytest.mark.parametrize("text", [serialize.dumps_yaml(TRICKY), written(TRICKY, quick_dvc.write)], ids=["dvc", "ours"])
def test_whoever_writes_and_whoever_reads_values_stay(text):
    assert quick_dvc.parse(text, "dvc.lock") == TRICKY
    assert serialize.parse_yaml(text, "dvc.lock") == TRICKY


def test_a_broken_lock_is_told_of_by_dvc():
    with pytest.raises(serialize.YAMLFileCorruptedError, match=r"dvc\.lock"):
        quick_dvc.parse("stages: [", "dvc.lock")


def test_other_files_keep_their_comments(tmp_path):
    file = tmp_path / "dvc.yaml"
    file.write_text("# why\nstages: {}\n")
    with quick_dvc.modified(str(file)) as content:
        content["stages"] = {"a": {"cmd": "b"}}
    assert file.read_text().startswith("# why\n")


def test_tidied_the_lock_is_what_dvc_writes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    quick_dvc.tidy_lock()
    assert not Path("dvc.lock").exists()
    Path("dvc.lock").write_text(written(TRICKY, quick_dvc.write))
    assert Path("dvc.lock").read_text() != serialize.dumps_yaml(TRICKY)
    quick_dvc.tidy_lock()
    assert Path("dvc.lock").read_text() == serialize.dumps_yaml(TRICKY)


def test_dvc_finds_nothing_to_do_after_it(tmp_path):
    def dvc(module, *arguments):
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    dvc("dvc", "init", "--no-scm", "-q")
    stages = "stages:\n" + "".join(f"  {n}:\n    cmd: echo {n} > {n}\n    outs: [{n}]\n" for n in "ab")
    (tmp_path / "dvc.yaml").write_text(stages)
    dvc("segsg.pipeline.quick_dvc", "repro", "a")
    dvc("segsg.pipeline.quick_dvc", "repro")
    assert sorted(serialize.load_yaml(str(tmp_path / "dvc.lock"))["stages"]) == ["a", "b"]
    assert "didn't change, skipping" in dvc("dvc", "repro")
