"""`dvc repro` with several stages at a time.

DVC runs one stage after another. Here each begins as soon as those that it needs are done, as a `dvc repro
--single-item` of its own, which wait for each other's locks; a plain `dvc repro` at the end is the check that nothing
was missed.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Queue

from dvc.config import Config
from dvc.repo import Repo

from segsg.pipeline.quick_dvc import tidy_lock
from segsg.pipeline.schedule import outdated, run_all
from segsg.study.params import PARAMS_FILE, load

DVC = (sys.executable, "-m", "segsg.pipeline.quick_dvc")
NOTEBOOKS = "notebooks"
"""the stage that cleans notebooks"""


class StageFailed(RuntimeError):
    """At least one stage failed; the message names it and where its output is."""


def reproduce(jobs: int) -> Path:
    """Bring everything that dvc.yaml describes up to date, `jobs` stages at a time; returns the report's first page.

    StageFailed if a stage fails; all that does not need it is finished first, so that its work is kept.
    """
    params = load(PARAMS_FILE)
    profile, report = params.profile, Path("reports") / params.report / "html" / "index.html"
    work_without_git()
    needs = outdated(Repo())
    if not needs:
        print(f"Nothing has changed since the last run of the study '{profile}'.")
        return report
    logs = Path("work") / profile / "logs"
    if NOTEBOOKS in needs:  # every stage waits for it, and few for what an edit of one notebook changes
        _run_stages(["repro", "--single-item", NOTEBOOKS], logs / f"{NOTEBOOKS}.log", environment({}))
        needs = outdated(Repo())
    runner = _Runner(len(needs), logs, gpu_shares(_gpus(), jobs))
    try:
        if failures := run_all(needs, runner.run, jobs):
            raise StageFailed("\n".join(failures))
        _run_stages(["repro"], logs / "repro.log", environment({}))
    finally:
        tidy_lock()
    return report


def work_without_git() -> None:
    """DVC wants to be told if it runs outside git, as in an unpacked archive."""
    if not Path(".git").exists():
        with Config.from_cwd().edit("local") as settings:
            settings["core"]["no_scm"] = True


def environment(changes: dict[str, str]) -> dict[str, str]:
    """Environment of the stages: this interpreter is their `python`, and one thread each unless the user says else."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {"OMP_NUM_THREADS": "1"} | os.environ | {"PATH": path} | changes


def gpu_shares(gpus: list[str], jobs: int) -> list[dict[str, str]]:
    """For each of `jobs` workers, the variable that leaves it its share of the GPUs; empty where it needs none."""
    if not gpus or jobs == 1:
        return [{}] * jobs
    return [{"CUDA_VISIBLE_DEVICES": ",".join(gpus[i % len(gpus) :: jobs])} for i in range(jobs)]


def _gpus() -> list[str]:
    """Numbers of the GPUs that this process may use."""
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return [number for number in os.environ["CUDA_VISIBLE_DEVICES"].split(",") if number]
    if not shutil.which("nvidia-smi"):
        return []
    listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    return [str(i) for i in range(len(listed.stdout.splitlines()))] if listed.returncode == 0 else []


class _Runner:
    """Runs stages and says so, one line per finished stage."""

    def __init__(self, total: int, logs: Path, shares: list[dict[str, str]]):
        self.total, self.done, self.logs, self.lock = total, 0, logs, threading.Lock()
        self.shares: Queue[dict[str, str]] = Queue()
        for share in shares:
            self.shares.put(share)

    def run(self, stage: str) -> str | None:
        """None, or what failed."""
        share, began = self.shares.get(), time.monotonic()
        try:
            _run_stages(
                ["--wait-for-lock", "repro", "--single-item", stage], self.logs / f"{stage}.log", environment(share)
            )
        except StageFailed as failure:
            return f"{stage}: {failure}"
        finally:
            self.shares.put(share)
        with self.lock:
            self.done += 1
            print(f"[{self.done}/{self.total}] {stage}  {time.monotonic() - began:.0f} s", flush=True)
        return None


def _run_stages(arguments: list[str], log: Path, variables: dict[str, str]) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as stream:
        code = subprocess.run([*DVC, *arguments], stdout=stream, stderr=subprocess.STDOUT, env=variables, check=False)
    if code.returncode:
        raise StageFailed(f"failed; the last lines of {log}:\n{_tail(log)}")


def _tail(log: Path, lines: int = 25) -> str:
    return "\n".join("    " + line for line in log.read_text(encoding="utf-8").splitlines()[-lines:])
