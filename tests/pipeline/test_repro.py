import subprocess
import sys

import pytest

from segsg.pipeline import repro

PARAMS = "profile: mini\n"
DVC = """
stages:
  notebooks:
    cmd: python -c "open('n.txt', 'w').write('n')"
    outs: [n.txt]
  detector:
    foreach: [a, b, c]
    do:
      cmd: python -c "open('${item}.txt', 'w').write(open('${item}.in').read())"
      deps: [n.txt, "${item}.in"]
      outs: ["${item}.txt"]
  report:
    cmd: python -c "open('r.txt', 'w').write(open('a.txt').read() + open('b.txt').read())"
    deps: [a.txt, b.txt, c.txt]
    outs: [r.txt]
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study of five stages outside git, with a stand-in for the parameters."""
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "dvc.yaml").write_text(DVC)
    for name in "abc":
        (tmp_path / f"{name}.in").write_text(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(repro, "load", lambda path: type("P", (), {"profile": "mini", "report": "mini"}))
    return tmp_path


def test_a_failure_keeps_what_ran_and_the_next_call_does_only_the_rest(study, capsys):
    (study / "b.in").unlink()
    with pytest.raises(repro.StageFailed, match=r"(?s)detector@b: failed; the last lines of work/mini/logs.*b\.in"):
        repro.reproduce(jobs=1)
    assert sorted(path.name for path in study.glob("?.txt")) == ["a.txt", "c.txt", "n.txt"]
    (study / "b.in").write_text("b")
    capsys.readouterr()
    report = repro.reproduce(jobs=2)
    assert (study / "r.txt").read_text() == "ab"
    assert report.as_posix() == "reports/mini/html/index.html"
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["[1/2]", "detector@b"],
        ["[2/2]", "report"],
    ]
    repro.reproduce(jobs=2)
    assert "Nothing has changed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("gpus", "jobs", "expected"),
    [([], 2, ["", ""]), ("0123", 1, [""]), ("0123", 2, ["0,2", "1,3"]), ("57", 2, ["5", "7"]), ("5", 2, ["5", "5"])],
)
def test_workers_share_the_gpus(gpus, jobs, expected):
    shares = repro.gpu_shares(list(gpus), jobs)
    assert [share.get("CUDA_VISIBLE_DEVICES", "") for share in shares] == expected


def test_stages_find_this_interpreter_first():
    found = subprocess.run(
        ["python", "-c", "import sys; print(sys.executable)"], env=repro.environment({}), capture_output=True, text=True
    )
    assert found.stdout.strip() == sys.executable
