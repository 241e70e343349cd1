"""The command `segsg repro`: `dvc repro` with several stages at a time.

DVC runs one stage after another. Here each begins as soon as those that it needs are done, as a `dvc repro
--single-item` of its own, which wait for each other's locks; a plain `dvc repro` at the end is the check that nothing
was missed.
"""

import argparse
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import Queue

from segsg.pipeline.checks import check_files
from segsg.pipeline.passport import gpus
from segsg.study import profile
from segsg.study.params import load
from segsg.values import at_least

SOURCES = "sources"
"""the stage that says what the others run"""
Needs = dict[str, set[str]]
"""stages, each with those of them that it waits for"""


class StageFailed(RuntimeError):
    """At least one stage failed; the message names it and where its output is."""


def add(commands, command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command of this module, made by the `command` of segsg.cli."""
    own = command(commands, "repro", run_repro, "bring the study up to date and print where its report is")
    own.set_defaults(stopped="The same command goes on from here.")
    add_jobs(own)


def add_jobs(command: argparse.ArgumentParser) -> None:
    """The option `--jobs` of commands that run stages."""
    command.add_argument("--jobs", type=at_least(1), default=2, metavar="N", help="stages at a time (default: 2)")


def run_repro(options: argparse.Namespace) -> int:
    """Bring the study of params.yaml up to date."""
    params = load()
    profile.check(params)
    check_files(params)
    print(f"Report: {reproduce(options.jobs)}")
    return 0


def reproduce(jobs: int) -> Path:
    """Bring everything that dvc.yaml describes up to date, `jobs` stages at a time; returns the report's first page.

    StageFailed if a stage fails; all that does not need it is finished first, so that its work is kept.
    """
    params = load()
    report = Path("reports") / params.report / "html" / "index.html"
    work_without_git()
    needs = outdated()
    if not needs:
        print(f"Nothing has changed since the last run of the study '{params.profile}'.")
        return report
    logs = Path("work") / params.profile / "logs"
    if SOURCES in needs:  # every stage waits for it, and few for what an edit of one file changes
        _dvc(["repro", "--single-item", SOURCES], logs / f"{SOURCES}.log", environment({}))
        needs = outdated()
    run = _runner(len(needs), logs, gpu_shares(_visible_gpus(), jobs))
    if failures := run_all(needs, run, jobs):
        raise StageFailed("\n".join(failures))
    _dvc(["repro"], logs / "repro.log", environment({}))
    return report


def work_without_git() -> None:
    """DVC wants to be told if it runs outside git, as in an unpacked archive."""
    from dvc.config import Config  # takes a second, and most commands never need it

    if not Path(".git").exists():
        with Config.from_cwd().edit("local") as settings:
            settings["core"]["no_scm"] = True


def outdated() -> Needs:
    """Stages that are not as they should be, and all that need one of these; those that most others wait for first."""
    import networkx as nx
    from dvc.repo import Repo

    repo = Repo()
    graph, changed = repo.index.graph, repo.status()  # edges from a stage to what it needs
    waiting = {stage: nx.ancestors(graph, stage) for stage in graph}
    stale = {other for stage in graph if stage.addressing in changed for other in (stage, *waiting[stage])}
    first = sorted(stale, key=lambda stage: (-len(waiting[stage]), stage.addressing))
    return {stage.addressing: {needed.addressing for needed in graph[stage] if needed in stale} for stage in first}


def run_all(needs: Needs, run: Callable[[str], str | None], jobs: int) -> list[str]:
    """Calls `run` for every stage once those that it needs are done, `jobs` at a time; returns what failed.

    What needs a failed stage is left out, everything else is done.
    """
    left, failures = {stage: set(needed) for stage, needed in needs.items()}, []
    running: dict[Future, str] = {}
    with ThreadPoolExecutor(jobs) as pool:
        while True:
            ready = [stage for stage, needed in left.items() if not needed]
            for stage in ready[: jobs - len(running)]:
                del left[stage]
                running[pool.submit(run, stage)] = stage
            if not running:
                return failures
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                stage, failure = running.pop(future), future.result()
                failures += [failure] if failure else []
                for needed in left.values():
                    needed.difference_update(() if failure else (stage,))


def environment(changes: dict[str, str]) -> dict[str, str]:
    """Environment of the stages: this interpreter is their `python`, and one thread each unless the user says else."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {"OMP_NUM_THREADS": "1"} | os.environ | {"PATH": path} | changes


def gpu_shares(numbers: list[str], jobs: int) -> list[dict[str, str]]:
    """For each of `jobs` workers, the variable that leaves it its share of the GPUs; empty where it needs none."""
    if not numbers or jobs == 1:
        return [{}] * jobs
    return [{"CUDA_VISIBLE_DEVICES": ",".join(numbers[i % len(numbers) :: jobs])} for i in range(jobs)]


def _visible_gpus() -> list[str]:
    """Numbers of the GPUs that this process may use."""
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return [number for number in os.environ["CUDA_VISIBLE_DEVICES"].split(",") if number]
    return [str(number) for number in range(len(gpus()))]


def _runner(total: int, logs: Path, shares: list[dict[str, str]]) -> Callable[[str], str | None]:
    """Runs a stage on a free share of the GPUs and says so in a line; returns None, or what failed."""
    free: Queue[dict[str, str]] = Queue()
    for share in shares:
        free.put(share)
    numbers = itertools.count(1)

    def run(stage: str) -> str | None:
        share, began = free.get(), time.monotonic()
        try:
            _dvc(["--wait-for-lock", "repro", "--single-item", stage], logs / f"{stage}.log", environment(share))
        except StageFailed as failure:
            return f"{stage}: {failure}"
        finally:
            free.put(share)
        print(f"[{next(numbers)}/{total}] {stage}  {time.monotonic() - began:.0f} s", flush=True)
        return None

    return run


def _dvc(arguments: list[str], log: Path, variables: dict[str, str]) -> None:
    command = [sys.executable, "-m", "dvc", *arguments]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as stream:
        code = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, env=variables, check=False).returncode
    if code:
        last = log.read_text(encoding="utf-8").splitlines()[-25:]
        raise StageFailed("\n    ".join([f"failed; the last lines of {log}:", *last]))
