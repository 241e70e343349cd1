import hashlib
import json
import subprocess
import sys

from segsg.pipeline.passport import passport
from segsg.pipeline.project import ROOT


def test_files_of_the_section_data_have_checksums(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "b.json").write_bytes(b"two")
    (tmp_path / "a.txt").write_bytes(b"one")
    data = {"graphs": {"annotations": "b.json", "photos": "photos"}, "words": "a.txt", "again": "a.txt", "side": 160}
    found = passport({"profile": "mini", "data": data, "detectors": {}, "experiments": {}}, [])["files"]
    assert found == [
        {"path": "a.txt", "bytes": 3, "sha256": hashlib.sha256(b"one").hexdigest()},
        {"path": "b.json", "bytes": 3, "sha256": hashlib.sha256(b"two").hexdigest()},
    ]


def test_parameters_are_kept_whole_and_in_their_order(tmp_path):
    parameters = {"profile": "mini", "data": {}, "detectors": {}, "b": {"z": 1, "a": [1, 2]}, "experiments": {}}
    found = passport(parameters, [tmp_path])
    assert json.dumps(found["parameters"]) == json.dumps(parameters)
    assert found.keys() == {"profile", "commit", "machine", "versions", "files", "stages", "parameters"}


def test_the_command_writes_the_same_file_twice(tmp_path):
    out = tmp_path / "reports" / "passport.json"
    command = [sys.executable, "-m", "segsg.pipeline.passport", str(out), str(tmp_path), str(tmp_path)]
    texts = []
    for _ in range(2):
        subprocess.run(command, cwd=ROOT, check=True)
        texts.append(out.read_text(encoding="utf-8"))
    assert texts[0] == texts[1] and json.loads(texts[0])["profile"]
    assert [path.name for path in out.parent.iterdir()] == ["passport.json"]
