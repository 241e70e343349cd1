"""Every file that is not what it was is named in a line of its own, and the last line counts."""

import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import yaml
from made_report import make_report

from segsg.files import DIGESTS, ROOT, digest, read_json, seal
from segsg.pipeline import verify
from segsg.pipeline.repro import environment
from segsg.report.registry import TABLES
from segsg.report.table import to_csv, to_markdown
from segsg.study.params import Params, read_section
from segsg.study.profile import resolve
from segsg.world.draw import draw

DVC = """
stages:
  made:
    cmd: python -c "import os; os.makedirs('made/sub'); open('made/sub/a.txt', 'w').write('a'); open('made/b.txt', 'w')"
    outs: [made]
  table:
    cmd: python -c "open('table.csv', 'w').write('1')"
    outs: [{table.csv: {cache: false}}]
  later:
    cmd: echo
    outs: [later.txt]
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study outside git of which two stages have run, one of them with digests of its own."""
    folder = tmp_path_factory.mktemp("study")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=folder, check=True)
    (folder / "dvc.yaml").write_text(DVC)
    repro = [sys.executable, "-m", "dvc", "repro", "-q", "made", "table"]
    subprocess.run(repro, cwd=folder, env=environment({}), check=True)  # a machine may have no other `python`
    seal(folder / "made")
    subprocess.run([sys.executable, "-m", "dvc", "commit", "-q", "-f", "made"], cwd=folder, check=True)
    return folder


@pytest.fixture
def study(finished, monkeypatch):
    """The finished study; its files are what they were again after a test."""
    files = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file() and path.suffix != ".db"}
    monkeypatch.chdir(finished)
    yield finished
    for path, content in files.items():
        if path.read_bytes() != content if path.exists() else True:
            path.write_bytes(content)


def flip(path: Path) -> None:
    """Change one bit, as a bad disk does, and nothing that a file system notes."""
    before, mode = path.stat(), path.stat().st_mode
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    path.chmod(mode)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def faults(checks) -> list[str]:
    return [fault for check in checks for fault in check()]


NEVER = ["dvc.lock: 1 outputs of stages that have not run, as later; run `segsg repro`"]


def test_what_stages_have_left_is_whole(study):
    assert faults(verify.outputs()) == NEVER
    assert faults(verify.kept()) == []


@pytest.mark.parametrize("name", ["made/sub/a.txt", "table.csv"])
def test_one_flipped_bit_is_found_where_it_is(study, name):
    flip(study / name)
    assert [fault.partition(":")[0] for fault in faults(verify.outputs())[:-1]] == [name]


def test_one_flipped_bit_in_the_digests_is_found_too(study):
    flip(study / "made" / DIGESTS)
    found = faults(verify.outputs())[:-1]
    assert found and all(fault.startswith("made") for fault in found)


def test_a_missing_and_a_foreign_file_are_named(study):
    (study / "made" / "b.txt").unlink()
    (study / "made" / "new.txt").touch()
    (study / "table.csv").unlink()
    found = [fault.partition(":")[0] for fault in faults(verify.outputs())]
    (study / "made" / "new.txt").unlink()
    assert found[:-1] == ["made/b.txt", "made/new.txt", "table.csv"]


def test_a_flipped_bit_in_what_dvc_keeps_is_found(study):
    kept = sorted((study / ".dvc/cache/files/md5").glob("??/*"))
    damaged = next(path for path in kept if path.read_bytes() == b"a")
    flip(damaged)
    found = faults(verify.kept())
    assert found == [f"{damaged.relative_to(study)}: DVC's copy is damaged; delete it, then `segsg repro`"]


@pytest.mark.parametrize("change", ["", "other", "longer", None])
def test_files_that_a_report_was_made_from_are_those_of_its_passport(tmp_path, change):
    path, passport = tmp_path / "words.txt", tmp_path / "passport.json"
    path.write_text("words")
    entry = {"path": str(path), "bytes": 5, "sha256": digest(path)}
    passport.write_text(json.dumps({"files": [entry]}))
    if change is None:
        path.unlink()
    elif change:
        path.write_text(change)
    found = faults(verify.inputs(passport))
    assert len(found) == (change != "")
    assert all(fault.startswith(f"{path}: ") for fault in found)


