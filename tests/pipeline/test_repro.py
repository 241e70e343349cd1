import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest
from dvc.repo import Repo

from segsg import cli
from segsg.files import ROOT
from segsg.pipeline import dvc, repro
from segsg.pipeline.processes import OWNER, Stopped, alive, alone
from segsg.study.params import Params

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
STUDY = Mock(spec=Params, profile="mini", report="mini")
NEEDS = {"data": set(), "detector": {"data"}, "look": {"detector"}, "model": {"look", "data"}, "other": {"data"}}


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study of five stages outside git, with a stand-in for the parameters."""
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "dvc.yaml").write_text(DVC)
    for name in "abc":
        (tmp_path / f"{name}.in").write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_failure_keeps_what_ran_and_the_next_call_does_only_the_rest(study, capsys):
    (study / "b.in").unlink()
    with pytest.raises(repro.StageFailed) as raised:
        repro.reproduce(STUDY, jobs=1)
    first, *_, last = str(raised.value).splitlines()
    assert first == "detector@b: failed; the end of work/mini/logs/detector@b.log:"
    assert last.startswith("detector@b: failed to reproduce") and "b.in" in last
    assert sorted(path.name for path in study.glob("?.txt")) == ["a.txt", "c.txt", "n.txt"]
    (study / "b.in").write_text("b")
    capsys.readouterr()
    report = repro.reproduce(STUDY, jobs=2)
    assert (study / "r.txt").read_text() == "ab"
    assert report.as_posix() == "reports/mini/html/index.html"
    first, *events = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"Study 'mini': 2 stages to run, 2 at a time, last time \d+ s\. Logs: work/mini/logs", first)
    assert [line.split()[:2] for line in events] == [
        ["detector@b:", "runs"],
        ["[1/2]", "detector@b"],
        ["report:", "runs"],
        ["[2/2]", "report"],
    ]
    repro.reproduce(STUDY, jobs=2)
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
        return None if stage != "other" or look_began.wait(10) else ("", "look was kept waiting")

    assert repro.run_all(NEEDS, run, 2) == []


def test_what_needs_a_failed_stage_is_left_out_and_the_rest_done():
    begun = []

    def run(stage):
        begun.append(stage)
        return ("its log", "detector: failed") if stage == "detector" else None

    assert repro.run_all(NEEDS, run, 2) == [("its log", "detector: failed")]
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


COMMAND = """
import sys
from argparse import Namespace
from unittest.mock import Mock
from segsg.pipeline import repro
from segsg.pipeline.processes import Stopped

repro.load = lambda: Mock(spec=repro.Params, profile="mini", report="mini")
repro.check_files = repro.profile.check = lambda params: None
try:
    repro.run_repro(Namespace(jobs=2, dry_run=False, quiet=False))
except Stopped as stop:
    sys.exit(stop.code)
"""
TRAINS = """
import os, sys, time
open(sys.argv[1] + ".pid", "w").write(str(os.getpid()))
while True:
    time.sleep(0.05)
"""


def test_kill_ends_stages_and_leaves_dvc_unlocked(study):
    (study / "trains.py").write_text(TRAINS)
    text = DVC.replace(
        """python -c "open('${item}.txt', 'w').write(open('${item}.in').read())\"""", "python trains.py ${item}"
    )
    assert "trains.py" in text
    (study / "dvc.yaml").write_text(text)
    variables = {name: value for name, value in os.environ.items() if name != OWNER} | {"PYTHONPATH": str(ROOT)}
    command = subprocess.Popen([sys.executable, "-c", COMMAND], env=variables, stdout=subprocess.PIPE, text=True)
    while len(files := [path for path in study.glob("*.pid") if path.stat().st_size]) < 2:
        assert command.poll() is None, "it ended before two stages had begun"
        time.sleep(0.05)
    stages = [psutil.Process(int(path.read_text())) for path in files]
    command.terminate()
    said = command.communicate()[0].splitlines()
    assert command.returncode == 143
    assert [line for line in said if "failed" in line] == []  # it was ended, and did not fail
    assert not any(map(alive, stages))
    assert not any(json.loads((study / ".dvc/tmp/rwlock").read_text()).values())
    assert {"detector@a", "detector@b"} <= dvc.outdated().keys()


