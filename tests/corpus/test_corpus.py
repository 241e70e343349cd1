"""Hundreds of spoilt inputs, each read by the real reader or command, must end in one clear line or be read right."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from segsg.files import ROOT

HARNESS = Path(__file__).with_name("harness.py")


@pytest.mark.skipif(sys.platform != "linux", reason="reads memory of processes as Linux tells it")
def test_every_spoilt_input_is_refused_in_one_clear_line_or_read_right(tmp_path, capsys):
    """The harness forks, so it is a process of its own, without the threads and checks of the tests."""
    verdicts = tmp_path / "verdicts.jsonl"
    command = [sys.executable, str(HARNESS), "--json", str(verdicts)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert verdicts.is_file(), done.stderr[-3000:]
    with capsys.disabled():
        print("\n" + done.stdout[done.stdout.rindex("What became of") :].strip())
    cases = [json.loads(line) for line in verdicts.read_text(encoding="utf-8").splitlines()]
    assert len(cases) >= 300
    wrong = [f"{c['name']}: {c['kind']}: {c['detail']}; should: {c['expect']}" for c in cases if not c["ok"]]
    assert not wrong, f"{len(wrong)} of {len(cases)} cases:\n" + "\n".join(wrong)
