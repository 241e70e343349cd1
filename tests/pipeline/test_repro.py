import subprocess
import sys
import threading
import time

import pytest

from segsg.pipeline import repro

DVC = """
stages:
  sources:
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
NEEDS = {"data": set(), "detector": {"data"}, "look": {"detector"}, "model": {"look", "data"}, "other": {"data"}}


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study of five stages outside git, with a stand-in for the parameters."""
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "dvc.yaml").write_text(DVC)
    for name in "abc":
        (tmp_path / f"{name}.in").write_text(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(repro, "load", lambda: type("P", (), {"profile": "mini", "report": "mini"}))
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


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_every_stage_runs_once_and_after_what_it_needs(jobs):
    begun, done = [], []

    def run(stage):
        begun.append(stage)
        assert NEEDS[stage] <= set(done)
        time.sleep(0.01)
        done.append(stage)

    assert repro.run_all(NEEDS, run, jobs) == []
    assert sorted(begun) == sorted(NEEDS)


def test_a_stage_waits_for_no_stage_that_it_does_not_need():
    """`look` begins while `other`, of the same depth as `detector`, still runs."""
    look_began = threading.Event()

    def run(stage):
        if stage == "look":
            look_began.set()
        return None if stage != "other" or look_began.wait(10) else "look was kept waiting"

    assert repro.run_all(NEEDS, run, 2) == []


def test_what_needs_a_failed_stage_is_left_out_and_the_rest_done():
    begun = []

    def run(stage):
        begun.append(stage)
        return "detector: failed" if stage == "detector" else None

    assert repro.run_all(NEEDS, run, 2) == ["detector: failed"]
    assert sorted(begun) == ["data", "detector", "other"]


def test_no_more_stages_run_at_a_time_than_there_are_jobs():
    running, most = set(), []

    def run(stage):
        running.add(stage)
        most.append(len(running))
        time.sleep(0.01)
        running.remove(stage)

    repro.run_all({str(i): set() for i in range(8)}, run, 3)
    assert max(most) == 3