def test_the_command_line_ends_with_the_code_of_the_signal(monkeypatch, capsys, tmp_path):
    def stopped(options):
        raise Stopped(signal.SIGTERM)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(repro, "run_repro", stopped)
    assert cli.main(["repro"]) == 143
    assert capsys.readouterr().err.startswith("Stopped.")


@pytest.mark.parametrize("arguments", [["repro"], ["profile", "use", "mini"], ["verify"]])
def test_a_run_keeps_others_away(arguments, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "enter_project", lambda: None)
    with alone(repro.LOCK):
        assert cli.main(arguments) == 1
    assert capsys.readouterr().err.startswith(f"work/repro.lock: process {os.getpid()} is at work here")
    assert [path.name for path in tmp_path.iterdir()] == ["work"]


def test_somebody_elses_dvc_is_named_in_one_line(study):
    code = "import sys, zc.lockfile as z; lock = z.LockFile('.dvc/tmp/lock'); print('in', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    with pytest.raises(repro.StageFailed) as raised:
        repro.reproduce(STUDY, jobs=1)
    assert str(raised.value) == f"DVC is at work here in process {holder.pid}; wait until it has ended, or end it"
    holder.communicate()


def test_a_study_that_dvc_cannot_read_is_one_line(study):
    (study / "dvc.yaml").write_text("stages: 3")
    with pytest.raises(repro.StageFailed, match=r"^DVC: [^\n]*dvc\.yaml[^\n]*$"):
        repro.reproduce(STUDY, jobs=1)


def test_what_dvc_opens_as_pickles_lies_in_the_project_and_is_its_owners_alone(project_copy):
    """Also for plain `dvc`, which would make the last folder for everybody to write to if it were not there."""
    folder = project_copy / dvc.OF_DVC
    listed = subprocess.run([sys.executable, "-m", "dvc", "stage", "list"], cwd=project_copy, capture_output=True)
    assert listed.returncode == 0
    repository = Repo(str(project_copy))
    assert Path(repository.site_cache_dir).absolute().is_relative_to(folder)
    assert not (folder / "repo").stat().st_mode & 0o002
    dvc.set_up_dvc()
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.fixture
def project_copy(tmp_path, monkeypatch):
    """The settings of DVC that this project has, with no stages."""
    for name in (".dvc/config", ".dvcsite/repo/.gitignore"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "dvc.yaml").write_text("stages: {}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_SITE_CACHE_DIR", raising=False)
    (tmp_path / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
    return tmp_path


PROGRESS = "step 1\rstep 2\rstep 3"
OURS = """Running stage 'look@a':
> python -m segsg.pipeline.notebook run 25_look
/x/tqdm/auto.py:21: TqdmWarning: IProgress not found. Please update jupyter and ipywidgets.
  from .autonotebook import tqdm as notebook_tqdm
{before}
executed/mini/25_look-a.part.ipynb: the executed cells
{error}
ERROR: failed to reproduce 'look@a': failed to run: python -m segsg.pipeline.notebook run 25_look, exited with 1
"""


def log_of(folder: Path, text: str) -> Path:
    path = folder / "look@a.log"
    path.write_text(text)
    return path


def test_the_error_stands_last_without_noise(tmp_path):
    log = log_of(tmp_path, OURS.format(before=PROGRESS, error="a.jpg: photo: is missing; put it there"))
    context, error = dvc.said(log)
    assert error == "look@a: a.jpg: photo: is missing; put it there"
    assert context.splitlines()[-2:] == ["    step 3", "    executed/mini/25_look-a.part.ipynb: the executed cells"]
    assert "IProgress" not in context and "notebook_tqdm" not in context


RAN = "ERROR: failed to reproduce 'a': failed to run: x, exited with 1\n"
LOST = "failed to reproduce 'a': output 'x' does not exist"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"ValueError: runs/x: missing\n{RAN}", "runs/x: missing"),
        (f"KeyError: 'x'\n{RAN}", "KeyError: 'x'"),
        (f"ERROR: {LOST}\n\nHaving trouble?\n", LOST),
        ("killed\n", "killed"),
        ("", "it said nothing"),
    ],
    ids=["ours", "other", "dvc", "killed", "silent"],
)
def test_the_line_of_an_error_is_the_stages_own_if_it_has_one(tmp_path, text, expected):
    assert dvc.said(log_of(tmp_path, text))[1] == f"look@a: {expected}"


