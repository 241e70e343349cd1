"""Processes that end with the command that started them, however it ends, and commands that run one at a time.

A command ends by Ctrl-C, by `kill`, with its terminal, or with -9, which no program can answer. Of what it started some
run in sessions of their own (notebook kernels, trainings on several GPUs), so a signal to a group would not reach all.
"""

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

OWNER = "SEGSG_OWNER"
"""environment variable: process id of the command with which a process ends"""
GRACE = 10.0
"""seconds that processes have to end by themselves"""
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_starting, _ending = threading.RLock(), threading.Event()
"""held while a process is started or all are ended, and set from then on: none starts behind the back of the end"""


class Stopped(KeyboardInterrupt):
    """A signal has asked the command to end; `code` is its exit code: 130 for Ctrl-C, 143 for `kill`."""

    def __init__(self, number: int):
        super().__init__(number)
        self.code = 128 + number


@contextmanager
def stoppable(first: signal.Signals, *owners: int) -> Iterator[None]:
    """In the block, a signal that asks this process to end ends all that it started, and then raises `Stopped`.

    Children get the signal `first`, what they started SIGTERM, and what is left after `GRACE` SIGKILL. The end of one
    of `owners`, process ids, or of the command that `run` this process, counts as such a signal. One that is ignored
    when the block begins, as by nohup, stays ignored. For the main thread.
    """

    def stop(number: int, _) -> None:
        for each in STOPPING:
            signal.signal(each, signal.SIG_IGN)  # once is enough: the end takes no longer than GRACE
        with _starting:
            _ending.set()
            end_all(first)
        raise Stopped(number)

    before = {number: signal.getsignal(number) for number in STOPPING}
    for number in (number for number, handler in before.items() if handler != signal.SIG_IGN):
        signal.signal(number, stop)
    for owner in {*owners, *(int(text) for text in (os.environ.get(OWNER),) if text)}:
        end_with(owner)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _ending.clear()


def is_ending() -> bool:
    """Whether a signal has asked this process to end, so that what fails from now on was ended."""
    return _ending.is_set()


def end_with(owner: int) -> None:
    """From now on this process gets SIGTERM once the process with this id has ended."""

    def watch() -> None:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(owner)
            while alive(process):
                time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def run(command: list[str], **options) -> int:
    """Runs a program in a session of its own and returns its exit code; `options` are those of `subprocess.Popen`.

    It is told to end with this process. Ctrl-C in a terminal reaches this process alone, which then ends it.
    """
    variables = options.pop("env", os.environ) | {OWNER: str(os.getpid())}
    with _starting:
        if _ending.is_set():
            raise Stopped(signal.SIGTERM)
        child = subprocess.Popen(command, start_new_session=True, env=variables, **options)
    with child:
        return child.wait()


def end_all(first: signal.Signals) -> None:
    """Ends all that this process started and waits for it: `first` to children, SIGTERM to theirs, SIGKILL in the end.

    Nobody is reaped here: whoever started a child waits for it and learns its exit code.
    """
    me = psutil.Process()
    children, every = me.children(), me.children(recursive=True)
    for process in every:
        _send(process, first if process in children else signal.SIGTERM)
    _wait(every, GRACE)
    for process in filter(alive, every):
        _send(process, signal.SIGKILL)
    _wait(every, GRACE)  # the kernel takes its time, most of all while a disk is slow


def wait_for(owners: Iterable[int], seconds: float) -> list[int]:
    """Waits until the processes with these ids have ended; returns those that still run after so many seconds."""
    deadline = time.monotonic() + seconds
    while left := [owner for owner in owners if psutil.pid_exists(owner) and alive(psutil.Process(owner))]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return left


def _wait(processes: list[psutil.Process], seconds: float) -> None:
    """Waits until all have ended, or for so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(map(alive, processes)):
        time.sleep(0.05)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):  # it has just ended
        process.send_signal(number)


def alive(process: psutil.Process) -> bool:
    """Whether a process runs; one that has ended and waits for its parent, or the machine's first, to ask does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Only one process at a time is in a block with this lock; the file names it, and its end, any end, frees the lock.

    ValueError names the process that holds the lock.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip()
            way_out = f"wait until it has ended, or end it with `kill {holder}`"
            raise ValueError(f"{lock}: process {holder} is at work here; {way_out}") from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
