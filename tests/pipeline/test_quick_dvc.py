"""A lock file means the same to DVC and to what reads and writes it in its place."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from dvc import dvcfile
from dvc.cli import main
from dvc.repo import Repo
from dvc.utils import serialize, strictyaml

from segsg.pipeline import quick_dvc

ROOT = Path(__file__).parents[2]
write, yaml_load = quick_dvc.write, quick_dvc.yaml.load
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
        "0o17",
        "09_8",
        "1_0e5",
        "._1",
        "-_1",
        ".5e3",
        "1b3e41",
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


@pytest.mark.parametrize("text", ["stages: [", "stages: {}\nstages: {}\n"])
def test_a_broken_lock_is_told_of_by_dvc(text):
    with pytest.raises(serialize.YAMLFileCorruptedError, match=r"dvc\.lock"):
        quick_dvc.parse(text, "dvc.lock")


def test_other_files_keep_their_comments(tmp_path):
    file = tmp_path / "dvc.yaml"
    file.write_text("# why\nstages: {}\n")
    with quick_dvc.modified(str(file)) as content:
        content["stages"] = {"a": {"cmd": "b"}}
    assert file.read_text().startswith("# why\n")


def test_tidied_the_lock_is_what_dvc_writes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dvc(tmp_path, "dvc", "init", "--no-scm", "-q")
    quick_dvc.tidy_lock()
    assert not Path("dvc.lock").exists()
    Path("dvc.lock").write_text(written(TRICKY, quick_dvc.write))
    assert Path("dvc.lock").read_text() != serialize.dumps_yaml(TRICKY)
    with Repo().lock:
        quick_dvc.tidy_lock()
    assert Path("dvc.lock").read_text() != serialize.dumps_yaml(TRICKY)
    quick_dvc.tidy_lock()
    assert Path("dvc.lock").read_text() == serialize.dumps_yaml(TRICKY)


def dvc(folder, module, *arguments):
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def stages(tmp_path):
    """A folder with two stages, of which the first was run."""
    dvc(tmp_path, "dvc", "init", "--no-scm", "-q")
    stages = "".join(f"  {n}:\n    cmd: echo {n} > {n}\n    outs: [{n}]\n" for n in "ab")
    (tmp_path / "dvc.yaml").write_text(f"stages:\n{stages}")
    dvc(tmp_path, "segsg.pipeline.quick_dvc", "repro", "a")
    return tmp_path


def test_dvc_finds_nothing_to_do_after_it(stages):
    dvc(stages, "segsg.pipeline.quick_dvc", "repro")
    assert sorted(serialize.load_yaml(str(stages / "dvc.lock"))["stages"]) == ["a", "b"]
    assert "didn't change, skipping" in dvc(stages, "dvc", "repro")


def test_dvc_reads_and_writes_the_lock_with_it(stages, monkeypatch):
    for module, name in ((strictyaml, "parse_yaml"), (dvcfile, "modify_yaml")):
        monkeypatch.setattr(module, name, getattr(module, name))  # put back after the test
    read, written_by_us = [], []
    monkeypatch.setattr(quick_dvc.yaml, "load", lambda text, kind: read.append(kind) or yaml_load(text, kind))
    monkeypatch.setattr(
        quick_dvc, "write", lambda content, stream: written_by_us.append(content) or write(content, stream)
    )
    monkeypatch.chdir(stages)
    quick_dvc.take_over()
    assert main(["repro"]) == 0
    assert set(read) == {quick_dvc.Reader} and len(written_by_us) == 1