def test_tables_say_what_results_say(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    paper = yaml.safe_load((ROOT / "data/facts/paper_values.yaml").read_text(encoding="utf-8"))
    results = read_json(make_report(tmp_path) / "results.json")
    (tmp_path / "tables").mkdir()
    for name, make in TABLES.items():
        (tmp_path / "tables" / f"{name}.csv").write_text(to_csv(make(results, paper)), encoding="utf-8")
        (tmp_path / "tables" / f"{name}.md").write_text(to_markdown(make(results, paper)), encoding="utf-8")
    assert faults(verify.tables(tmp_path)) == []
    (tmp_path / "tables" / "table1.csv").write_text("profile\n")
    (tmp_path / "tables" / "table4.md").unlink()
    found = [fault.partition(":")[0] for fault in faults(verify.tables(tmp_path))]
    assert found == [f"{tmp_path}/tables/table1.csv", f"{tmp_path}/tables/table4.md"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The smoke study with a few photos of each set."""
    folder = tmp_path_factory.mktemp("drawn")
    facts = [f"data.{key}={ROOT / 'data/facts' / name}" for key, name in FACTS.items()]
    params = read_section(Params, resolve("smoke", ["data.validation_images=2", *facts]), "test")
    numbers = {"train": 3, "validation": 2, "test": 2, "masks_train": 3, "masks_validation": 2, "side": 64}
    draw(folder / "data" / "smoke", **numbers, shared=0.1, seed=0, workers=1)
    return folder, params


FACTS = {"word_vectors": "glove.6B.50d.world.txt", "name_pairs": "name_pairs_world.json"}


@pytest.fixture
def command(drawn, monkeypatch, capsys):
    """Calls `segsg verify --data` on the drawn study; returns the exit code and lines."""
    folder, params = drawn
    monkeypatch.chdir(folder)
    monkeypatch.setattr(verify, "load", lambda: params)

    def call():
        code = verify.run_verify(Namespace(data=True, jobs=2))
        return code, capsys.readouterr().out.splitlines()

    return call


def test_data_without_a_fault_pass(command):
    code, lines = command()
    assert code == 0
    assert len(lines) == 1 and lines[0].endswith(" photos and files checked, 0 faults")


def test_all_faults_of_photos_are_found_in_one_pass(command, drawn):
    folder = drawn[0] / "data" / "smoke"
    photos = sorted((folder / "scene_graphs" / "VG_100K").glob("*.jpg"))
    masks = sorted((folder / "masks" / "train2017").glob("*.jpg"))
    before = {path: path.read_bytes() for path in (photos[0], photos[-1], masks[1])}
    photos[0].write_bytes(before[photos[0]][:-200])
    photos[-1].unlink()
    masks[1].write_bytes(photos[1].read_bytes()[:100])
    code, lines = command()
    for path, content in before.items():
        path.write_bytes(content)
    assert code == 1 and lines[-1].endswith(", 3 faults")
    named = {Path(line.partition(":")[0]).name for line in lines[:-1]}
    assert named == {photos[0].name, photos[-1].name, masks[1].name}


def test_annotations_and_vectors_are_checked_along_with_the_photos(command, drawn):
    path = drawn[0] / "data" / "smoke" / "masks" / "annotations" / "instances_val2017.json"
    before = path.read_text()
    record = json.loads(before)
    record["annotations"][0]["iscrowd"] = 7
    path.write_text(json.dumps(record))
    code, lines = command()
    path.write_text(before)
    assert code == 1 and lines[-1].endswith(", 1 faults")
    assert "instances_val2017.json: annotation" in lines[0]


def test_a_world_that_is_not_drawn_yet_has_no_data(monkeypatch, drawn, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="data/smoke: not drawn yet; run `dvc repro data@smoke`"):
        list(verify.check_data(drawn[1], 1))


class Broken:
    """Two images that no reader expects, and one that is as it should be."""

    image_ids = (7, 8, 9)

    def __len__(self):
        return 3

    def __getitem__(self, index):
        if index < 2:
            raise KeyError("surprise")


def test_a_fault_of_a_reader_does_not_hide_the_next_one():
    found = list(verify.check_photos([Broken()], 1))
    assert found == [["image 7: KeyError: 'surprise'"], ["image 8: KeyError: 'surprise'"], []]


class Deadly(Broken):
    def __getitem__(self, index):
        os.kill(os.getpid(), 9)


def test_a_process_that_dies_is_said_and_waited_for_by_nobody():
    with pytest.raises(ValueError, match="was ended from outside; free some memory, or use fewer: --jobs N"):
        list(verify.check_photos([Deadly()], 1))
