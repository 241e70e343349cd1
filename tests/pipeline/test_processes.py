"""Real processes and real signals. Each command here starts a child, and that a grandchild in a session of its own."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from segsg.pipeline.processes import OWNER, Stopped, alive, alone, run

COMMAND = """
import os, signal, sys
from segsg.pipeline import processes
from segsg.pipeline.processes import Stopped, run, stoppable

processes.GRACE = {grace}
try:
    with stoppable(signal.SIGINT):
        sys.exit(run([sys.executable, "child.py"]))
except Stopped as stop:
    print("stopped", flush=True)
    sys.exit(stop.code)
"""
CHILD = """
import os, signal, subprocess, sys, time

{before}
subprocess.Popen([sys.executable, "-c", {grandchild!r}], start_new_session=True)
{after}
"""
GRANDCHILD = """
import os, time
open("pids.part", "w").write(f"{os.getppid()} {os.getpid()}")
os.replace("pids.part", "pids")
while True:
    time.sleep(0.05)
"""
DEAF = "signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN)"
FOLLOWS = """
from segsg.pipeline.processes import Stopped, stoppable
try:
    with stoppable(signal.SIGTERM):
        time.sleep(3600)
except Stopped:
    pass
"""


@pytest.fixture
def started(tmp_path):
    """Starts the command, and returns it with its child and grandchild once all of them run."""
    commands = []

    def start(before="", after="time.sleep(3600)", grace=10.0, prefix=()):
        (tmp_path / "child.py").write_text(CHILD.format(before=before, after=after, grandchild=GRANDCHILD))
        command = [*prefix, sys.executable, "-c", COMMAND.format(grace=grace)]
        variables = {name: value for name, value in os.environ.items() if name != OWNER}
        commands.append(subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, text=True))
        return commands[0], [psutil.Process(pid) for pid in pids(tmp_path / "pids", commands[0])]

    yield start
    for command in commands:
        command.kill()
        command.wait()
        command.stdout.close()


def pids(path, command):
    while not path.exists():
        assert command.poll() is None, "the command ended before its child had begun"
        time.sleep(0.02)
    return [int(pid) for pid in path.read_text().split()]


def gone(processes):
    """Waits until processes have ended; those that wait for a parent to ask about them have."""
    for process in processes:
        while alive(process):
            time.sleep(0.02)
    return True


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)], ids=["TERM", "INT", "HUP"]
)
def test_a_signal_ends_everything_that_a_command_started_before_the_command_ends(started, number, code):
    command, others = started()
    command.send_signal(number)
    assert (command.wait(), command.stdout.read()) == (code, "stopped\n")
    assert not any(map(alive, others))


def test_what_does_not_listen_is_killed(started):
    command, others = started(before=DEAF, grace=0.3)
    command.terminate()
    assert command.wait() == 143
    assert gone(others)


def test_a_second_signal_changes_nothing(started):
    command, others = started(before=DEAF, grace=1.0)
    command.terminate()
    time.sleep(0.3)
    command.send_signal(signal.SIGINT)
    assert command.wait() == 143
    assert gone(others)


def test_a_command_that_is_killed_takes_its_stages_along(started):
    command, others = started(after=FOLLOWS)
    command.kill()
    assert gone(others)  # although nobody has asked yet how the command ended
    assert command.wait() == -signal.SIGKILL


def test_a_hangup_that_nohup_keeps_away_stays_away(started):
    command, others = started(prefix=("nohup",))
    command.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert command.poll() is None and all(process.is_running() for process in others)
    command.terminate()
    assert command.wait() == 143


def test_run_returns_the_exit_code_and_says_who_started_it(tmp_path):
    code = f"import os, sys; sys.exit(7 if os.environ[{OWNER!r}] == str({os.getpid()}) else 1)"
    assert run([sys.executable, "-c", code], cwd=tmp_path) == 7


def test_the_exit_code_is_that_of_the_signal():
    assert Stopped(signal.SIGTERM).code == 143
    assert isinstance(Stopped(signal.SIGINT), KeyboardInterrupt)


def test_a_lock_names_its_holder_and_is_free_once_that_is_dead(tmp_path):
    code = f"""
        import time
        from pathlib import Path
        from segsg.pipeline.processes import alone
        with alone(Path({str(tmp_path / "lock")!r})):
            print("in", flush=True)
            time.sleep(3600)
        """
    holder = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    holder.stdout.readline()
    with pytest.raises(ValueError, match=f"lock: process {holder.pid} is at work here; .*`kill {holder.pid}`"):
        alone(tmp_path / "lock").__enter__()
    holder.kill()
    holder.communicate()
    with alone(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