def test_of_two_failures_both_lines_stand_last():
    with pytest.raises(repro.StageFailed, match=r"^log one\nlog two\none: bad\ntwo: bad$"):
        repro._check(None, ("log one", "one: bad"), None, ("log two", "two: bad"))


def test_a_full_disk_is_said_whoever_met_it(study):
    (study / "dvc.yaml").write_text("stages: {look: {cmd: 'cat dvc.yaml > /dev/full'}}")
    if not Path("/dev/full").exists():
        pytest.skip("this system has no device that is always full")
    with pytest.raises(repro.StageFailed) as raised:
        repro.reproduce(STUDY, jobs=1)
    last = str(raised.value).splitlines()[-1]
    assert "No space left on device" in last and last.endswith("; free some space, then run the same command again")


@pytest.mark.parametrize("torn", ["", "schema: '2.0'\nstages:\n  a:\n    cm", "- 1\n", "\0\0\0"])
def test_a_lock_file_that_a_full_disk_has_torn_is_taken_back(torn, study, capsys):
    repro.reproduce(STUDY, jobs=1)
    whole = (study / "dvc.lock").read_text()
    repro.reproduce(STUDY, jobs=1)
    (study / "dvc.lock").write_text(torn)
    (study / ".dvc" / "tmp" / "rwlock").write_text('{"a')
    capsys.readouterr()
    repro.reproduce(STUDY, jobs=1)
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == [
        "dvc.lock is damaged; it is taken back to what it was before the last run",
        ".dvc/tmp/rwlock is damaged; it is removed",
    ]
    assert (study / "dvc.lock").read_text() == whole


def test_without_an_older_copy_a_torn_lock_file_begins_anew(study, capsys):
    repro.reproduce(STUDY, jobs=1)
    whole = (study / "dvc.lock").read_text()
    (study / "dvc.lock").write_text("")
    dvc.LAST_GOOD.unlink(missing_ok=True)
    repro.reproduce(STUDY, jobs=1)
    assert "dvc.lock is damaged; it begins anew" in capsys.readouterr().out
    assert (study / "dvc.lock").read_text() == whole


def test_stages_of_a_killed_run_are_waited_for_and_their_marks_removed(study):
    repro.reproduce(STUDY, jobs=1)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)"])
    marks = {str(study / "a.txt"): {"write": {"pid": child.pid, "cmd": "dvc repro"}, "read": []}}
    dvc.RWLOCK.write_text(json.dumps(marks))
    assert dvc.mend_dvc() == []
    assert not dvc.RWLOCK.exists()
    assert (
        child.poll() is not None or not psutil.pid_exists(child.pid) or psutil.Process(child.pid).status() == "zombie"
    )
    child.wait()


def test_what_a_kill_leaves_in_the_memory_of_runs_stops_no_stage(study):
    repro.reproduce(STUDY, jobs=1)
    for kept in dvc.RUNS_KEPT.glob("*/*/*"):
        kept.unlink()
    assert list(dvc.RUNS_KEPT.glob("*/*"))
    (study / "dvc.lock").unlink()
    repro.reproduce(STUDY, jobs=1)
    assert all(list(folder.iterdir()) for folder in dvc.RUNS_KEPT.glob("*/*"))
